/** StockLedger by way of the writer's thread. */
import type { CommitResult, LedgerBatch, StockLedger } from "../../ports/stock-ledger.ts";
import { decodeResult, encodeBatch, type SaleMirror, type WireResult } from "./wire.ts";
import type { WorkerClient } from "./worker-client.ts";
import { WorkerFailure } from "./worker-protocol.ts";

export class SqliteLedger implements StockLedger {
  readonly batchesAcrossSales = true;
  readonly #writer: WorkerClient;
  readonly #mirror: SaleMirror;
  /** Batches of which an earlier commit may have happened. */
  readonly #unresolved = new WeakSet<LedgerBatch>();

  /** `mirror` must be cleared when the writer dies. */
  constructor(writer: WorkerClient, mirror: SaleMirror) {
    this.#writer = writer;
    this.#mirror = mirror;
  }

  async commit(batch: LedgerBatch): Promise<CommitResult> {
    let result: CommitResult;
    try {
      result = decodeResult(batch, await this.#writer.call<WireResult>("commit", encodeBatch(batch)), this.#mirror);
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      result = { kind: "unknown", message: error.message };
    }
    // Not having reached the database says nothing of the commit before.
    if (result.kind === "failed" && result.cause === "unavailable" && this.#unresolved.has(batch))
      result = { kind: "unknown", message: result.message };
    if (result.kind === "unknown") this.#unresolved.add(batch);
    return result;
  }
}
