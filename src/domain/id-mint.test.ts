import { expect, test } from "bun:test";
import fc from "fast-check";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { idFloorAt, IdMint, idEpochMs, idMintedAtMs } from "./id-mint.ts";
import { parsePurchaseId } from "./ids.ts";

const someMs = idEpochMs + 1_000_000;

function mintAt(clock: { nowMs: number }, floor?: string): IdMint {
  const entropy = new SeededEntropy(1);
  return new IdMint({ nowMs: () => clock.nowMs, random: () => entropy.random(), floor });
}

const isAscending = (ids: readonly string[]) => ids.every((id, i) => i === 0 || BigInt(id) > BigInt(ids[i - 1] ?? "0"));

test("[OR9] ids ascend while the clock stands, runs, and steps back", () => {
  const clock = { nowMs: someMs };
  const mint = mintAt(clock);
  const ids: string[] = [];
  for (const step of [0, 0, 0, 1, 5, -3, 0, -1_000, 2, 2_000, -86_400_000, 0]) {
    clock.nowMs += step;
    for (let i = 0; i < 50; i++) ids.push(mint.mint());
  }
  expect(isAscending(ids)).toBe(true);
  for (const id of ids) expect<string | undefined>(parsePurchaseId(id)).toBe(id);
});

test("[OR9] ids ascend when a millisecond's counter runs over", () => {
  const clock = { nowMs: someMs };
  const last = (BigInt(someMs - idEpochMs) << 22n) | BigInt(2 ** 22 - 2);
  const mint = mintAt(clock, last.toString());
  const ids = [last.toString(), mint.mint(), mint.mint(), mint.mint()];
  expect(isAscending(ids)).toBe(true);
  expect(idMintedAtMs(ids[1] ?? "0")).toBe(someMs);
  expect(idMintedAtMs(ids[2] ?? "0")).toBe(someMs + 1);
});

test("[OR9] a mint begins above the store's largest id, also when the clock is behind it", () => {
  const floor = mintAt({ nowMs: someMs + 60_000 }).mint();
  expect(BigInt(mintAt({ nowMs: someMs }, floor).mint())).toBeGreaterThan(BigInt(floor));
  expect(BigInt(mintAt({ nowMs: someMs + 120_000 }, floor).mint())).toBeGreaterThan(BigInt(floor));
});

test("[OR9] an id says when it was minted", () => {
  expect(idMintedAtMs(mintAt({ nowMs: someMs + 0.9 }).mint())).toBe(someMs);
});

test("[OR9] two mints of one millisecond begin at different points", () => {
  const entropies = [new SeededEntropy(1), new SeededEntropy(2)];
  const [one, two] = entropies.map((entropy) => new IdMint({ nowMs: () => someMs, random: () => entropy.random() }).mint());
  expect(one).not.toBe(two);
});

test("[OR9] a clock outside 2020 to 2089 mints nothing", () => {
  expect(() => mintAt({ nowMs: 0 }).mint()).toThrow("the clock is between 2020 and 2089");
  expect(() => mintAt({ nowMs: idEpochMs + 2 ** 41 }).mint()).toThrow("the clock is between 2020 and 2089");
});

test("[OR9] an id is its time and its counter side by side, in whatever digits they meet", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2_000, max: 2 ** 41 - 2 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (passedMs, random) => {
      const mint = new IdMint({ nowMs: () => idEpochMs + passedMs, random: () => random });
      const first = (BigInt(passedMs) << 22n) | BigInt(Math.floor(random * 2 ** 20));
      for (let i = 0n; i < 3n; i++) expect(mint.mint()).toBe((first + i).toString());
    }),
  );
});

test("[OR9] the floor of a time lies above all ids that were minted before it, and below those that come", () => {
  const clock = { nowMs: someMs };
  const before = mintAt(clock).mint();
  clock.nowMs += 1;
  const after = mintAt(clock).mint();
  const floor = BigInt(idFloorAt(clock.nowMs));
  expect([BigInt(before) < floor, floor <= BigInt(after), idFloorAt(0)]).toEqual([true, true, "0"]);
});
