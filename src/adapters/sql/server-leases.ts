/** Leases in a table: taken and renewed by the server's clock. */
import type { Fence, Leases } from "../../ports/leases.ts";
import type { ServerDatabase } from "./server-database.ts";
import { mysqlNowMs, postgresNowMs } from "./server-clock.ts";
import type { SqlReads, SqlTransaction } from "./sql-transaction.ts";

/** How long a lease is held without being renewed: singletons stand still for so long when their process dies. */
export const leaseMs = 5_000;
/** Within so long it need not be renewed. Who believes in it for longer writes nothing: the term is checked. */
const renewAfterMs = 1_500;

const selectLease = `SELECT term, holder, until_at FROM lease WHERE name = ? {lock}`;
const insertLease = `INSERT INTO lease (name, term, holder, until_at) VALUES (?, 1, ?, ?)`;
const takeLease = `UPDATE lease SET term = term + 1, holder = ?, until_at = ? WHERE name = ?`;
const renewLease = `UPDATE lease SET until_at = ? WHERE name = ? AND term = ?`;
const endLease = `UPDATE lease SET until_at = 0 WHERE name = ? AND term = ?`;
const currentTerm = `SELECT term FROM lease WHERE name = ? {share}`;

type LeaseRow = { readonly term: number; readonly holder: number; readonly until_at: number };

export class ServerLeases implements Leases {
  readonly #database: ServerDatabase;
  readonly #holder: number;
  readonly #nowMs: () => number;
  readonly #held = new Map<string, { readonly term: number; readonly askedMs: number }>();

  /** `holder`: this process's number. `nowMs` measures how long a lease was not renewed. */
  constructor(database: ServerDatabase, holder: number, nowMs: () => number) {
    this.#database = database;
    this.#holder = holder;
    this.#nowMs = nowMs;
  }

  async hold(name: string): Promise<Fence | undefined> {
    const askedMs = this.#nowMs();
    const held = this.#held.get(name);
    if (held !== undefined && askedMs < held.askedMs + renewAfterMs) return { lease: name, term: held.term };
    const term = await this.#database.write((tx) => this.#hold(tx, name));
    if (term === undefined) this.#held.delete(name);
    else this.#held.set(name, { term, askedMs });
    return term === undefined ? undefined : { lease: name, term };
  }

  async giveUp({ lease, term }: Fence): Promise<void> {
    this.#held.delete(lease);
    await this.#database.write(async (tx) => void (await tx.execute(endLease, [lease, term])));
  }

  async #hold(tx: SqlTransaction, name: string): Promise<number | undefined> {
    const nowMs = await serverNowMs(tx);
    const [row] = await tx.query<LeaseRow>(selectLease, [name]);
    if (row === undefined) {
      // Of two that find none one fails on the key, and finds it on its next try.
      await tx.execute(insertLease, [name, this.#holder, nowMs + leaseMs]);
      return 1;
    }
    if (row.term === this.#held.get(name)?.term) {
      await tx.execute(renewLease, [nowMs + leaseMs, name, row.term]);
      return row.term;
    }
    // Our own of which we do not know: its taking got no answer. Nobody else has our number while we live.
    if (row.until_at > nowMs && row.holder !== this.#holder) return undefined;
    await tx.execute(takeLease, [this.#holder, nowMs + leaseMs, name]);
    return row.term + 1;
  }
}

/** Whether the lease is still who presents it; nobody can take it before the transaction ends. */
export async function isCurrent(tx: SqlTransaction, { lease, term }: Fence): Promise<boolean> {
  const [row] = await tx.query<{ term: number }>(currentTerm, [lease]);
  return row?.term === term;
}

export async function serverNowMs(tx: SqlReads): Promise<number> {
  const sql = `SELECT ${tx.dialect.name === "mysql" ? mysqlNowMs : postgresNowMs} AS now_ms`;
  const [row] = await tx.query<{ now_ms: number }>(sql, []);
  if (row === undefined) throw new Error("The database did not say its time");
  return row.now_ms;
}
