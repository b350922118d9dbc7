import { expect, test } from "bun:test";
import { InvariantBroken } from "../lib/assert.ts";
import type { Fence, Leases } from "../ports/leases.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { runLoop } from "./loop.ts";

function rig(round: (nowMs: number) => Promise<boolean>) {
  const time = new ManualTime(1_000_000);
  const stop = new AbortController();
  const down: StoreUnavailable[] = [];
  const ended = runLoop({ tasks: time, signal: stop.signal, tickMs: 250, onUnavailable: (error) => down.push(error) }, () =>
    round(time.nowMs()),
  );
  return { time, stop, down, ended };
}

test("a worker does a round per tick, and stops in the middle of a pause", async () => {
  let rounds = 0;
  const { time, stop, ended } = rig(async () => (rounds++, false));
  await turns();
  for (let i = 0; i < 10; i++) await time.advance(250);
  expect(rounds).toBe(11);
  stop.abort();
  await ended;
  expect(rounds).toBe(11);
});

test("a worker goes on at once while there is more to do, and pauses all the same now and then", async () => {
  let rounds = 0;
  const { stop, ended } = rig(async () => (rounds++, true));
  await turns(10);
  expect(rounds).toBe(20);
  stop.abort();
  await ended;
});

test("a store that does not answer makes the pauses longer, up to two seconds", async () => {
  let isDown = true;
  const starts: number[] = [];
  const { time, stop, down, ended } = rig(async (nowMs) => {
    starts.push(nowMs);
    if (isDown) throw new StoreUnavailable("unavailable", "down, as planned");
    return false;
  });
  await turns();
  for (let i = 0; i < 60; i++) await time.advance(125);
  expect(starts.slice(1).map((at, i) => at - (starts[i] ?? 0))).toEqual([250, 500, 1_000, 2_000, 2_000]);
  expect(down.length).toBe(starts.length);
  isDown = false;
  for (let i = 0; i < 24; i++) await time.advance(125);
  expect((starts.at(-1) ?? 0) - (starts.at(-2) ?? 0)).toBe(250);
  stop.abort();
  await ended;
});

test("a broken invariant ends the worker", async () => {
  const { ended } = rig(async () => {
    throw new InvariantBroken("planted");
  });
  expect(ended).rejects.toThrow(InvariantBroken);
});

/** A table of leases that two processes share, each of which ends when its holder is silent for three seconds. */
function leaseTable(time: ManualTime) {
  let term = 0;
  let held: { by: string; untilMs: number } | undefined;
  const of = (by: string): Leases => ({
    hold: async (lease) => {
      const nowMs = time.nowMs();
      if (held !== undefined && held.by !== by && nowMs < held.untilMs) return undefined;
      if (held?.by !== by || nowMs >= held.untilMs) term += 1;
      held = { by, untilMs: nowMs + 3_000 };
      return { lease, term };
    },
    giveUp: async () => void (held = undefined),
  });
  return { of, isCurrent: (fence: Fence | undefined) => fence?.term === term };
}

test("[F9] work of one process at a time is done by who holds the lease, under its term; another takes over when it is gone", async () => {
  const time = new ManualTime(1_000_000);
  const table = leaseTable(time);
  const rounds: string[] = [];
  const start = (name: string) => {
    const stop = new AbortController();
    const lease = { leases: table.of(name), name: "sweeper" };
    const ended = runLoop({ tasks: time, signal: stop.signal, tickMs: 250, lease }, async (fence) => {
      rounds.push(`${name} ${fence?.term} ${table.isCurrent(fence)}`);
      return false;
    });
    return { stop, ended };
  };
  const one = start("one");
  await turns();
  const two = start("two");
  await turns();
  for (let i = 0; i < 8; i++) await time.advance(250);
  expect(new Set(rounds)).toEqual(new Set(["one 1 true"]));
  one.stop.abort();
  await one.ended;
  rounds.length = 0;
  for (let i = 0; i < 8; i++) await time.advance(250);
  expect(new Set(rounds)).toEqual(new Set(["two 2 true"]));
  two.stop.abort();
  await two.ended;
});

/** Two processes of which the first has a round that takes ten leases; who began one, and under which term. */
async function longRound({ renews }: { renews: boolean }) {
  const time = new ManualTime(1_000_000);
  const table = leaseTable(time);
  const begun: string[] = [];
  const current: boolean[] = [];
  const start = (name: string) => {
    const stop = new AbortController();
    const leases = table.of(name);
    let isRunning = false;
    // The planted bug: the lease is asked for before a round, and not while it runs.
    const hold: Leases["hold"] = async (lease) => (isRunning && !renews ? undefined : leases.hold(lease));
    const ended = runLoop(
      { tasks: time, signal: stop.signal, tickMs: 250, lease: { leases: { ...leases, hold }, name: "opener" } },
      async (fence) => {
        begun.push(`${name} ${fence?.term}`);
        isRunning = true;
        await time.sleep(10_000);
        current.push(table.isCurrent(fence));
        stop.abort();
        return false;
      },
    );
    return { stop, ended };
  };
  const one = start("one");
  await turns();
  const two = start("two");
  for (let i = 0; i < 39; i++) await time.advance(250);
  const seen = [...begun];
  two.stop.abort();
  for (let i = 0; i < 60; i++) await time.advance(250);
  await Promise.all([one.ended, two.ended]);
  return { seen, current };
}

test("[F9] a round that takes longer than the lease keeps it: nobody else begins the same work, and what it writes counts", async () => {
  expect(await longRound({ renews: true })).toEqual({ seen: ["one 1"], current: [true] });
});

test("[F9] control: a lease that is not renewed while a round runs goes to another process", async () => {
  const { seen, current } = await longRound({ renews: false });
  expect(seen).toEqual(["one 1", "two 2"]);
  expect(current).toContain(false);
});

test("a lease that cannot be renewed for want of the store harms nothing: the round goes on, and the next asks anew", async () => {
  const time = new ManualTime(1_000_000);
  const stop = new AbortController();
  let asked = 0;
  const hold = async (lease: string): Promise<Fence> => {
    if (asked++ === 1) throw new StoreUnavailable("unavailable", "down, as planned");
    return { lease, term: 1 };
  };
  let rounds = 0;
  const lease = { leases: { hold, giveUp: async () => undefined }, name: "opener" };
  const ended = runLoop({ tasks: time, signal: stop.signal, tickMs: 250, lease }, async () => {
    rounds += 1;
    await time.sleep(5_000, stop.signal);
    return false;
  });
  await turns();
  for (let i = 0; i < 24; i++) await time.advance(250);
  expect({ rounds, asked }).toEqual({ rounds: 2, asked: 6 });
  stop.abort();
  await ended;
});
