/** What processes of queued mode have counted, and what the database has of their work. */
import { counterOf, type Api } from "../sql/deployment.ts";
import type { Stack } from "./stack.ts";

/** Purchases that it answered 202, or 201, first times only. */
export const acceptedOf = async (api: Api) => {
  const outcome = (name: string) => counterOf(api, `doorbuster_purchases_total{outcome="${name}"}`);
  return { queued: await outcome("queued"), ordered: await outcome("accepted") };
};
export const settledOf = (worker: Api): Promise<number> => counterOf(worker, 'doorbuster_queue_events_total{event="line_settled"}');

/**
 * From the cache's yes to the moment at which the ledger decided, under the sale's lock, by the clock of this one machine.
 * The commit that followed is not in it.
 */
export type Lag = { readonly orders: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

export async function lagSince({ database, shop }: Pick<Stack, "database" | "shop">, sinceMs: number): Promise<Lag> {
  const rows = await database.ask(
    shop.url,
    `SELECT changed_at - accepted_at AS lag, count(*) FROM purchase WHERE accepted_at >= ${Math.floor(sinceMs)} GROUP BY 1 ORDER BY 1`,
  );
  const steps = rows.map(([lag, count]) => ({ lag: Number(lag), count: Number(count) }));
  const orders = steps.reduce((sum, { count }) => sum + count, 0);
  const at = (share: number) => {
    let left = orders * share;
    return steps.find(({ count }) => (left -= count) <= 0)?.lag ?? Number.NaN;
  };
  return { orders, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: steps.at(-1)?.lag ?? Number.NaN };
}

const pollMs = 50;

/** Waits until `look` is what is wanted, with a bound. */
export async function until(what: string, withinMs: number, look: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > untilMs) throw new Error(`Waited for too long: ${what}`);
    await Bun.sleep(pollMs);
  }
}
