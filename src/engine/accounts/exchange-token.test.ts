import { expect, test } from "bun:test";
import { openAccountWorld } from "../../../tests/kit/account-world.ts";
import type { ForeignAnswer } from "../../ports/foreign-tokens.ts";
import { exchangeToken } from "./exchange-token.ts";

const exchange = (answer: ForeignAnswer) => {
  const { deps, time } = openAccountWorld();
  const shop = { merchant: "shop", tokens: { check: async () => answer } };
  return { deps, nowMs: time.nowMs(), answer: exchangeToken(deps, shop, "theirs") };
};
const restMs = (ms: number) => exchange({ kind: "holder", subject: "u-1", expiresAtMs: openAccountWorld().time.nowMs() + ms });

test("[AC17] ours names the same buyer as the shop's server key does, and lives no longer than theirs, nor than ten minutes", async () => {
  for (const [ms, lifetimeMs] of [
    [3_600_000, 600_000],
    [90_000, 90_000],
    [1_000, 1_000],
  ] as const) {
    const { deps, nowMs, answer } = restMs(ms);
    const granted = await answer;
    if (granted.kind !== "granted") throw new Error(granted.kind);
    expect(granted.expiresAtMs).toBe(nowMs + lifetimeMs);
    const [buyerId] = await deps.catalogue.internBuyers([{ issuer: "shop", subject: "u-1" }]);
    const holder = deps.tokens.check(granted.token, nowMs);
    expect(holder).toMatchObject({ buyer: { issuer: "shop", subject: "u-1" }, buyerId, expiresAtMs: nowMs + lifetimeMs });
    expect(holder?.account).toBeUndefined();
  }
});

test("[AC17] one that has expired within the leeway, or is refused, gives nothing", async () => {
  expect((await restMs(-5_000).answer).kind).toBe("refused");
  expect((await restMs(999).answer).kind).toBe("refused");
  expect(await exchange({ kind: "refused", why: "x" }).answer).toEqual({ kind: "refused", why: "x" });
  expect(await exchange({ kind: "unavailable", why: "x" }).answer).toEqual({ kind: "unavailable", why: "x" });
});
