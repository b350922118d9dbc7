/** Broken ways to commit and to answer. */
import type { PurchaseId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { Acceptance, Answer } from "../../src/ports/acceptance.ts";
import type { CommitResult, LedgerBatch, StockLedger } from "../../src/ports/stock-ledger.ts";
import type { Tasks } from "../../src/ports/tasks.ts";

/** Says yes to what a disk has not yet confirmed: takes are answered as accepted while their commit is under way. */
export function answersBeforeSync(ledger: StockLedger): StockLedger {
  let last: CommitResult | undefined;
  return {
    batchesAcrossSales: ledger.batchesAcrossSales,
    commit: async (batch) => {
      const known = last?.kind === "committed" ? last.groups.map(({ sale }) => sale) : [];
      const guess = batch.groups.map(({ saleId, movements }) => {
        const sale = known.find((one) => one?.id === saleId);
        const outcomes = movements.map((move) => guessOutcome(move, sale));
        return outcomes.every((outcome) => outcome !== undefined) ? { outcomes, sale } : undefined;
      });
      const committing = ledger.commit(batch);
      if (guess.every((group) => group !== undefined)) return { kind: "committed", groups: guess };
      return (last = await committing);
    },
  };
}

type Group = Extract<CommitResult, { kind: "committed" }>["groups"][number];

function guessOutcome(move: Movement, sale: Group["sale"]): Group["outcomes"][number] | undefined {
  if (move.kind !== "take" || sale === undefined || sale.balances.available < 3) return undefined;
  const { purchaseId: id, buyerId, key, quantity, metadata } = move;
  const { productId, price, perBuyerLimit: limit } = sale;
  const times = { acceptedAtMs: 0, payByMs: 0, extensions: 0, holdUntilMs: 0, changedAtMs: 0 };
  const purchase = { id, saleId: sale.id, productId, buyerId, key, quantity, price, limit, metadata, ...times };
  return { kind: "accepted", replayed: false, purchase: { ...purchase, state: "reserved", refunded: false } };
}

/** Takes "nobody knows" for "it did not happen". */
export function unknownIsRefused(ledger: StockLedger): StockLedger {
  return {
    batchesAcrossSales: ledger.batchesAcrossSales,
    commit: async (batch) => {
      const result = await ledger.commit(batch);
      return result.kind === "unknown" ? { kind: "failed", cause: "unavailable", message: result.message } : result;
    },
  };
}

/** Repeats a commit nobody knows of with new ids. */
export function reformsBatch(ledger: StockLedger): StockLedger {
  const tried = new WeakSet<LedgerBatch>();
  return {
    batchesAcrossSales: ledger.batchesAcrossSales,
    commit: (batch) => {
      if (tried.has(batch)) return ledger.commit(withNewIds(batch));
      tried.add(batch);
      return ledger.commit(batch);
    },
  };
}

function withNewIds(batch: LedgerBatch): LedgerBatch {
  const renamed = (move: Movement): Movement =>
    // As careless code would mint it: the next number.
    move.kind === "take" ? { ...move, purchaseId: (BigInt(move.purchaseId) + 1n).toString() as PurchaseId } : move;
  return { ...batch, groups: batch.groups.map(({ saleId, movements }) => ({ saleId, movements: movements.map(renamed) })) };
}

/** Loses patience with what is already on its way to the disk, and says that nothing was tried. */
export function shedsWhatWasSent(acceptance: Acceptance, tasks: Tasks): Acceptance {
  return {
    isPending: (saleId, buyerId) => acceptance.isPending(saleId, buyerId),
    submit: <M extends Movement>(saleId: Parameters<Acceptance["submit"]>[0], movements: readonly M[]) =>
      new Promise<readonly Answer<M>[]>((resolve) => {
        void acceptance.submit(saleId, movements).then(resolve);
        tasks.after(100, () => resolve(movements.map(() => ({ kind: "not_tried", cause: "busy" }))));
      }),
  };
}
