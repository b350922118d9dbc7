/**
 * Asks providers about payments that have gone quiet: the callback may be lost, or the answer to the submission was.
 *
 *   provider says   captures ──► recorded       failed ──► failed
 *                   never heard of it ──► failed if it never was confirmed; money that comes all the same is recorded
 *                   pending ──► asked again later; expired once its order has stopped waiting
 *                   nothing ──► asked again later
 *
 * Must stay true: a payment is given up only after a look that found no money, and by whoever may look at this time: what
 * a process heard before it was stopped for long is old when it wakes.
 */
import { unreachable } from "../lib/assert.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { PaymentId, RefundId } from "../domain/ids.ts";
import type { UpdatePayment } from "../domain/movement.ts";
import type { Payment } from "../domain/payment.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Fence } from "../ports/leases.ts";
import type { PaymentProvider, ProviderCapture } from "../ports/payment-provider.ts";
import type { Records } from "../ports/records.ts";

export type PollDeps = {
  readonly records: Records;
  readonly acceptance: Acceptance;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly providers: ReadonlyMap<string, PaymentProvider>;
};
export type PollLimits = {
  /** A payment is left in peace so long after it was last heard of. */
  readonly quietForMs: number;
  /** Quiet payments kept in mind, the oldest; younger ones follow when those have ended. */
  readonly quietMax: number;
  /** Providers are asked about so many at once. */
  readonly looksMax: number;
  readonly again: { readonly baseMs: number; readonly ceilingMs: number };
};
export const pollLimitsDefault: PollLimits = {
  quietForMs: 5_000,
  quietMax: 2_000,
  looksMax: 32,
  again: { baseMs: 2_000, ceilingMs: 20_000 },
};

export class PaymentPoller {
  readonly #deps: PollDeps;
  readonly #limits: PollLimits;
  /** When a quiet payment is asked about again. Forgetting it costs one question. */
  #asked = new Map<PaymentId, { readonly times: number; readonly nextAtMs: number }>();

  constructor(deps: PollDeps, limits: PollLimits = pollLimitsDefault) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** Asks about the payments whose turn it is; returns how many. `fence`: whose process may write down what was heard. */
  async round(fence?: Fence): Promise<number> {
    const nowMs = this.#deps.clock.nowMs();
    const quiet = await this.#deps.records.quietPayments(nowMs - this.#limits.quietForMs, this.#limits.quietMax);
    const before = this.#asked;
    this.#asked = new Map();
    const turn: Payment[] = [];
    for (const payment of quiet) {
      const asked = before.get(payment.id) ?? { times: 0, nextAtMs: 0 };
      const isTurn = asked.nextAtMs <= nowMs && turn.length < this.#limits.looksMax;
      if (isTurn) turn.push(payment);
      const next = { times: asked.times + 1, nextAtMs: nowMs + backoffMs(asked.times, this.#limits.again) };
      this.#asked.set(payment.id, isTurn ? next : asked);
    }
    await Promise.all(turn.map((payment) => this.#ask(payment, fence)));
    return turn.length;
  }

  async #ask(payment: Payment, fence: Fence | undefined): Promise<void> {
    const said = await this.#deps.providers.get(payment.provider)?.look(payment.id);
    switch (said?.kind) {
      case undefined:
      case "unknown":
        return;
      case "not_found":
        if (payment.state === "created") return this.#note(payment, "failed", fence);
        return this.#giveUpAfterHold(payment, fence);
      case "known":
        if (said.captures.length > 0) return this.#capture(payment, said.captures, fence);
        if (said.state === "failed") return this.#note(payment, "failed", fence);
        if (payment.state === "created") await this.#note(payment, "submitted", fence);
        return this.#giveUpAfterHold(payment, fence);
      default:
        return unreachable(said);
    }
  }

  async #giveUpAfterHold(payment: Payment, fence: Fence | undefined): Promise<void> {
    const purchase = await this.#deps.records.purchase(payment.purchaseId);
    if (purchase?.state !== "reserved") await this.#note(payment, "expired", fence);
  }

  /** An answer that is not definite is left to the next turn. */
  async #note(payment: Payment, event: UpdatePayment["event"], fence: Fence | undefined): Promise<void> {
    await this.#deps.acceptance.submit(payment.saleId, [{ kind: "update_payment", paymentId: payment.id, event }], { fence });
  }

  async #capture(payment: Payment, captures: readonly ProviderCapture[], fence: Fence | undefined): Promise<void> {
    const movements = captures.map(({ captureId, money }) => ({
      kind: "capture" as const,
      captureId,
      paymentId: payment.id,
      money,
      // A freshly minted id is a refund's id by its use here.
      refundId: this.#deps.ids.mint() as RefundId,
    }));
    await this.#deps.acceptance.submit(payment.saleId, movements, { fence });
  }
}
