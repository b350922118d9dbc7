import { describe, expect, test } from "bun:test";
import { Reading } from "./reading.ts";

describe("[SF7] what changes while it is read", () => {
  test("is read once more, one reading at a time, however often it was asked for", async () => {
    const truth = { value: 1 };
    const read: number[] = [];
    const gates: (() => void)[] = [];
    const reading = new Reading(async () => {
      const { value } = truth;
      await new Promise<void>((resolve) => gates.push(resolve));
      read.push(value);
    });
    const all = [reading.ask()];
    truth.value = 2;
    all.push(reading.ask(), reading.ask());
    expect(gates).toHaveLength(1);
    gates.shift()?.();
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    expect(gates).toHaveLength(1);
    gates.shift()?.();
    await Promise.all(all);
    expect(read).toEqual([1, 2]);
  });

  test("a reading that fails is over, and the next begins anew", async () => {
    let reads = 0;
    const reading = new Reading(async () => {
      reads += 1;
      if (reads === 1) throw new Error("away");
    });
    expect(await reading.ask().catch(() => "failed")).toBe("failed");
    await reading.ask();
    expect(reads).toBe(2);
  });
});
