import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SignInLimits, signInWindowMs, type SignInTry } from "./sign-in-limits.ts";

const ann = { name: "ann", address: "203.0.113.1" };

test("[AC5] five tries a minute for a name, whatever addresses they come from", () => {
  const limits = new SignInLimits();
  for (let i = 0; i < 5; i++) expect(limits.enter({ name: "ann", address: `a${i}`, nowMs: i * 1000 }).kind).toBe("go");
  expect(limits.enter({ name: "ann", address: "a9", nowMs: 5000 })).toEqual({ kind: "limited", retryAfterMs: 55_000 });
  // The refused one does not count.
  expect(limits.enter({ name: "ann", address: "a9", nowMs: 59_999 })).toEqual({ kind: "limited", retryAfterMs: 1 });
  expect(limits.enter({ name: "ann", address: "a9", nowMs: 60_000 }).kind).toBe("go");
  expect(limits.enter({ name: "ann", address: "a9", nowMs: 60_001 })).toEqual({ kind: "limited", retryAfterMs: 999 });
});

test("[AC5] twenty tries a minute from an address, whatever names they are for; signing up counts there, too", () => {
  const limits = new SignInLimits();
  for (let i = 0; i < 19; i++) expect(limits.enter({ name: `n${i}`, address: "a", nowMs: 0 }).kind).toBe("go");
  expect(limits.enterByAddress({ address: "a", nowMs: 0 }).kind).toBe("go");
  expect(limits.enter({ name: "other", address: "a", nowMs: 1 })).toEqual({ kind: "limited", retryAfterMs: 59_999 });
  expect(limits.enterByAddress({ address: "a", nowMs: 1 })).toEqual({ kind: "limited", retryAfterMs: 59_999 });
  expect(limits.enter({ name: "other", address: "b", nowMs: 1 }).kind).toBe("go");
});

test("[AC5] what was right gives its try back to the name, not to the address", () => {
  const limits = new SignInLimits();
  for (let i = 0; i < 20; i++) {
    expect(limits.enter({ ...ann, nowMs: i }).kind).toBe("go");
    limits.forgive({ ...ann, nowMs: i });
  }
  expect(limits.enter({ ...ann, nowMs: 20 }).kind).toBe("limited");
  expect(limits.enter({ name: "ann", address: "b", nowMs: 20 }).kind).toBe("go");
});

describe("[AC5] where a name has signed in", () => {
  const home = ann;
  const away = { name: "ann", address: "198.51.100.7" };
  const wrong = (limits: SignInLimits, tried: typeof ann, nowMs: number) =>
    Array.from({ length: 6 }, () => limits.enter({ ...tried, nowMs }).kind).filter((kind) => kind === "go").length;

  test("others' wrong tries lock nobody out, and its own are five a minute there", () => {
    const limits = new SignInLimits();
    limits.enter({ ...home, nowMs: 0 });
    limits.proven({ ...home, nowMs: 0 });
    expect(wrong(limits, away, 1)).toBe(5);
    expect(limits.enter({ ...away, address: "192.0.2.9", nowMs: 2 }).kind).toBe("limited");
    expect(wrong(limits, home, 3)).toBe(5);
    expect(limits.enter({ ...home, nowMs: 60_002 }).kind).toBe("limited");
    expect(limits.enter({ ...home, nowMs: 60_003 }).kind).toBe("go");
  });

  test("is told by who was right there, for that name alone, and nobody else's text makes it so", () => {
    const limits = new SignInLimits();
    limits.proven({ ...home, nowMs: 0 });
    expect(wrong(limits, { name: `${home.address} ann`, address: "198.51.100.8" }, 1)).toBe(5);
    expect(wrong(limits, { name: "bob", address: home.address }, 1)).toBe(5);
    expect(limits.enter({ name: "bob", address: "192.0.2.9", nowMs: 2 }).kind).toBe("limited");
    expect(wrong(limits, home, 3)).toBe(5);
  });

  test("are the last three addresses, of so many names as are counted", () => {
    const limits = new SignInLimits({ perAccount: 1, perAddress: 100, countedMax: 6 });
    for (const address of ["a", "b", "c", "d"]) limits.proven({ name: "ann", address, nowMs: 0 });
    expect(limits.enter({ name: "ann", address: "x", nowMs: 1 }).kind).toBe("go");
    expect(["a", "b", "c", "d"].map((address) => limits.enter({ name: "ann", address, nowMs: 2 }).kind)).toEqual([
      "limited",
      "go",
      "go",
      "go",
    ]);
    for (const name of "bcdefg") limits.proven({ name, address: "a", nowMs: 3 });
    expect(limits.enter({ name: "ann", address: "d", nowMs: 60_001 }).kind).toBe("go");
    expect(limits.enter({ name: "ann", address: "c", nowMs: 60_001 }).kind).toBe("limited");
  });

  test("a right try that began before the address was known is given back, too", () => {
    const limits = new SignInLimits({ perAccount: 2, perAddress: 100 });
    limits.enter({ ...home, nowMs: 0 });
    limits.enter({ ...home, nowMs: 1 });
    limits.proven({ ...home, nowMs: 0 });
    limits.proven({ ...home, nowMs: 1 });
    expect(wrong(limits, away, 2)).toBe(2);
  });
});

