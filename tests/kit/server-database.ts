/** A database server's store for tests: opened on a database of its own, and emptied between tests, which is quicker than a new one. */
import { initialTables } from "../../src/adapters/sql/server-migrations/0001-initial.ts";
import { ServerCatalogue } from "../../src/adapters/sql/server-catalogue.ts";
import type { ServerDatabase } from "../../src/adapters/sql/server-database.ts";
import { ServerLedger, type ServerLedgerOptions } from "../../src/adapters/sql/server-ledger.ts";
import type { SqlReads } from "../../src/adapters/sql/sql-transaction.ts";
import { openServerStore, type ServerStore, type ServerStoreOptions } from "../../src/adapters/sql/server-store.ts";

export const testProcess = { name: "test", roles: ["api"], version: "0.0.0", secrets: "test" } as const;

type Options = Partial<Omit<ServerStoreOptions, "url" | "ledger">> & { readonly ledger?: Partial<ServerLedgerOptions> };

/** By default it decides by the time that batches carry, so that a test may turn the clock. */
const byBatchTime: ServerLedgerOptions = { reopenDelayMs: 0, time: "batch" };

export function openTestStore(url: string, { ledger, ...options }: Options = {}): Promise<ServerStore> {
  return openServerStore({ process: testProcess, ...options, url, ledger: { ...byBatchTime, ...ledger } });
}

/** Children before their parents; what the store is and who works on it stays. */
export async function emptyStore(database: ServerDatabase): Promise<void> {
  const names = initialTables.map(({ name }) => name).filter((name) => name !== "store" && name !== "process");
  await database.write(async (tx) => {
    for (const name of names.toReversed()) await tx.execute(`DELETE FROM ${name}`, []);
  });
}

/** One empty store after another on the same connections: to open them, and to have statements prepared, takes longest. */
export class EmptyStores {
  readonly url: string;
  #kept: ServerStore | undefined;

  constructor(url: string) {
    this.url = url;
  }

  /** What remembers what was there before is made anew. Until it is given back nobody else has it. */
  async take(ledger: Partial<ServerLedgerOptions> = {}): Promise<ServerStore> {
    const store = this.#kept ?? (await openTestStore(this.url));
    this.#kept = undefined;
    await emptyStore(store.database);
    const { database } = store;
    return { ...store, ledger: new ServerLedger(database, { ...byBatchTime, ...ledger }), catalogue: new ServerCatalogue(database) };
  }

  async giveBack(store: ServerStore): Promise<void> {
    await this.#kept?.close();
    this.#kept = store;
  }

  /** What is there, while nobody has the store. */
  async look(): Promise<SqlReads> {
    this.#kept ??= await openTestStore(this.url);
    return this.#kept.database.reads;
  }

  async close(): Promise<void> {
    await this.#kept?.close();
    this.#kept = undefined;
  }
}
