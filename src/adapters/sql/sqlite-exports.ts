/** Exports by way of the reader's thread. */
import type { Cursor, Exports, LedgerExportQuery, OrderExportQuery } from "../../ports/exports.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { WorkerClient } from "./worker-client.ts";
import { WorkerFailure } from "./worker-protocol.ts";

type Answer<Name extends keyof Exports> = Awaited<ReturnType<Exports[Name]>>;

export class SqliteExports implements Exports {
  readonly #reader: WorkerClient;
  readonly #timeoutMs: number;

  constructor(reader: WorkerClient, timeoutMs: number) {
    this.#reader = reader;
    this.#timeoutMs = timeoutMs;
  }

  exportOrders = (query: OrderExportQuery, after: Cursor | undefined) => this.#read("exportOrders", query, after);
  exportLedger = (query: LedgerExportQuery, after: Cursor | undefined) => this.#read("exportLedger", query, after);

  async #read<Name extends keyof Exports>(name: Name, query: unknown, after: Cursor | undefined): Promise<Answer<Name>> {
    try {
      return await this.#reader.call<Answer<Name>>(name, [query, after], this.#timeoutMs);
    } catch (error) {
      // Nothing was to be changed, so nothing is unknown.
      if (error instanceof WorkerFailure && error.code !== "defect") throw new StoreUnavailable("unavailable", error.message, error);
      throw error;
    }
  }
}
