/** What differs in a store whose sales a cache decided: lines are accepted by one clock and take their units later by another. */
import { expect, test } from "bun:test";
import type { AuditRows } from "../../src/adapters/memory/audit-source.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { Evidence } from "./good-run.ts";
import { findingsOf, judge } from "./judge.ts";
import { memoryRun } from "./memory-run.ts";

const onTheWayMs = 7;

/** A good run as it would be, had each purchase been on its way for a moment between the cache and the ledger. */
async function queuedRun(seed: number): Promise<Evidence> {
  const run = await memoryRun(seed, 60);
  const sales = run.rows.sales.map((sale) => ({ ...sale, scopeId: sale.id, startsAtMs: sale.startsAtMs - onTheWayMs }));
  const purchases = run.rows.purchases.map((purchase) => ({ ...purchase, acceptedAtMs: purchase.acceptedAtMs - onTheWayMs }));
  return { ...run, rows: { ...run.rows, sales, purchases } };
}

function changed(run: Evidence, change: (purchase: Purchase) => Partial<Purchase>): Evidence {
  const [first, ...others] = run.rows.purchases;
  if (first === undefined) throw new Error("a run has purchases");
  return withRows(run, { purchases: [{ ...first, ...change(first) }, ...others] });
}
const withRows = (run: Evidence, rows: Partial<AuditRows>): Evidence => ({ ...run, rows: { ...run.rows, ...rows } });

test("[I5] [I7] [I11] purchases of a cache are to be paid from when the ledger took their units", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const run = await queuedRun(seed);
    expect(findingsOf(await judge(run))).toEqual([]);
    const unscoped = run.rows.sales.map((sale) => ({ ...sale, scopeId: undefined }));
    expect((await judge(withRows(run, { sales: unscoped }))).verdict).toBe("invalid");
  }
});

test("negative control: a window that is too short, a line accepted after the sale, one settled long before it was accepted", async () => {
  const run = await queuedRun(3);
  const bad: readonly ((purchase: Purchase) => Partial<Purchase>)[] = [
    ({ payByMs, holdUntilMs }) => ({ payByMs: payByMs - 1, holdUntilMs: holdUntilMs - 1 }),
    () => ({ acceptedAtMs: run.rows.sales[0]?.endsAtMs ?? 0 }),
    ({ acceptedAtMs }) => ({ acceptedAtMs: acceptedAtMs + 100_000 }),
    ({ changedAtMs }) => ({ changedAtMs: changedAtMs - 1 }),
  ];
  for (const change of bad) expect((await judge(changed(run, change))).verdict).toBe("invalid");
});
