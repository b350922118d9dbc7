import { describe, expect, test } from "bun:test";
import { TimeKeeper } from "./time-keeper.ts";

const startMs = 1_900_000_000_000;

/** A server whose answers take so long, a third of that on the way there. */
function keeperAt(random = 0.5) {
  const world = { monotonicMs: 0, tripMs: 300, asked: 0 };
  const call = () => {
    world.asked += 1;
    const data = { server_time_ms: startMs + Math.floor(world.monotonicMs + world.tripMs / 3) };
    world.monotonicMs += world.tripMs;
    return Promise.resolve({ kind: "done", status: 200, data } as const);
  };
  const keeper = new TimeKeeper(call as never, () => {}, { monotonicMs: () => world.monotonicMs, random: () => random });
  return { world, keeper };
}

describe("[SF5] before an instant that matters", () => {
  test("a page that knows the time badly asks again when it is near, and not before", async () => {
    const { world, keeper } = keeperAt();
    await keeper.ask();
    expect([world.asked, keeper.clock.boundMs]).toEqual([3, 150.5]);
    const atMs = startMs + 60_000;
    keeper.near(atMs);
    expect(world.asked).toBe(3);
    Object.assign(world, { monotonicMs: 39_000, tripMs: 12 });
    keeper.near(atMs);
    await keeper.ask();
    expect([world.asked, keeper.clock.boundMs]).toEqual([4, 6.5]);
    world.monotonicMs = 59_000;
    keeper.near(atMs);
    expect(world.asked).toBe(4);
  });

  test("asks three times apart at most, however little that helps, and again before another instant", async () => {
    const { world, keeper } = keeperAt();
    await keeper.ask();
    const askedBy = async (monotonicMs: number, atMs = startMs + 60_000) => {
      world.monotonicMs = monotonicMs;
      keeper.near(atMs);
      await keeper.ask(0);
      return world.asked - 3;
    };
    const asked: number[] = [];
    for (const monotonicMs of [30_000, 40_000, 41_000, 48_000, 49_000, 54_000, 55_000, 56_000]) asked.push(await askedBy(monotonicMs));
    expect(asked).toEqual([0, 1, 1, 2, 2, 3, 3, 3]);
    expect(await askedBy(57_000, startMs + 61_000)).toBe(4);
  });

  test("a page that knows it well does not ask", async () => {
    const { world, keeper } = keeperAt();
    world.tripMs = 40;
    await keeper.ask();
    world.monotonicMs = 50_000;
    keeper.near(startMs + 60_000);
    expect(world.asked).toBe(3);
  });

  test("pages ask at moments of their own, and none when it is over", async () => {
    const asksAt = async (random: number, leftMs: number) => {
      const { world, keeper } = keeperAt(random);
      await keeper.ask();
      keeper.near((keeper.clock.nowMs() ?? 0) + leftMs);
      return world.asked > 3;
    };
    expect(await Promise.all([asksAt(0, 5_000), asksAt(0, 3_900), asksAt(1, 39_000), asksAt(1, -1)])).toEqual([false, true, true, false]);
  });
});