test("[AC5] without room to count nobody new is let in, and those who are counted go on", () => {
  const limits = new SignInLimits({ perAccount: 2, perAddress: 100, countedMax: 3 });
  for (let i = 0; i < 3; i++) expect(limits.enter({ name: `n${i}`, address: "a", nowMs: i }).kind).toBe("go");
  expect(limits.enter({ name: "new", address: "a", nowMs: 10 })).toEqual({ kind: "limited", retryAfterMs: signInWindowMs });
  expect(limits.enter({ name: "n2", address: "a", nowMs: 10 }).kind).toBe("go");
  expect(limits.enter({ name: "new", address: "a", nowMs: 60_000 }).kind).toBe("go");
});

/** The most tries that were let in for one key within any minute. */
function densest(goes: readonly SignInTry[], keyOf: (tried: SignInTry) => string): number {
  let most = 0;
  for (const { nowMs, ...first } of goes)
    most = Math.max(
      most,
      goes.filter((go) => keyOf(go) === keyOf({ ...first, nowMs }) && go.nowMs >= nowMs && go.nowMs < nowMs + signInWindowMs).length,
    );
  return most;
}

describe("on a clock that only the test moves", () => {
  const steps = fc.array(fc.record({ name: fc.nat(3), address: fc.nat(2), afterMs: fc.oneof(fc.nat(2000), fc.nat(70_000)) }), {
    minLength: 20,
    maxLength: 120,
  });
  const run = (limits: Pick<SignInLimits, "enter">, asked: { name: number; address: number; afterMs: number }[]) => {
    let nowMs = 1_000_000;
    const goes: SignInTry[] = [];
    const refused: (SignInTry & { retryAfterMs: number })[] = [];
    for (const { name, address, afterMs } of asked) {
      nowMs += afterMs;
      const tried = { name: `n${name}`, address: `a${address}`, nowMs };
      const answer = limits.enter(tried);
      if (answer.kind === "go") goes.push(tried);
      else refused.push({ ...tried, retryAfterMs: answer.retryAfterMs });
    }
    return { goes, refused };
  };
  const holds = (limits: Pick<SignInLimits, "enter">, asked: Parameters<typeof run>[1]): boolean => {
    const { goes, refused } = run(limits, asked);
    // Nobody is refused below both limits, and the wait that is told is the one that is needed.
    const due = refused.every(({ name, address, nowMs, retryAfterMs }) => {
      const within = (go: SignInTry, atMs: number) => go.nowMs <= nowMs && go.nowMs + signInWindowMs > atMs;
      const countAt = (atMs: number) => [
        goes.filter((go) => go.name === name && within(go, atMs)).length,
        goes.filter((go) => go.address === address && within(go, atMs)).length,
      ];
      const [names = 0, addresses = 0] = countAt(nowMs);
      const [namesThen = 0, addressesThen = 0] = countAt(nowMs + retryAfterMs);
      return (names >= 5 || addresses >= 20) && namesThen < 5 && addressesThen < 20;
    });
    return due && densest(goes, (go) => go.name) <= 5 && densest(goes, (go) => go.address) <= 20;
  };

  test("[AC5] no minute has more tries than allowed, and none is refused that would be allowed", () =>
    fc.assert(
      fc.property(steps, (asked) => holds(new SignInLimits(), asked)),
      { numRuns: 500 },
    ));

  test("[AC5] control: a limiter that counts by fixed minutes is found out", () => {
    const fixed = { minute: -1, counts: new Map<string, number>() };
    const byMinute: Pick<SignInLimits, "enter"> = {
      enter({ name, nowMs }) {
        const minute = Math.floor(nowMs / signInWindowMs);
        if (minute !== fixed.minute) fixed.counts.clear();
        fixed.minute = minute;
        const count = (fixed.counts.get(name) ?? 0) + 1;
        fixed.counts.set(name, count);
        return count <= 5 ? { kind: "go" } : { kind: "limited", retryAfterMs: signInWindowMs - (nowMs % signInWindowMs) };
      },
    };
    expect(
      fc.check(
        fc.property(steps, (asked) => holds(byMinute, asked)),
        { numRuns: 500 },
      ).failed,
    ).toBe(true);
  });
});
