import { expect, test } from "bun:test";
import { rehearsalDefaults } from "./plan.ts";
import { renderProgress, renderReport } from "./render.ts";
import { reportOf, type ReportParts } from "./report.ts";
import type { ShopReply } from "./shop-client.ts";
import type { StormResult } from "./storm.ts";
import { Tally } from "./tally.ts";
import { verdictOf } from "./verdict.ts";

const options = { ...rehearsalDefaults, buyers: 100, stock: 2, seed: 1 };
const check = { id: "I1", title: "no balance below zero", verdict: "valid", checked: 9, unit: "ledger rows", offTotal: 0, off: [] };
const valid = verdictOf({ verdict: "valid", checks: [check] });
const yes = (body: string, replayed = false): ShopReply => ({
  kind: "ok",
  status: 201,
  code: 0,
  reason: "ok",
  data: {},
  body,
  replayed,
  latencyMs: 3,
});
const no = (reason: string, status = 409): ShopReply => ({ ...yes(""), kind: "no", status, reason });

function stormOf(change: (tally: Tally) => void = () => {}, states: readonly string[] = ["paid", "paid", "expired"]): StormResult {
  const tally = new Tally();
  tally.stock.push({ atMs: 0, available: 2, held: 0, sold: 0 }, { atMs: 250, available: 0, held: 0, sold: 2 });
  change(tally);
  return {
    tally,
    finalOrders: states.map((state) => ({ state, refunds: [] })),
    seconds: [],
    stormMs: 500,
    elapsedMs: 900,
    cameToRest: true,
  };
}
const client = { version: "1", runtime: "bun", platform: "linux", cpu: "a cpu", cores: 2, memory_bytes: 1 };
const place = { target: { kind: "own_server" }, environment: { client, server: {} }, beganAt: "2030-01-01T00:00:00.000Z" } as const;
const verdictWith = (parts: Partial<ReportParts>) => reportOf({ options, result: stormOf(), verify: valid, ...place, ...parts });

test("a rehearsal in which every promise held is valid, and its page says so", () => {
  const report = verdictWith({});
  expect([report.verdict, report.problems]).toEqual(["valid", []]);
  expect(renderReport(report)).toContain("PASSED");
});

const planted: [string, Partial<ReportParts>, RegExp][] = [
  ["oversold", { result: stormOf(undefined, ["paid", "paid", "paid"]) }, /oversold: 3 orders hold a unit of 2/],
  ["stock that its orders deny", { result: stormOf(undefined, ["paid"]) }, /2 units sold, its orders say 1/],
  [
    "two bodies of one key",
    { result: stormOf((tally) => (tally.purchaseAnswered("k", yes("a")), tally.purchaseAnswered("k", yes("b", true)))) },
    /two different bodies/,
  ],
  [
    "a failure of the server",
    { result: stormOf((tally) => tally.purchaseAnswered("k", { ...yes(""), kind: "unknown", status: 500 })) },
    /failed with 500/,
  ],
  ["no rest", { result: { ...stormOf(), cameToRest: false } }, /still open/],
  [
    "a check that is invalid",
    {
      verify: verdictOf({
        verdict: "invalid",
        checks: [{ ...check, verdict: "invalid", offTotal: 2, off: [{ row: "sale 1", problem: "is off" }] }],
      }),
    },
    /I1: sale 1: is off/,
  ],
  [
    "a row that is off under a verdict that says valid",
    { verify: verdictOf({ verdict: "valid", checks: [{ ...check, offTotal: 1, off: [] }] }) },
    /I1: 1 more/,
  ],
  [
    "a record that is invalid",
    {
      record: {
        verdict: "invalid",
        checks: [{ id: "C6", verdict: "invalid", text: "one key" }],
        problems: ["C6: key k has two purchases"],
      },
    },
    /C6: key k has two purchases/,
  ],
  ["a request that the fence held back", { halted: { by: "fence", text: "POST /api/v1/sales/1/purchases" } }, /left its own sale/],
  ["a verdict that cannot be read", { verify: verdictOf("fine") }, /cannot be read/],
  ["a verdict without checks", { verify: verdictOf({ verdict: "valid", checks: [] }) }, /cannot be read/],
];
test.each(planted)("negative control: %s makes the rehearsal fail", (_, parts, problem) => {
  const report = verdictWith(parts);
  expect(report.verdict).toBe("invalid");
  expect(report.problems.join("\n")).toMatch(problem);
  expect(renderReport(report)).toContain("FAILED");
});

test("a run that was stopped is neither passed nor failed", () => {
  const report = verdictWith({ halted: { by: "guard", text: "/readyz failed 3 times in a row" } });
  expect([report.verdict, report.problems]).toEqual(["aborted", []]);
  expect(renderReport(report)).toContain("ABORTED by guard: /readyz failed 3 times in a row");
});

test("names of the shop move no cursor and break no line of the page", () => {
  const name = "lamp\u001B[2J\r\nPASSED";
  const target = {
    kind: "deployment",
    url: "http://127.0.0.1:1",
    sale_id: "1",
    product_id: "2",
    name,
    payments: "none",
    limits: { error_share_max: 0.05, p99_max_ms: 2_000 },
  } as const;
  const page = renderReport(verdictWith({ target: { ...target, like: { id: "3", name } } }));
  expect(page).not.toContain("\u001B");
  expect(page.split("\n")).not.toContain('PASSED"');
});

test("refusals, what was not tried and lost answers are counted apart", () => {
  const result = stormOf((tally) => {
    tally.purchaseAnswered("a", no("sold_out"));
    tally.purchaseAnswered("b", no("sold_out"));
    tally.purchaseAnswered("c", no("busy", 503));
    tally.purchaseAnswered("d", { ...no("dropped"), kind: "unknown", status: undefined });
  });
  const report = verdictWith({ result });
  expect(report).toMatchObject({
    refused: { sold_out: 2 },
    not_tried: { busy: 1 },
    answers_lost: { dropped: 1 },
    statuses: { 409: 2, 503: 1 },
  });
  expect(report.latency_ms.refused?.count).toBe(2);
});

test("progress is one line", () => {
  const line = renderProgress(
    { phase: "storm", elapsedMs: 1_234, buyersAnswered: 50, accepted: 2, refused: 48, available: 0, held: 1, sold: 1 },
    options,
  );
  expect(line).toContain("50 buyers · 2 yes · 48 no");
  expect(line).not.toContain("\n");
});
