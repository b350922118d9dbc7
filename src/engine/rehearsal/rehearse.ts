/**
 * The whole rehearsal: opens a shop in a place of its own, lets the crowd in, stops the server as an operator would, and
 * has the checker judge the store and the crowd's record. The place is closed whatever happens.
 */
import type { Clock } from "../../ports/clock.ts";
import type { RehearsalHost } from "../../ports/rehearsal-host.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { utcText } from "../../lib/utc-text.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import type { RehearsalOptions } from "./plan.ts";
import { reportOf, type RehearsalReport } from "./report.ts";
import { done } from "./shadow-sale.ts";
import { ShopClient } from "./shop-client.ts";
import { Storm, type Progress } from "./storm.ts";
import { serverEnvironment, type ClientEnvironment } from "./surroundings.ts";
import { verdictOf } from "./verdict.ts";

export type RehearseDeps = {
  readonly host: RehearsalHost;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly onProgress: (progress: Progress) => void;
  readonly client: ClientEnvironment;
};

export async function rehearse(deps: RehearseDeps, options: RehearsalOptions): Promise<RehearsalReport> {
  const { host, clock, tasks, onProgress, client } = deps;
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
    const server = await serverEnvironment(shop);
    const opensAtMs = options.lead === undefined ? undefined : Math.ceil(clock.nowMs() + options.lead.ms + leadInMs);
    const saleId = await openSale(shop, options, opensAtMs);
    const result = await new Storm({ shop, clock, tasks, onProgress }, options, { saleId, opensAtMs }).run();
    const exitCode = await host.stop();
    if (exitCode !== 0) result.tally.broken(`the server stopped with exit code ${exitCode}`);
    const verify = verdictOf(await host.verify());
    return reportOf({
      options,
      result,
      verify,
      target: { kind: "own_server" },
      environment: { client, server },
      beganAt: utcText(beganMs),
    });
  } finally {
    await host.close();
  }
}

/** A product and a sale of it, live now or later: one unit per buyer, so that every second one is a refusal the report can count. */
async function openSale(shop: ShopClient, { stock, payWindowMs }: RehearsalOptions, opensAtMs: number | undefined): Promise<string> {
  const time = await done(shop.call("GET", "/api/v1/time"), "ask for the time");
  // The server is ours and on this machine: its clock is ours.
  const startsAt = opensAtMs === undefined ? String(time.data["server_time"]) : utcText(opensAtMs);
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

/** Between publishing and the first look at the sale. */
const leadInMs = 500;
