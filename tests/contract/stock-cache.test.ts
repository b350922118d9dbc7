import { expect, test } from "bun:test";
import type { ReserveAsk } from "../../src/ports/stock-cache.ts";
import { ModelRedis } from "../kit/model-redis.ts";
import { sampleNowMs } from "../kit/samples.ts";
import { firstDifference, stockCacheContract, type CacheFixture } from "./stock-cache.ts";

async function openModel(): Promise<CacheFixture> {
  let nowMs = sampleNowMs;
  const cache = new ModelRedis(() => nowMs);
  const once = (fate: "answer_lost" | "late") => {
    cache.fate = () => {
      cache.fate = () => "done";
      return fate;
    };
  };
  return {
    cache,
    setTime: (to) => void (nowMs = to),
    flush: async () => cache.flush(),
    restart: async () => cache.restart(),
    remember: async () => {
      const data = cache.snapshot();
      return async () => cache.restart(data);
    },
    loseAnswer: async () => once("answer_lost"),
    delayCall: async () => {
      once("late");
      return async () => cache.doLate();
    },
    close: async () => undefined,
  };
}

stockCacheContract("the model of a cache", openModel);

test("[QU1] control: a cache that takes a unit too many, or forgets a limit, is noticed", async () => {
  for (const plant of [(quantity: number) => quantity + 1, (quantity: number) => (quantity > 1 ? quantity - 1 : quantity)]) {
    const fixture = await openModel();
    const good = fixture.cache.reserve.bind(fixture.cache);
    const cache = Object.assign(fixture.cache, {
      reserve: (ask: ReserveAsk) => good({ ...ask, lines: ask.lines.map((line) => ({ ...line, quantity: plant(line.quantity) })) }),
    });
    const found = await Promise.all([1, 2, 3, 4, 5].map((seed) => firstDifference(seed, { ...fixture, cache })));
    expect(found.some((difference) => difference !== undefined)).toBe(true);
  }
});
