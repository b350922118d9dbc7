/**
 * The processes that share a store. Each has a number of its own while it lives, which goes into the ids that it mints,
 * so that two processes never mint the same.
 *
 *   register ─► number ─► renewed every second ─► leave, or silent for `goneAfterMs`: somebody else may have the number
 *
 * Numbers that nobody ever had are given out first, then the one that has been free for the longest time: so a number comes
 * back after a thousand starts, whatever clocks do meanwhile. A process that was silent for so long that another may have
 * its number must not mint any more: it knows by its own clock, and ends when it finds that another has it.
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
  /** Whether the number is ours for sure: it was renewed a short while ago. */
  isSure(): boolean;
  /** False when the number is another's now. Throws StoreUnavailable. */
  renew(): Promise<boolean>;
  leave(): Promise<void>;
};

/** A clock of ours may go slower than the server's. */
const sureForMs = (aliveForMs + goneAfterMs) * 0.9;

/** `nowMs` measures how long the number was not renewed. Throws StoreUnavailable. */
export async function registerProcess(
  database: ServerDatabase,
  { name, roles, version, secrets }: ProcessIntroduction,
  { nowMs = () => performance.now(), numbers = processesMax }: { nowMs?: (() => number) | undefined; numbers?: number | undefined } = {},
): Promise<Membership> {
  const life = randomBytes(16).toString("hex");
  let askedMs = nowMs();
  const { number, secretsDiffer } = await database.write(async (tx) => {
    askedMs = nowMs();
    await tx.query(mutex, []);
    const atMs = await serverNowMs(tx);
    const others = await tx.query<ProcessRow>(allProcesses, []);
    const free = freeNumber(others, { nowMs: atMs, numbers });
    assert(free !== undefined, `at most ${numbers} processes share a store`);
    await tx.execute(removeOld, [free]);
    await tx.execute(insert, [free, life, name, roles.join(" "), version, secrets, atMs, atMs + aliveForMs]);
    const differ = others.some((other) => other.until_at > atMs && other.secrets !== secrets);
    return { number: free, secretsDiffer: differ };
  });
  let sureUntilMs = askedMs + sureForMs;
  return {
    number,
    life,
    secretsDiffer,
    isSure: () => nowMs() < sureUntilMs,
    renew: async () => {
      const renewedMs = nowMs();
      const isOurs = await database.write(async (tx) => renewIn(tx, { number, life }, (await serverNowMs(tx)) + aliveForMs));
      sureUntilMs = isOurs ? Math.max(sureUntilMs, renewedMs + sureForMs) : 0;
      return isOurs;
    },
    // The row stays, so that the number is not the next one's at once.
    leave: async () => void (await database.write(async (tx) => renewIn(tx, { number, life }, (await serverNowMs(tx)) - goneAfterMs))),
  };
}

async function renewIn(tx: SqlTransaction, { number, life }: Pick<ProcessRow, "number" | "life">, untilMs: number): Promise<boolean> {
  return (await tx.execute(renew, [untilMs, number, life])) === 1;
}

/** One that nobody ever had, or the one that has been free for the longest time. */
export function freeNumber(
  others: readonly Pick<ProcessRow, "number" | "until_at">[],
  { nowMs, numbers }: { nowMs: number; numbers: number },
): number | undefined {
  const known = new Set(others.map(({ number }) => number));
  for (let number = 0; number < numbers; number++) if (!known.has(number)) return number;
  const gone = others.filter(({ until_at: untilMs }) => untilMs + goneAfterMs <= nowMs);
  return gone.toSorted((a, b) => a.until_at - b.until_at)[0]?.number;
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
