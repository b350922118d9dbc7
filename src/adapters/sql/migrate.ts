/**
 * Brings a database to the newest schema: numbered steps, forward only, each in one transaction under the write lock, so
 * that two processes starting at once apply each step once and a kill in the middle leaves the step before.
 */
import type { Database } from "better-sqlite3";
import { initial } from "./migrations/0001-initial.ts";
import { accounts } from "./migrations/0002-accounts.ts";
import { shop } from "./migrations/0003-shop.ts";
import { reopening } from "./migrations/0004-reopening.ts";
import { queued } from "./migrations/0005-queued.ts";
import { extensions } from "./migrations/0006-extensions.ts";

export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

export const migrations: readonly Migration[] = [
  { number: 1, name: "initial", sql: initial },
  { number: 2, name: "accounts", sql: accounts },
  { number: 3, name: "shop", sql: shop },
  { number: 4, name: "reopening", sql: reopening },
  { number: 5, name: "queued", sql: queued },
  { number: 6, name: "extensions", sql: extensions },
];

/** Applies what is missing and returns its names. Throws SchemaTooNew for a database that a newer program has migrated. */
export function migrate(database: Database, steps: readonly Migration[] = migrations): readonly string[] {
  const applied: string[] = [];
  const newest = steps.at(-1)?.number ?? 0;
  const next = database.transaction((step: Migration) => {
    database.exec("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT");
    const found = database.prepare<[], number>("SELECT coalesce(max(number), 0) FROM migration").pluck().get() ?? 0;
    if (found > newest) throw new SchemaTooNew(found, newest);
    if (found >= step.number) return;
    database.exec(step.sql);
    database.prepare("INSERT INTO migration (number, name) VALUES (?, ?)").run(step.number, step.name);
    applied.push(step.name);
  });
  for (const step of steps) next.immediate(step);
  return applied;
}

export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
  readonly code = "schema_too_new";
  constructor(found: number, newest: number) {
    super(`Open the store: its schema ${found} is newer than ${newest}, the newest this program knows; start the newer program`);
  }
}
