/** What refusing costs an API process once all is taken, and what the cache hears of it. */
import { measureSoldOut, type SoldOut, type SoldOutOptions } from "../sold-out.ts";
import { purchase } from "../servers.ts";
import type { Api } from "../sql/deployment.ts";
import { scriptCallsOf } from "./redis-counts.ts";
import { opened, type Stack } from "./stack.ts";

/** Calls of the cache's scripts, of all processes. */
export type QueuedSoldOut = SoldOut<"calls">;
type Options = Omit<SoldOutOptions<"calls">, "counts" | "settings" | "prepare">;

export function measureQueuedSoldOut({ redis, shop, settings }: Stack, options: Options): Promise<QueuedSoldOut> {
  const counts = async () => ({ calls: await scriptCallsOf(redis) });
  /** Somebody who does not come again buys the only unit. */
  const prepare = async (api: Api) => {
    await opened(api, shop, shop.acceptedPaths);
    const { status } = await purchase(api.url, shop.refusedPaths, shop, -1);
    if (status !== 201 && status !== 409) throw new Error(`The only unit was not bought: ${status}`);
  };
  return measureSoldOut(shop, { ...options, counts, settings, prepare });
}
