import { describe, expect, test } from "bun:test";
import { announcementOf } from "./announcements.ts";
import type { SaleFacts } from "./facts.ts";

const startMs = Date.UTC(2030, 0, 1, 12);
const facts = (nowMs: number, change: Partial<SaleFacts["sale"]> = {}, more: Partial<SaleFacts> = {}): SaleFacts => ({
  nowMs,
  who: "account",
  own: [],
  limit: 1,
  asking: false,
  waitUntilMs: undefined,
  ...more,
  sale: { status: "live", startsAtMs: startMs, endsAtMs: startMs + 60_000, issued: 5, available: 5, held: 0, sold: 0, ...change },
});
const taken = { available: 0, held: 2 };
const held = { own: [{ id: "1", state: "reserved", quantity: 1, pay_by: null, hold_until: null, changed_at: "" }] } as const;

// oxfmt-ignore
const cases = [
  ["ten minutes",            facts(startMs - 600_001), facts(startMs - 599_999),       "say_10_minutes"],
  ["a minute",               facts(startMs - 60_500),  facts(startMs - 59_500),        "say_1_minute"],
  ["ten seconds",            facts(startMs - 10_500),  facts(startMs - 9_500),         "say_10_seconds"],
  ["a tick",                 facts(startMs - 9_500),   facts(startMs - 8_500),         undefined],
  ["a sleep over the minute", facts(startMs - 90_000), facts(startMs - 30_000),        undefined],
  ["the start",              facts(startMs - 1),       facts(startMs),                 "say_started"],
  ["all taken",              facts(startMs),           facts(startMs, taken),          "say_taken"],
  ["other numbers",          facts(startMs),           facts(startMs, { available: 4 }), undefined],
  ["a unit returns",         facts(startMs, taken),    facts(startMs, { available: 1 }), "say_returned"],
  ["got one",                facts(startMs),           facts(startMs, {}, held),       "say_got"],
  ["the end",                facts(startMs),           facts(startMs + 60_000),        "say_ended"],
  ["the end, holding one",   facts(startMs, {}, held), facts(startMs + 60_000, {}, held), undefined],
] as const;

describe("[SF10] a sale page says", () => {
  test.each([...cases])("%s", (_, before, after, key) => expect(announcementOf(before, after)).toBe(key as never));
});
