import { expect, test } from "bun:test";
import { ManualTime } from "../../../tests/kit/manual-time.ts";
import type { LoadReply } from "../../ports/load-client.ts";
import { Guard, guardAnswersMin, guardDefaults, guardWindowSeconds, keepWatch, notReadyMax } from "./guard.ts";
import { Halt } from "./halt.ts";

const reply = (status: number, latencyMs = 5): LoadReply => ({
  kind: "answer",
  status,
  body: "",
  replayed: false,
  requestId: undefined,
  latencyMs,
});
const lost = (cause: "dropped" | "timed_out" | "connection" | "fenced"): LoadReply => ({ kind: "lost", cause, latencyMs: 5 });

function heard(replies: readonly LoadReply[], everyMs = 1): string | undefined {
  const guard = new Guard(guardDefaults);
  for (const [i, one] of replies.entries()) guard.answered(i * everyMs, one);
  return guard.verdict();
}
const of = (count: number, one: LoadReply) => Array.from({ length: count }, () => one);

// oxfmt-ignore
const rows: [string, LoadReply[], RegExp | undefined][] = [
  ["all is well",                          of(200, reply(201)), undefined],
  ["refusals are answers like others",     of(200, reply(409)), undefined],
  ["5 % failures are at the limit",        [...of(190, reply(201)), ...of(10, reply(500))], undefined],
  ["more than 5 % failures",               [...of(189, reply(201)), ...of(11, reply(503))], /^11 of 200 requests .* \(5\.5 %, the limit is 5 %\)$/],
  ["lost connections are failures",        [...of(180, reply(201)), ...of(20, lost("connection"))], /20 of 200/],
  ["time-outs are failures",               [...of(180, reply(201)), ...of(20, lost("timed_out"))], /20 of 200/],
  ["walking away is our doing",            [...of(100, reply(201)), ...of(100, lost("dropped"))], undefined],
  ["one slow answer in a hundred",         [...of(199, reply(201)), ...of(2, reply(201, 9_000))], undefined],
  ["a slow p99",                           [...of(190, reply(201)), ...of(10, reply(201, 9_000))], /^p99 of 200 answers .* was 9\d{3} ms \(the limit is 2000 ms\)$/],
  ["too few answers to say",               of(guardAnswersMin - 1, reply(500)), undefined],
];
test.each(rows)("[J4] the guard: %s", (_, replies, problem) => {
  const found = heard(replies);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});

test("what is older than the window is forgotten", () => {
  const guard = new Guard(guardDefaults);
  for (const one of of(100, reply(500))) guard.answered(0, one);
  expect(guard.verdict()).toBeDefined();
  for (const one of of(100, reply(201))) guard.answered(guardWindowSeconds * 1000, one);
  expect(guard.verdict()).toBeUndefined();
});

test("readiness must fail several times in a row", () => {
  const guard = new Guard(guardDefaults);
  for (let i = 1; i < notReadyMax; i++) expect(guard.ready(false)).toBeUndefined();
  expect(guard.ready(true)).toBeUndefined();
  for (let i = 1; i < notReadyMax; i++) expect(guard.ready(false)).toBeUndefined();
  expect(guard.ready(false)).toBe("/readyz failed 3 times in a row");
});

async function watched(send: () => Promise<LoadReply>, realSales?: () => Promise<string | undefined>) {
  const time = new ManualTime(0);
  const halt = new Halt();
  let over = false;
  const watching = keepWatch({ tasks: time, halt, guard: new Guard(guardDefaults), load: { send }, realSales }, () => over);
  for (let second = 0; second < 20 && !halt.aborted; second++) await time.advance(1_000);
  over = true;
  await time.advance(5_000);
  await watching;
  return halt.reason;
}

test("a server that is not ready, or does not even say so, ends the run", async () => {
  expect(await watched(async () => reply(503))).toEqual({ by: "guard", text: "/readyz failed 3 times in a row" });
  expect(await watched(() => new Promise(() => {}))).toEqual({ by: "guard", text: "/readyz failed 3 times in a row" });
  expect(await watched(async () => reply(200))).toBeUndefined();
});

test("a real sale that begins ends the run", async () => {
  let looks = 0;
  const reason = await watched(
    async () => reply(200),
    async () => (++looks > 1 ? "the real sale 7 is live" : undefined),
  );
  expect(reason).toEqual({ by: "guard", text: "the real sale 7 is live" });
});
