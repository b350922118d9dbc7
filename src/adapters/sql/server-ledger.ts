/** StockLedger on a database server: one transaction for each batch of a sale, decided by the server's own clock. */
import type { SaleId } from "../../domain/ids.ts";
import type { CommitResult, LedgerBatch, StockLedger } from "../../ports/stock-ledger.ts";
import type { ServerDatabase } from "./server-database.ts";
import type { QueueTerms } from "./scope-rows.ts";
import { isCurrent } from "./server-leases.ts";
import { decideAndWrite, type BatchAnswer } from "./stock-ledger.ts";

const knownSalesMax = 20_000;

export type ServerLedgerOptions = {
  /** How long marks may live in the memory of processes (see domain/batch-state.ts); 0 where only one decides and refuses. */
  readonly reopenDelayMs: number;
  /** Where a cache decides, and this ledger settles. */
  readonly queue?: QueueTerms | undefined;
  /** Whose time decides: the server's, or the batch's, for tests that turn the clock. */
  readonly time?: "server" | "batch" | undefined;
};

export class ServerLedger implements StockLedger {
  /** Each sale's lock wants a transaction of its own. */
  readonly batchesAcrossSales = false;
  readonly #database: ServerDatabase;
  readonly #options: ServerLedgerOptions;
  readonly #decide: typeof decideAndWrite;
  readonly #countsAlone = new Set<SaleId>();

  /** `decide`: what is done inside the transaction; a simulation brings a model's. */
  constructor(database: ServerDatabase, options: ServerLedgerOptions, decide = decideAndWrite) {
    this.#database = database;
    this.#options = options;
    this.#decide = decide;
  }

  async commit(batch: LedgerBatch): Promise<CommitResult> {
    const { reopenDelayMs, queue, time = "server" } = this.#options;
    const terms = { reopenDelayMs: reopenDelayMs || undefined, queue, ownClock: time === "server", countsAlone: this.#countsAlone };
    const result = await this.#database.transact(
      async (tx) => {
        if (batch.fence !== undefined && !(await isCurrent(tx, batch.fence))) return undefined;
        return this.#decide(tx, batch, terms);
      },
      { wrote: (answer) => answer?.wrote === true },
    );
    if (result.kind === "done") {
      const { value: answer } = result;
      if (answer === undefined) return { kind: "failed", cause: "fenced", message: "Another process holds the lease" };
      this.#learn(answer);
      return { kind: "committed", groups: answer.groups, decidedAtMs: answer.nowMs };
    }
    const { failure, message } = result;
    return failure === "unknown" ? { kind: "unknown", message } : { kind: "failed", cause: failure, message };
  }

  #learn({ groups }: BatchAnswer): void {
    if (this.#countsAlone.size >= knownSalesMax) this.#countsAlone.clear();
    for (const { sale } of groups)
      if (sale !== undefined && sale.phase !== "draft" && sale.limitGroup === undefined) this.#countsAlone.add(sale.id);
  }
}
