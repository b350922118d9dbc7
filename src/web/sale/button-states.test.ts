import { describe, expect, test } from "bun:test";
import { purchaseStates } from "../../http/contract/answers.ts";
import { saleStatuses } from "../../domain/sale.ts";
import { buttonOf, buttonRows, orderOf, type ButtonState } from "./button-states.ts";
import { nextEdgeMs, phaseOf, unitsOf, withPurchase, type OwnPurchase, type SaleFacts } from "./facts.ts";

const startMs = Date.UTC(2030, 0, 1, 12);
const endMs = startMs + 3_600_000;
const own = (state: OwnPurchase["state"], quantity = 1): OwnPurchase => ({
  id: `1${state.length}`,
  state,
  quantity,
  pay_by: "2030-01-01T12:15:00.000Z",
  hold_until: "2030-01-01T12:15:00.000Z",
  changed_at: "2030-01-01T12:00:00.000Z",
});
type Change = Partial<Omit<SaleFacts, "sale">> & { readonly sale?: Partial<SaleFacts["sale"]> };
const facts = ({ sale, ...change }: Change = {}): SaleFacts => ({
  nowMs: startMs + 1,
  who: "account",
  own: [],
  limit: 1,
  asking: false,
  waitUntilMs: undefined,
  ...change,
  sale: { status: "live", startsAtMs: startMs, endsAtMs: endMs, issued: 10, available: 4, held: 3, sold: 3, ...sale },
});
const none = { available: 0, held: 0, sold: 10 };

// oxfmt-ignore
const cases: readonly (readonly [what: string, change: Change, state: ButtonState])[] = [
  ["a click without an answer",                     { asking: true },                                          "UNKNOWN"],
  ["the same, whatever else is known",              { asking: true, own: [own("reserved")], sale: { status: "cancelled" } }, "UNKNOWN"],
  ["accepted, no order yet",                        { own: [own("queued")] },                                  "PROCESSING"],
  ["accepted, put aside",                           { own: [own("stuck")] },                                   "PROCESSING"],
  ["an unpaid order",                               { own: [own("reserved")] },                                "HELD"],
  ["an unpaid order of a sale that is over",        { own: [own("reserved")], sale: { status: "ended" } },     "HELD"],
  ["an unpaid order beside a paid one",             { own: [own("paid"), own("reserved")], limit: 2 },         "HELD"],
  ["paid, up to the limit",                         { own: [own("paid")] },                                    "BOUGHT"],
  ["paid, of a cancelled sale",                     { own: [own("paid")], sale: { status: "cancelled" } },     "BOUGHT"],
  ["paid, and there may be more",                   { own: [own("paid")], limit: 2 },                          "ON_SALE"],
  ["given back",                                    { own: [own("cancelled")] },                               "ON_SALE"],
  ["not paid in time",                              { own: [own("expired")] },                                 "ON_SALE"],
  ["refused after all",                             { own: [own("refused")] },                                 "ON_SALE"],
  ["cancelled by the shop",                         { sale: { status: "cancelled" } },                         "CANCELLED_SALE"],
  ["over, by the server's word",                    { sale: { status: "ended" } },                             "ENDED"],
  ["over, by the clock, before the word comes",     { nowMs: endMs },                                          "ENDED"],
  ["a moment before the end",                       { nowMs: endMs - 1 },                                      "ON_SALE"],
  ["paused",                                        { sale: { status: "paused" } },                            "PAUSED"],
  ["paused, and nobody is signed in",               { sale: { status: "paused" }, who: "nobody" },             "PAUSED"],
  ["before the start",                              { nowMs: startMs - 1, sale: { status: "scheduled" } },     "BEFORE"],
  ["before the start, though the word is live",     { nowMs: startMs - 1 },                                    "BEFORE"],
  ["the start, before the word comes",              { nowMs: startMs, sale: { status: "scheduled" } },         "ON_SALE"],
  ["no time yet, not started by the word",          { nowMs: undefined, sale: { status: "scheduled" } },       "BEFORE"],
  ["no time yet, live by the word",                 { nowMs: undefined },                                      "ON_SALE"],
  ["nobody is signed in",                           { who: "nobody" },                                         "SIGN_IN"],
  ["nobody is signed in, sold out",                 { who: "nobody", sale: none },                             "SIGN_IN"],
  ["a banned account",                              { who: "banned" },                                         "BLOCKED"],
  ["asked to wait",                                 { waitUntilMs: startMs + 900 },                            "LIMITED"],
  ["the wait is over",                              { waitUntilMs: startMs + 1 },                              "ON_SALE"],
  ["the limit reached by purchases of two kinds",   { own: [own("paid"), own("paid")], limit: 2 },             "BOUGHT"],
  ["a limit that the server taught",                { limit: 0 },                                              "QUOTA_REACHED"],
  ["units to be had",                               {},                                                        "ON_SALE"],
  ["who looks is not known yet",                    { who: "unknown" },                                        "ON_SALE"],
  ["all taken, some unpaid",                        { sale: { available: 0, held: 2 } },                       "OUT_HELD"],
  ["all sold",                                      { sale: none },                                            "SOLD_OUT"],
];

