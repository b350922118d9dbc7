import { expect, test } from "bun:test";
import { RecordCheck } from "./record-check.ts";
import type { ShopOperation, ShopReply } from "./shop-client.ts";

const terms = { stock: 1, perBuyerLimit: 1, payWindowMs: 60_000 };
const base: ShopReply = { kind: "ok", status: 201, code: 0, reason: "ok", data: {}, body: "", replayed: false, latencyMs: 1 };
const yes = (id: string, body = `body ${id}`): ShopReply => ({ ...base, data: { id }, body });
const no: ShopReply = { ...base, kind: "no", status: 409, reason: "sold_out" };
const unknown: ShopReply = { ...base, kind: "unknown", status: undefined, reason: "connection" };

function rig() {
  const time = { ms: 0 };
  let number = 0;
  const check = new RecordCheck({ asked: () => ++number, answered: () => {} }, () => time.ms);
  const does = (operation: ShopOperation, reply: ShopReply, tookMs = 1) => {
    const asked = check.asked(operation);
    time.ms += tookMs;
    check.answered(asked, operation, reply);
  };
  const buys = (buyer: string, key: string, reply: ShopReply) => does({ kind: "purchase", saleId: "5", buyer, key, quantity: 1 }, reply);
  const cancels = (orderId: string, buyer: string, reply = base) => does({ kind: "cancel", orderId, buyer }, reply);
  const reads = (orderId: string, buyer: string, reply = base) => does({ kind: "get", orderId, buyer }, reply);
  const looks = (stock: Record<string, number>) => does({ kind: "stock", saleId: "5" }, { ...base, data: { stock } });
  return { check, time, buys, cancels, reads, looks };
}
type Rig = ReturnType<typeof rig>;
const stock = { issued: 1, available: 0, held: 1, sold: 0, withdrawn: 0 };

// oxfmt-ignore
const good: [string, (rig: Rig) => void, number | undefined][] = [
  ["one unit, one yes, refusals",       ({ buys, reads, looks }) => { buys("a", "k", yes("1")); buys("b", "k", no); reads("1", "a"); looks(stock); }, 1],
  ["a repeat with the same body",       ({ buys }) => { buys("a", "k", unknown); buys("a", "k", yes("1")); buys("a", "k", yes("1")); }, 1],
  ["a unit that was given back",        ({ buys, cancels }) => { buys("a", "k", yes("1")); cancels("1", "a"); buys("b", "k", yes("2")); }, 2],
  ["a cancellation without an answer",  ({ buys, cancels }) => { buys("a", "k", yes("1")); cancels("1", "a", unknown); buys("b", "k", yes("2")); }, 2],
  ["a unit whose time to pay is over",  ({ buys, time }) => { buys("a", "k", yes("1")); time.ms += 60_000; buys("b", "k", yes("2")); }, 2],
  ["a time to pay that ran since a lost answer", ({ buys, time }) => { buys("a", "k", unknown); time.ms += 60_000; buys("a", "k", yes("1")); buys("b", "k", yes("2")); }, 2],
  ["an unknown that may be a row",      ({ buys }) => { buys("a", "k", unknown); }, 1],
  ["units that the closing frees",      ({ buys, check }) => { buys("a", "k", yes("1")); check.closing(); buys("b", "k", yes("2")); }, 2],
];
test.each(good)("[J4, C6] %s: valid", (_, act, rows) => {
  const one = rig();
  act(one);
  expect(one.check.verdict(terms, rows).problems).toEqual([]);
});

// oxfmt-ignore
const planted: [string, string, (rig: Rig) => void, number | undefined][] = [
  ["an oversold unit",                "I1", ({ buys }) => { buys("a", "k", yes("1")); buys("b", "k", yes("2")); }, undefined],
  ["a stock that does not add up",    "C1", ({ looks }) => looks({ ...stock, available: 1 }), undefined],
  ["a balance below zero",            "C1", ({ looks }) => looks({ ...stock, available: -1, held: 2 }), undefined],
  ["an order that is gone",           "C2", ({ buys, reads }) => { buys("a", "k", yes("1")); reads("1", "a", { ...no, status: 404 }); }, undefined],
  ["an accepted row that is missing", "C2", ({ buys }) => buys("a", "k", yes("1")), 0],
  ["somebody else's purchase",        "C4", ({ buys }) => buys("a", "k", yes("1")), 2],
  ["a buyer over the limit",          "C5", ({ buys }) => { buys("a", "k", yes("1")); buys("a", "l", yes("2")); }, undefined],
  ["two purchases of one key",        "C6", ({ buys, cancels }) => { buys("a", "k", yes("1")); cancels("1", "a"); buys("a", "k", yes("2")); }, undefined],
  ["one purchase for two keys",       "C6", ({ buys }) => { buys("a", "k", yes("1")); buys("b", "l", yes("1")); }, undefined],
  ["two bodies of one key",           "C6", ({ buys }) => { buys("a", "k", yes("1", "x")); buys("a", "k", yes("1", "y")); }, undefined],
];
test.each(planted)("negative control: %s is found by %s", (_, id, act, rows) => {
  const one = rig();
  act(one);
  const { verdict, problems, checks } = one.check.verdict({ ...terms, stock: id === "C5" ? 5 : 1 }, rows);
  expect(verdict).toBe("invalid");
  expect(problems.every((problem) => problem.startsWith(`${id}: `))).toBe(true);
  expect(checks.filter((check) => check.verdict === "invalid").map((check) => check.id)).toEqual([id]);
});

test("nothing looked at is unknown, not good", () => {
  const { checks, verdict } = rig().check.verdict(terms, undefined);
  expect(verdict).toBe("valid");
  expect(new Set(checks.map((check) => check.verdict))).toEqual(new Set(["unknown"]));
});
