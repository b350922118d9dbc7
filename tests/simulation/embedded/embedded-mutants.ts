/** Planted bugs of the embedded world. */
import type { PaymentProvider } from "../../../src/ports/payment-provider.ts";
import type { CountedMutant } from "../mutants.ts";
import { answersBeforeSync, reformsBatch, shedsWhatWasSent, unknownIsRefused } from "../mutants-acceptance.ts";
import { BelievesOldCopies, ForgetsBuyers, IgnoresPending, RefusesKnownBuyers } from "../mutants-board.ts";
import {
  allotsNothing,
  capturesTwice,
  countsLimitPerLine,
  expiresAnything,
  expiresEarly,
  extendsForEver,
  extendsTwice,
  extendsWhatIsOver,
  ignoresKeys,
  keepsSecondCapture,
  losesLedgerRow,
  movesGraceForEver,
  releasesTwice,
  resurrectsExpired,
  returnsNothing,
  returnsTwice,
  takesWhatIsNotThere,
} from "../mutants-store.ts";

/** A new id for each try: the provider cannot know that they are one refund. */
function refundsAnew(provider: PaymentProvider): PaymentProvider {
  let tries = 0;
  return {
    name: provider.name,
    submit: (request) => provider.submit(request),
    look: (paymentId) => provider.look(paymentId),
    // As a careless adapter would make it up: an id is text.
    refund: (request) => provider.refund({ ...request, refundId: `${request.refundId}${++tries}` as typeof request.refundId }),
  };
}

/** By name, with how many seeds may pass before it is caught. */
export const embeddedMutants: Readonly<Record<string, CountedMutant>> = {
  "answers-before-sync": { ledger: answersBeforeSync, seedsMax: 20 },
  "unknown-is-refused": { ledger: unknownIsRefused, seedsMax: 100 },
  "reforms-batch": { ledger: reformsBatch, seedsMax: 150 },
  "sheds-what-was-sent": { acceptance: shedsWhatWasSent, seedsMax: 100 },
  "refuses-known-buyers": { board: RefusesKnownBuyers, seedsMax: 50 },
  "ignores-pending": { board: IgnoresPending, seedsMax: 200 },
  "forgets-buyers": { board: ForgetsBuyers, seedsMax: 100 },
  "believes-old-copies": { board: BelievesOldCopies, seedsMax: 300 },
  "ignores-keys": { steps: ignoresKeys, seedsMax: 20 },
  "counts-limit-per-line": { steps: countsLimitPerLine, seedsMax: 50 },
  "takes-what-is-not-there": { steps: takesWhatIsNotThere, seedsMax: 20 },
  "releases-twice": { steps: releasesTwice, seedsMax: 50 },
  "expires-anything": { steps: expiresAnything, seedsMax: 200 },
  // Two layers stand in front of this one, so both are broken.
  "expires-early": { steps: expiresEarly, workersClock: (clock) => ({ nowMs: () => clock.nowMs() + 700 }), seedsMax: 20 },
  "expires-by-the-wall": { clock: (wallMs) => ({ nowMs: wallMs }), seedsMax: 100 },
  "starts-in-the-past": { forgetsTime: true, seedsMax: 200 },
  "resurrects-expired": { steps: resurrectsExpired, seedsMax: 50 },
  "keeps-second-capture": { steps: keepsSecondCapture, seedsMax: 50 },
  "captures-twice": { steps: capturesTwice, seedsMax: 50 },
  "refunds-anew": { provider: refundsAnew, seedsMax: 50 },
  "loses-ledger-row": { steps: losesLedgerRow, seedsMax: 50 },
  "allots-nothing": { steps: allotsNothing, seedsMax: 20 },
  "returns-twice": { steps: returnsTwice, seedsMax: 50 },
  "returns-nothing": { steps: returnsNothing, seedsMax: 50 },
  "extends-for-ever": { steps: extendsForEver, seedsMax: 100 },
  "extends-twice": { steps: extendsTwice, seedsMax: 100 },
  "extends-what-is-over": { steps: extendsWhatIsOver, seedsMax: 200 },
  "moves-grace-for-ever": { steps: movesGraceForEver, seedsMax: 100 },
};
