/**
 * The whole rehearsal: opens a shop in a place of its own, lets the crowd in, stops the server as an operator would, and
 * has the checker judge the store and the crowd's record. The place is closed whatever happens.
 */
import type { Clock } from "../../ports/clock.ts";
import type { RehearsalHost } from "../../ports/rehearsal-host.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import type { RehearsalOptions } from "./plan.ts";
import { reportOf, type RehearsalReport } from "./report.ts";
import { ShopClient, type ShopReply } from "./shop-client.ts";
import { Storm, type Progress } from "./storm.ts";
import { verdictOf } from "./verdict.ts";

export type RehearseDeps = {
  readonly host: RehearsalHost;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly onProgress: (progress: Progress) => void;
};

export async function rehearse(deps: RehearseDeps, options: RehearsalOptions): Promise<RehearsalReport> {
  const { host, clock, tasks, onProgress } = deps;
  try {
    const { load, apiKey } = await host.start();
    const beganMs = clock.nowMs();
    const tools = {
      append: (line: string) => host.record(line),
      nowMs: () => clock.nowMs() - beganMs,
      hash: (text: string) => host.hash(text),
    };
    const recorder = new HistoryRecorder({ ...tools, proc: "crowd" });
    const shop = new ShopClient(load, { apiKey, recorder });
    const saleId = await openSale(shop, options);
    const result = await new Storm({ shop, clock, tasks, onProgress }, options, saleId).run();
    const exitCode = await host.stop();
    if (exitCode !== 0) result.tally.broken(`the server stopped with exit code ${exitCode}`);
    return reportOf({ options, result, verify: verdictOf(await host.verify()) });
  } finally {
    await host.close();
  }
}

/** A product and a live sale of it: one unit per buyer, so that every second one is a refusal the report can count. */
async function openSale(shop: ShopClient, { stock, payWindowMs }: RehearsalOptions): Promise<string> {
  const time = await done(shop.call("GET", "/api/v1/time"), "ask for the time");
  const startsAt = String(time.data["server_time"]);
  const product = await done(
    shop.call("POST", "/api/v1/products", { name: "Rehearsal", price_minor: 19_900, currency: "CNY" }),
    "create a product",
  );
  const draft = {
    product_id: product.data["id"],
    name: "Rehearsal",
    stock,
    per_buyer_limit: 1,
    pay_window_seconds: payWindowMs / 1000,
    starts_at: startsAt,
    ends_at: `${Number(startsAt.slice(0, 4)) + 1}-12-31T00:00:00.000Z`,
  };
  const sale = await done(shop.call("POST", "/api/v1/sales", draft), "create a sale");
  const saleId = String(sale.data["id"]);
  await done(shop.call("POST", `/api/v1/sales/${saleId}/publish`), "publish the sale");
  return saleId;
}

async function done(asked: Promise<ShopReply>, what: string): Promise<ShopReply> {
  const reply = await asked;
  if (reply.kind !== "ok")
    throw new Error(`the rehearsal could not ${what}: ${reply.status ?? "no answer"} ${reply.reason} ${reply.body.slice(0, 300)}`);
  return reply;
}
