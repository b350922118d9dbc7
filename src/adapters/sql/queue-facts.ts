/**
 * What the database keeps for queued mode, as doctor looks at it. Scopes that are being closed or opened are watched for a
 * while: that is done within a second or two, and nothing tells since when it goes on.
 */
import type { QueueTables, StuckScope, Waiting } from "../../ports/server-facts.ts";
import { clockOf, fromOwing } from "./cut-scope.ts";
import { partitionMaxOf } from "./queue-partitions.ts";
import { scopeColumns, type ScopeRow } from "./scope-rows.ts";
import type { SqlReads } from "./sql-transaction.ts";

/** Longer than a process that died counts as alive, for it is waited for until then. */
const watchDefaultMs = 8_000;
const lookEveryMs = 250;

const movingScopes = `SELECT ${scopeColumns} FROM scope WHERE state IN ('closing', 'opening') ORDER BY scope.id`;
const owing = `SELECT p.number AS number, p.name AS name ${fromOwing} ORDER BY p.number`;
const letters = `SELECT count(*) AS number, min(at_ms) AS oldest FROM dead_letter`;
const newestLetter = `SELECT letter AS problem FROM dead_letter ORDER BY at_ms DESC, id LIMIT 1`;
/** What was settled since, or put aside, failed once and no more. */
const fails = `FROM failed_line f WHERE NOT EXISTS (SELECT 1 FROM purchase p WHERE p.id = f.id AND p.state <> 'queued')
  AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.id = CAST(f.id AS TEXT))`;
const failedLines = `SELECT count(*) AS number, min(f.at_ms) AS oldest ${fails}`;
const newestFailure = `SELECT f.problem AS problem ${fails} ORDER BY f.at_ms DESC, f.id LIMIT 1`;

type CountRow = { readonly number: number; readonly oldest: number | null };

export async function readQueueTables(db: SqlReads, watchMs: number = watchDefaultMs): Promise<QueueTables> {
  return {
    partitionMax: await partitionMaxOf(db),
    stuck: await stuckScopes(db, watchMs),
    deadLetters: await waiting(db, letters, newestLetter),
    failedLines: await waiting(db, failedLines, newestFailure),
  };
}

/** Those that were seen on their way, in the same closing, each time. */
async function stuckScopes(db: SqlReads, watchedMs: number): Promise<readonly StuckScope[]> {
  const startedMs = performance.now();
  let moving = await db.query<ScopeRow>(movingScopes, []);
  while (moving.length > 0 && performance.now() < startedMs + watchedMs) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    const closings = new Map(moving.map(({ id, closing }) => [id, closing]));
    moving = (await db.query<ScopeRow>(movingScopes, [])).filter(({ id, closing }) => closings.get(id) === closing);
  }
  const nowMs = await clockOf(db);
  const stuck: StuckScope[] = [];
  for (const { id, state, closing } of moving)
    if (state === "closing" || state === "opening")
      stuck.push({
        id,
        state,
        watchedMs,
        owing: state === "closing" ? await db.query<StuckScope["owing"][number]>(owing, [nowMs, id, closing]) : [],
      });
  return stuck;
}

async function waiting(db: SqlReads, count: string, newest: string): Promise<Waiting> {
  const [row] = await db.query<CountRow>(count, []);
  const number = row?.number ?? 0;
  if (number === 0) return { count: 0, oldestAtMs: undefined, problem: undefined };
  const [last] = await db.query<{ problem: string }>(newest, []);
  return { count: number, oldestAtMs: row?.oldest ?? undefined, problem: last && problemIn(last.problem) };
}

/** A letter is JSON with the problem in it, a failed line has the problem itself. */
function problemIn(text: string): string {
  try {
    const letter: unknown = JSON.parse(text);
    if (typeof letter === "object" && letter !== null && "problem" in letter) return String(letter.problem);
  } catch {
    // It is none.
  }
  return text;
}
