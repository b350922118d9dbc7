/**
 * The processes that share a store. Each has a number of its own while it lives, which goes into the ids that it mints,
 * so that two processes never mint the same.
 *
 *   register ─► number ─► renewed every second ─► leave, or silent for `goneAfterMs`: somebody else may have the number
 *
 * A process that was silent for so long and finds its number with another must not mint any more, and ends.
 */
import { randomBytes } from "node:crypto";
import { assert } from "../../lib/assert.ts";
import type { ServerDatabase } from "./server-database.ts";
import { serverNowMs } from "./server-leases.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

/** Numbers are 10 bits of an id. */
export const processNumberBits = 10;
export const processesMax = 2 ** processNumberBits;
/** Without a renewal for so long a process counts as dead. */
export const aliveForMs = 5_000;
/** And its number may be given to another after so long, for a stopped process may wake. */
export const goneAfterMs = 60_000;

const mutex = `SELECT one FROM store WHERE one = 1 {lock}`;
const allProcesses = `SELECT number, life, name, roles, version, secrets, started_at, until_at FROM process ORDER BY number`;
const remove = `DELETE FROM process WHERE number = ? AND life = ?`;
const removeOld = `DELETE FROM process WHERE number = ?`;
const insert = `INSERT INTO process (number, life, name, roles, version, secrets, started_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const renew = `UPDATE process SET until_at = ? WHERE number = ? AND life = ?`;

type ProcessRow = {
  readonly number: number;
  readonly life: string;
  readonly name: string;
  readonly roles: string;
  readonly version: string;
  readonly secrets: string;
  readonly started_at: number;
  readonly until_at: number;
};

export type ProcessIntroduction = {
  /** Where it runs, for operators. */
  readonly name: string;
  readonly roles: readonly string[];
  readonly version: string;
  /** A digest of the secrets that all processes must have alike. */
  readonly secrets: string;
};

export type Membership = {
  readonly number: number;
  /** Of this start; the number may have another one later. */
  readonly life: string;
  /** Whether other living processes have other secrets: their tokens are not ours. */
  readonly secretsDiffer: boolean;
  /** False when the number is another's now. Throws StoreUnavailable. */
  renew(): Promise<boolean>;
  leave(): Promise<void>;
};

/** Throws StoreUnavailable. */
export async function registerProcess(
  database: ServerDatabase,
  { name, roles, version, secrets }: ProcessIntroduction,
): Promise<Membership> {
  const life = randomBytes(16).toString("hex");
  const { number, secretsDiffer } = await database.write(async (tx) => {
    await tx.query(mutex, []);
    const nowMs = await serverNowMs(tx);
    const others = await tx.query<ProcessRow>(allProcesses, []);
    const free = freeNumber(others, nowMs);
    assert(free !== undefined, `at most ${processesMax} processes share a store`);
    await tx.execute(removeOld, [free]);
    await tx.execute(insert, [free, life, name, roles.join(" "), version, secrets, nowMs, nowMs + aliveForMs]);
    const differ = others.some((other) => other.until_at > nowMs && other.secrets !== secrets);
    return { number: free, secretsDiffer: differ };
  });
  return {
    number,
    life,
    secretsDiffer,
    renew: () => database.write((tx) => renewIn(tx, number, life)),
    leave: () => database.write(async (tx) => void (await tx.execute(remove, [number, life]))),
  };
}

async function renewIn(tx: SqlTransaction, number: number, life: string): Promise<boolean> {
  return (await tx.execute(renew, [(await serverNowMs(tx)) + aliveForMs, number, life])) === 1;
}

/** The lowest that nobody has, nor had a moment ago. */
function freeNumber(others: readonly ProcessRow[], nowMs: number): number | undefined {
  const taken = new Set(others.filter((other) => other.until_at + goneAfterMs > nowMs).map((other) => other.number));
  for (let number = 0; number < processesMax; number++) if (!taken.has(number)) return number;
  return undefined;
}

export type LivingProcess = Omit<ProcessRow, "life" | "started_at" | "until_at"> & { readonly startedAtMs: number };

/** Who is there now, for operators. Throws StoreUnavailable. */
export async function livingProcesses(database: ServerDatabase): Promise<readonly LivingProcess[]> {
  return database.read(async (db) => {
    const nowMs = await serverNowMs(db);
    const rows = await db.query<ProcessRow>(allProcesses, []);
    return rows
      .filter(({ until_at: untilMs }) => untilMs > nowMs)
      .map(({ number, name, roles, version, secrets, started_at: startedAtMs }) => ({
        number,
        name,
        roles,
        version,
        secrets,
        startedAtMs,
      }));
  });
}
