import { expect, test } from "bun:test";
import { Histogram } from "./histogram.ts";
import { secondsMax, Series } from "./series.ts";
import type { ShopReply } from "./shop-client.ts";
import { Tally } from "./tally.ts";

const reply = (parts: Partial<ShopReply>): ShopReply => ({
  kind: "ok",
  status: 201,
  code: 0,
  reason: "ok",
  data: {},
  body: "b",
  replayed: false,
  latencyMs: 5,
  ...parts,
});
const refused = (reason: string) => reply({ kind: "no", status: 409, reason });

test("[J4] seconds count from the opening; attempts stand where they were due, answers where they came", () => {
  const openingMs = 1_000_000;
  const series = new Series(openingMs);
  const tally = new Tally(series);
  const at = (dueMs: number, answeredMs = dueMs) => ({
    dueMs: openingMs + dueMs,
    sentMs: openingMs + dueMs,
    answeredMs: openingMs + answeredMs,
  });
  tally.polled(reply({ status: 200 }), openingMs - 1_500);
  tally.purchaseAnswered("early", refused("not_started"), at(-500));
  tally.purchaseAnswered("a", reply({ latencyMs: 1_300 }), at(900, 2_200));
  tally.purchaseAnswered("a", reply({ replayed: true }), at(2_300));
  tally.purchaseAnswered("b", refused("sold_out"), at(2_400));
  tally.purchaseAnswered("c", reply({ kind: "no", status: 503, reason: "busy" }), at(2_500));
  tally.purchaseAnswered("d", reply({ kind: "unknown", status: undefined, reason: "connection" }), at(2_600));
  tally.notSent(openingMs + 2_700);
  const data = series.data();
  expect(data.map(({ second }) => second)).toEqual([-2, -1, 0, 1, 2]);
  expect(data[0]).toMatchObject({ polls: 1, attempts: 0 });
  expect(data[1]).toMatchObject({ attempts: 1, refused: { not_started: 1 } });
  expect(data[2]).toMatchObject({ attempts: 1, accepted: 0 });
  expect(Histogram.of(data[2]?.latency ?? {})?.at(1)).toBe(1_300);
  expect(data[3]).toEqual({
    second: 1,
    attempts: 0,
    accepted: 0,
    replayed: 0,
    refused: {},
    not_tried: {},
    errors: {},
    not_sent: 0,
    polls: 0,
  });
  expect(data[4]).toMatchObject({
    attempts: 5,
    accepted: 1,
    replayed: 1,
    refused: { sold_out: 1 },
    not_tried: { busy: 1 },
    errors: { connection: 1 },
    not_sent: 1,
  });
});

test("who walks away on purpose is an attempt, but no latency", () => {
  const series = new Series(0);
  new Tally(series).purchaseAnswered("k", reply({ kind: "unknown", status: undefined, reason: "dropped" }), {
    dueMs: 0,
    sentMs: 0,
    answeredMs: 3,
  });
  expect(series.data()[0]).toMatchObject({ attempts: 1, errors: { dropped: 1 } });
  expect(series.data()[0]?.latency).toBeUndefined();
});

test("a run beyond the longest kept is cut, not grown", () => {
  const series = new Series(0);
  expect(series.at(secondsMax * 1000 + 999)).toBeDefined();
  expect(series.at((secondsMax + 1) * 1000)).toBeUndefined();
});
