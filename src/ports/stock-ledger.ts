import type { Sale } from "../domain/sale.ts";
import type { SaleId } from "../domain/ids.ts";
import type { Fence } from "./leases.ts";
import type { Movement, MovementOutcome } from "../domain/movement.ts";

/**
 * The system of record for stock, purchases and money. Commits batches of movements: all of a batch or nothing, durable
 * when it answers, decided by domain/sale-batch.ts over facts read under the sales' locks, in the given order.
 *
 * Committing the same batch again, with the same ids and the same nowMs, has the effect of committing it once: that is
 * how an unknown commit is resolved. A batch may never throw for what one line holds.
 */
export interface StockLedger {
  commit(batch: LedgerBatch): Promise<CommitResult>;
  /** Whether one commit may hold movements of several sales (SQLite), or each sale's lock wants its own (SQL servers). */
  readonly batchesAcrossSales: boolean;
}

export type LedgerBatch = {
  /** The engine's time. A ledger that several processes share decides by its own clock, which they share too. */
  readonly nowMs: number;
  readonly groups: readonly SaleGroup[];
  /** Checked in the same transaction: with a term that is no longer the newest nothing happens. */
  readonly fence?: Fence | undefined;
};
export type SaleGroup = { readonly saleId: SaleId; readonly movements: readonly Movement[] };

export type CommittedGroup = {
  readonly outcomes: readonly MovementOutcome[];
  readonly sale?: Sale | undefined;
  /** Whether it was this commit that gave the sale its number; told where other processes commit, too. */
  readonly moved?: boolean | undefined;
};

export type CommitResult =
  | {
      readonly kind: "committed";
      /** Per group, in its order; each with one outcome per movement and the sale as committed (absent: unknown sale). */
      readonly groups: readonly CommittedGroup[];
      /** What time it was where it was decided, if not the batch's. */
      readonly decidedAtMs?: number | undefined;
    }
  /** Nothing of the batch happened. `fenced`: its lease is another process's now. */
  | { readonly kind: "failed"; readonly cause: "storage_full" | "bad_line" | "unavailable" | "fenced"; readonly message: string }
  /** It may have happened. Commit the same batch again until an answer is definite. */
  | { readonly kind: "unknown"; readonly message: string };
