/**
 * The one writer of a database: takes batches and catalogue writes one after another, each in its own transaction.
 *
 * After an I/O error nobody knows what is on the disk, and syncing again would prove nothing. So the connection is thrown
 * away and a new one brings what the log holds into the database before anything else is tried; until that succeeds every
 * answer is `unknown`. The caller then writes the same again, which has one effect.
 */
import type { SaleId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import type { LedgerBatch } from "../../ports/stock-ledger.ts";
import type { WriterConnection } from "./sqlite-connection.ts";
import type { SqlTransaction } from "./sql-transaction.ts";
import { decideAndWrite, type BatchAnswer } from "./stock-ledger.ts";
import { failureOf, type WriteFailure } from "./write-failure.ts";

export type WriteResult<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "failed"; readonly failure: WriteFailure; readonly message: string };

/** Copies of sales that this writer committed last; beyond it they are read again. */
const copiesMax = 20_000;

export class Writer {
  readonly #open: (afterFailure: boolean) => WriterConnection;
  readonly #copies = new Map<SaleId, Sale>();
  #connection: WriterConnection | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failed = false;

  /** `open` yields a connection whose visible state is durable. */
  constructor(open: (afterFailure: boolean) => WriterConnection) {
    this.#open = open;
  }

  async commit(batch: LedgerBatch): Promise<WriteResult<BatchAnswer>> {
    return this.#inTurn(async () => {
      const result = await this.#transact((tx) => decideAndWrite(tx, batch, { copies: this.#copies }));
      if (result.kind === "done") this.#keepCopies(result.value);
      return result;
    });
  }

  /** Runs a write that is not the ledger's. */
  async write<Value>(run: (tx: SqlTransaction) => Promise<Value>): Promise<WriteResult<Value>> {
    return this.#inTurn(() => this.#transact(run));
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#inTurn(async () => this.#discard());
  }

  #inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
    const turn = this.#queue.then(run);
    this.#queue = turn.then(
      () => this.#checkpoint(),
      () => undefined,
    );
    return turn;
  }

  /** Copies a long log once the answer is out. A sync that fails here is like one that fails in a commit. */
  async #checkpoint(): Promise<void> {
    try {
      if (this.#connection?.checkpointDue() !== true) return;
      await new Promise((resolve) => setImmediate(resolve));
      this.#connection.checkpoint();
    } catch (error) {
      if (failureOf(error, false) !== "unknown") return;
      this.#failed = true;
      this.#discard();
    }
  }

  async #transact<Value>(run: (tx: SqlTransaction) => Promise<Value>): Promise<WriteResult<Value>> {
    let committing = false;
    try {
      this.#connection ??= this.#open(this.#failed);
    } catch (error) {
      return { kind: "failed", failure: "unknown", message: messageOf(error) };
    }
    try {
      this.#connection.begin();
      const value = await run(this.#connection);
      committing = true;
      this.#connection.commit();
      return { kind: "done", value };
    } catch (error) {
      this.#copies.clear();
      const failure = failureOf(error, committing);
      return { kind: "failed", failure: this.#rolledBack(failure) ? failure : "unknown", message: messageOf(error) };
    }
  }

  #rolledBack(failure: WriteFailure): boolean {
    try {
      if (failure !== "unknown") {
        if (this.#connection?.inTransaction) this.#connection.rollback();
        return true;
      }
    } catch {
      // A rollback that fails leaves a connection that is not to be trusted.
    }
    this.#failed = true;
    this.#discard();
    return false;
  }

  #discard(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#copies.clear();
    try {
      connection?.close();
    } catch {
      // Its locks go with the file descriptors; what it held open is in the log or was never committed.
    }
  }

  #keepCopies(answer: BatchAnswer): void {
    if (this.#copies.size + answer.groups.length > copiesMax) this.#copies.clear();
    for (const { sale } of answer.groups) if (sale !== undefined) this.#copies.set(sale.id, sale);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
