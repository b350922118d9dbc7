import { expect, test } from "bun:test";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { Halt } from "./halt.ts";
import { Gate, gateWaitMaxMs, openLoop } from "./open-loop.ts";
import { Series } from "./series.ts";
import type { ShopReply } from "./shop-client.ts";
import { Tally } from "./tally.ts";

const rig = () => {
  const time = new ManualTime(1_000_000);
  return { time, at: (ms: number) => 1_000_000 + ms };
};

test("[J4] nobody waits for anybody else's answer: all leave when they are due, in front of a shop that stalls", async () => {
  const { time, at } = rig();
  const left: number[] = [];
  const answers: (() => void)[] = [];
  const due = [0, 100, 100, 250].map(at);
  const running = openLoop({ clock: time, tasks: time }, { dueMs: due, halt: new Halt() }, async () => {
    left.push(time.nowMs());
    await new Promise<void>((resolve) => answers.push(resolve));
  });
  await time.advance(300);
  expect(left).toEqual(due);
  let ended = false;
  void running.then(() => (ended = true));
  for (const resolve of answers.slice(1)) resolve();
  await turns();
  expect(ended).toBe(false);
  answers[0]?.();
  await running;
});

test("the brake stops departures, not those who have left", async () => {
  const { time, at } = rig();
  const halt = new Halt();
  let left = 0;
  const running = openLoop({ clock: time, tasks: time }, { dueMs: [0, 10, 20_000].map(at), halt }, async () => void left++);
  await time.advance(50);
  halt.pull({ by: "operator", text: "enough" });
  await running;
  expect(left).toBe(2);
});

test("a visit that throws ends the crowd with its error", async () => {
  const { time, at } = rig();
  const running = openLoop({ clock: time, tasks: time }, { dueMs: [at(0)], halt: new Halt() }, () => Promise.reject(new Error("a bug")));
  await expect(running).rejects.toThrow("a bug");
});

test("the gate lets so many in, in order, and turns away whoever waited too long", async () => {
  const { time } = rig();
  const gate = new Gate(time, 1);
  const doors: (() => void)[] = [];
  const visit = () => gate.run(() => new Promise<string>((resolve) => doors.push(() => resolve("in"))));
  const first = visit();
  const second = visit();
  await turns();
  expect(doors.length).toBe(1);
  await time.advance(gateWaitMaxMs + 1);
  doors[0]?.();
  expect(await first).toBe("in");
  expect(await second).toBeUndefined();
  const third = visit();
  await turns();
  doors[1]?.();
  expect(await third).toBe("in");
});

const reply = (latencyMs: number, kind: ShopReply["kind"] = "ok", reason = "ok"): ShopReply => ({
  kind,
  status: kind === "ok" ? 201 : 409,
  code: 0,
  reason,
  data: {},
  body: "b",
  replayed: false,
  latencyMs,
});

test("[J4] a wait before sending is the buyer's: its latency runs from when it was due, and belongs to that second", () => {
  const tally = new Tally(new Series(10_000));
  tally.purchaseAnswered("k", reply(5), { dueMs: 10_100, sentMs: 12_100, answeredMs: 12_105 });
  expect(tally.latencies.accepted.at(1)).toBe(2_005);
  expect(tally.latencies.service.at(1)).toBe(5);
});
