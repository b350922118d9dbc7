/** StockLedger by way of the writer's thread. */
import type { CommitResult, LedgerBatch, StockLedger } from "../../ports/stock-ledger.ts";
import { decodeResult, encodeBatch, type SaleMirror, type WireResult } from "./wire.ts";
import type { WorkerClient } from "./worker-client.ts";
import { WorkerFailure } from "./worker-protocol.ts";

export class SqliteLedger implements StockLedger {
  readonly batchesAcrossSales = true;
  readonly #writer: WorkerClient;
  readonly #mirror: SaleMirror;
  /** `mirror` must be cleared when the writer dies. */
  constructor(writer: WorkerClient, mirror: SaleMirror) {
    this.#writer = writer;
    this.#mirror = mirror;
  }

  async commit(batch: LedgerBatch): Promise<CommitResult> {
    try {
      return decodeResult(batch, await this.#writer.call<WireResult>("commit", encodeBatch(batch)), this.#mirror);
    } catch (error) {
      if (error instanceof WorkerFailure) return { kind: "unknown", message: error.message };
      throw error;
    }
  }
}
