/** The contract of a cache, on the model: one that cannot go wrong as a Redis does fails it. */
import { stockCacheContract, type CacheFixture } from "../../contract/stock-cache.ts";
import { sampleNowMs } from "../../kit/samples.ts";
import { drawFaults, healed, rabbitFaults } from "../faults.ts";
import { SimNode } from "../kernel.ts";
import { Pump } from "../pump.ts";
import { CacheClient, CacheServer, type CallFate } from "./model-cache.ts";

/** Longer than a caller waits. */
const lateMs = 5_000;

async function openModel(): Promise<CacheFixture> {
  const pump = new Pump();
  const { sim } = pump;
  let nowMs = sampleNowMs;
  const server = new CacheServer(sim, { nowMs: () => nowMs, terms: { syncsAlways: true } });
  server.start();
  const faults = { ...healed(drawFaults(1, rabbitFaults, new Set())), cacheMs: 0.1 };
  const client = new CacheClient(server, { node: new SimNode("process"), link: { isCut: false }, faults: () => faults });
  const next = (fate: CallFate): void => {
    server.onCall = () => {
      server.onCall = () => undefined;
      return fate;
    };
  };
  const restart = (): void => {
    server.kill();
    server.start();
  };
  return {
    cache: pump.of(client),
    setTime: (to) => void (nowMs = to),
    flush: async () => server.flush(),
    restart: async () => restart(),
    remember: async () => {
      // A copy that is taken now, and falls behind.
      await pump.until(() => sim.sleep(1_001));
      return async () => server.promote(0);
    },
    loseAnswer: async () => next("unheard"),
    delayCall: async () => {
      next({ lateMs });
      return () => pump.until(() => sim.sleep(2 * lateMs));
    },
    close: async () => undefined,
  };
}

stockCacheContract("the simulation's model of a cache", openModel);
