/** A database server's store for tests: opened on a database of its own, and emptied between tests, which is quicker than a new one. */
import { openServerStore, type ServerStore, type ServerStoreOptions } from "../../src/adapters/sql/server-store.ts";
import { initialTables } from "../../src/adapters/sql/server-migrations/0001-initial.ts";
import type { ServerDatabase } from "../../src/adapters/sql/server-database.ts";

export const testProcess = { name: "test", roles: ["api"], version: "0.0.0", secrets: "test" } as const;

type Options = Partial<Omit<ServerStoreOptions, "url" | "ledger">> & { readonly ledger?: Partial<ServerStoreOptions["ledger"]> };

/** By default it decides by the time that batches carry, so that a test may turn the clock. */
export function openTestStore(url: string, { ledger, ...options }: Options = {}): Promise<ServerStore> {
  return openServerStore({ process: testProcess, ...options, url, ledger: { reopenDelayMs: 0, time: "batch", ...ledger } });
}

/** Children before their parents; what the store is and who works on it stays. */
export async function emptyStore(database: ServerDatabase): Promise<void> {
  const names = initialTables.map(({ name }) => name).filter((name) => name !== "store" && name !== "process");
  await database.write(async (tx) => {
    for (const name of names.toReversed()) await tx.execute(`DELETE FROM ${name}`, []);
  });
}
