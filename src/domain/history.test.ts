import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatHistoryEvent, parseHistoryEvent, type HistoryEvent } from "./history.ts";

const text = fc.string({ minLength: 1, maxLength: 40 });
const count = fc.nat();
const base = { i: count, t: fc.double({ min: 0, max: 1e12, noNaN: true, noDefaultInfinity: true }), proc: text, attempt: text, user: text };
const event: fc.Arbitrary<HistoryEvent> = fc.oneof(
  fc.record({ ...base, f: fc.constant("purchase" as const), type: fc.constant("invoke" as const), event: text, key: text, qty: count }),
  fc.record({
    ...base,
    f: fc.constant("purchase" as const),
    type: fc.constant("ok" as const),
    event: text,
    qty: count,
    id: text,
    code: count,
    bodyHash: text,
  }),
  fc.record({
    ...base,
    f: fc.constant("get" as const),
    type: fc.constant("ok" as const),
    id: text,
    code: count,
    state: fc.constant("paid" as const),
  }),
  fc.record({ ...base, f: fc.constant("cancel" as const), type: fc.constant("info" as const), id: text }),
);

test("every event reads back as it was written", () => {
  fc.assert(
    fc.property(event, (written) => {
      const line = formatHistoryEvent(written);
      expect(line).not.toContain("\n");
      const read = parseHistoryEvent(line);
      expect(read).toEqual({ ...written, t: written.t + 0 });
    }),
  );
});

describe("a line that is no event is refused with the field named", () => {
  const good = {
    i: 0,
    t: 1,
    proc: "p",
    attempt: "a",
    f: "purchase",
    type: "ok",
    user: "u",
    event: "1",
    qty: 1,
    id: "2",
    code: 0,
    body_hash: "h",
  };
  const without = (name: string) => JSON.stringify(Object.fromEntries(Object.entries(good).filter(([field]) => field !== name)));
  const having = (fields: object) => JSON.stringify({ ...good, ...fields });
  test.each([
    ["not JSON", "{", "one JSON object"],
    ["no object", "[1]", "one JSON object"],
    ["null", "null", "one JSON object"],
    ["too long", having({ proc: "x".repeat(5_000) }), "4096"],
    ["an unknown field", having({ colour: 1 }), `"colour"`],
    ["a poisoned name", `{"__proto__":{},${JSON.stringify(good).slice(1)}`, `"__proto__"`],
    ["no i", without("i"), `"i"`],
    ["a negative i", having({ i: -1 }), `"i"`],
    ["a fractional qty", having({ qty: 1.5 }), `"qty"`],
    ["an endless t", having({ t: "1e999" }), `"t"`],
    ["an unknown f", having({ f: "sell" }), `"f"`],
    ["an unknown type", having({ type: "maybe" }), `"type"`],
    ["an unknown state", having({ f: "get", state: "lost" }), `"state"`],
    ["a yes without id", without("id"), `"id"`],
    ["a yes without body", without("body_hash"), `"body_hash"`],
    ["a yes without code", without("code"), `"code"`],
    ["a purchase of nobody", without("user"), `"user"`],
    ["a purchase in no sale", without("event"), `"event"`],
    ["a purchase of nothing", without("qty"), `"qty"`],
    ["a stock of four accounts", having({ f: "stock", stock: { issued: 1, available: 1, held: 0, sold: 0 } }), `"stock"`],
  ])("%s", (_what, line, named) => {
    const read = parseHistoryEvent(line);
    expect("problem" in read ? read.problem : "accepted").toContain(named);
  });
});