describe("[SF3] the buy button", () => {
  test.each([...cases])("%s", (_, change, state) => expect(buttonOf(facts(change)).state).toBe(state));

  test("every state is reached by a case", () => {
    const reached = new Set(cases.map(([, , state]) => state));
    expect([...reached].toSorted()).toEqual([...buttonRows.map(({ state }) => state), "SOLD_OUT" as const].toSorted());
  });

  test("over everything that can be known: one state, buying only where units are and a sale is on, and nothing hides what is the buyer's", () => {
    const whos = ["unknown", "nobody", "account", "banned"] as const;
    const owns = [[], ...purchaseStates.map((state) => [own(state)])];
    const times = [undefined, startMs - 1, startMs, endMs - 1, endMs];
    let seen = 0;
    for (const status of saleStatuses)
      for (const who of whos)
        for (const mine of owns)
          for (const nowMs of times)
            for (const asking of [true, false])
              for (const waitUntilMs of [undefined, endMs + 1])
                for (const limit of [0, 1, 2])
                  for (const [available, held] of [
                    [1, 1],
                    [0, 1],
                    [0, 0],
                  ] as const) {
                    const given = facts({ who, own: mine, nowMs, asking, waitUntilMs, limit, sale: { status, available, held } });
                    const row = buttonOf(given);
                    seen += 1;
                    if (asking) expect(row.state).toBe("UNKNOWN");
                    else if (mine[0]?.state === "reserved") expect(row.state).toBe("HELD");
                    if (row.act === "buy") {
                      expect([asking, available > 0, phaseOf(given)]).toEqual([false, true, "live"]);
                      expect(unitsOf(mine)).toBeLessThan(limit);
                      expect(nowMs === undefined || nowMs >= startMs).toBe(true);
                    }
                    if (row.act === "order") expect(orderOf(given)).toBeDefined();
                  }
    expect(seen).toBe(saleStatuses.length * 4 * owns.length * 5 * 2 * 2 * 3 * 3);
  });

  test("the control: a table in another order shows a buyer that the sale is over, and hides the order", () => {
    const given = facts({ own: [own("reserved")], sale: { status: "ended" } });
    const wrong = buttonRows.toSorted((a, b) => Number(b.state === "ENDED") - Number(a.state === "ENDED"));
    expect(wrong.find((row) => row.applies(given))?.state).toBe("ENDED");
  });
});

describe("[SF3] a sale page's facts", () => {
  test("the next edge is what the clock changes next", () => {
    expect(nextEdgeMs(facts({ nowMs: startMs - 5 }))).toBe(startMs);
    expect(nextEdgeMs(facts({ nowMs: startMs }))).toBe(endMs);
    expect(nextEdgeMs(facts({ nowMs: startMs + 1, waitUntilMs: startMs + 2_000 }))).toBe(startMs + 2_000);
    expect(nextEdgeMs(facts({ nowMs: endMs }))).toBeUndefined();
  });

  test("an older word of a purchase never replaces a newer one", () => {
    const newer = { ...own("paid"), id: "7", changed_at: "2030-01-01T12:00:05.000Z" };
    const older = { ...own("reserved"), id: "7", changed_at: "2030-01-01T12:00:00.000Z" };
    expect(withPurchase(withPurchase([], newer), older)).toEqual([newer]);
    expect(withPurchase(withPurchase([], older), newer)).toEqual([newer]);
    expect(withPurchase([newer], { ...older, id: "8" })).toHaveLength(2);
  });
});
