/** A shop on one database as an operator would run it: processes for the API, one for the rest, all of them real. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openServerStore } from "../../src/adapters/sql/server-store.ts";
import { addBuyers, addOrders, addSales, newFiller, writeTokens } from "../fill.ts";
import { freePort, startOnCore, type Started } from "../processes.ts";
import { apiKey, tokenSecret, writePaths } from "../scenarios.ts";

const openStock = 1_000_000_000;
const perBuyerLimit = 10_000;

/** One hot product, sold out in one sale and to be had in another, and who wants it. */
export type Shop = {
  readonly url: string;
  readonly folder: string;
  readonly tokensFile: string;
  /** Of those who come; the one behind them has, or gets, the unit of what is sold out. */
  readonly tokens: number;
  readonly refusedPaths: string;
  readonly acceptedPaths: string;
};

export type ShopPlan = {
  readonly folder: string;
  readonly visitors: number;
  /** Of the broker, where a cache decides. */
  readonly partitions?: number | undefined;
};

export async function fillShop(url: string, { folder, visitors, partitions }: ShopPlan): Promise<Shop> {
  mkdirSync(folder, { recursive: true });
  const process = { name: "bench", roles: ["api"], version: "0.0.0", secrets: "bench" };
  const queue = partitions === undefined ? undefined : { partitions };
  const store = await openServerStore({ url, ledger: { reopenDelayMs: 0, queue }, process });
  try {
    const filler = newFiller(store);
    const buyers = await addBuyers(filler, { from: 0, count: visitors + 1 });
    const [sold, open] = [
      ...(await addSales(filler, { count: 1, stock: 1, limit: 1 })),
      ...(await addSales(filler, { count: 1, stock: openStock, limit: perBuyerLimit })),
    ];
    if (sold === undefined || open === undefined) throw new Error("A shop has two sales");
    // Where a cache decides, nobody is accepted without it: the only unit is bought when processes run.
    if (partitions === undefined) await addOrders(filler, sold, buyers.slice(-1));
    const tokensFile = join(folder, "tokens.txt");
    const callers = buyers.map((buyerId, i) => ({ buyerId, subject: `b${i}` }));
    await writeTokens(tokensFile, { secret: tokenSecret, issuer: store.installation, buyers: callers });
    return {
      url,
      folder,
      tokensFile,
      tokens: visitors,
      refusedPaths: writePaths(join(folder, "refused.txt"), [sold]),
      acceptedPaths: writePaths(join(folder, "accepted.txt"), [open]),
    };
  } finally {
    await store.close();
  }
}

export type Api = Started & { readonly metricsUrl: string };
export type Deployment = { readonly apis: readonly Api[]; readonly worker: Api; readonly stop: () => Promise<void> };

/** `settings` are theirs besides what they must have. */
export async function startDeployment(shop: Shop, apis: number, settings: Readonly<Record<string, string>> = {}): Promise<Deployment> {
  const started: Started[] = [];
  const stop = async () => void (await Promise.all(started.map((process) => process.stop())));
  try {
    const answering: Api[] = [];
    for (let i = 0; i < apis; i++) {
      const api = await startProcess(shop, { name: `api-${i}`, roles: "api", settings });
      started.push(api);
      answering.push(api);
    }
    const worker = await startProcess(shop, { name: "worker", roles: "worker", settings });
    started.push(worker);
    return { apis: answering, worker, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Role = { readonly name: string; readonly roles: string; readonly settings: Readonly<Record<string, string>> };

export async function startProcess({ url, folder }: Shop, { name, roles, settings }: Role): Promise<Api> {
  const port = await freePort();
  const metricsPort = await freePort();
  const env = {
    DOORBUSTER_MODE: "sql",
    DOORBUSTER_DATABASE_URL: url,
    DOORBUSTER_HTTP_PORT: String(port),
    DOORBUSTER_METRICS_PORT: String(metricsPort),
    DOORBUSTER_DATA_DIR: join(folder, name),
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_TOKEN_SECRET: tokenSecret,
    DOORBUSTER_ACCOUNT_SECRET: "bench-account-secret-0123456789abcdef-0123456789",
    DOORBUSTER_ADMIN_PASSWORD: "bench-first-sign-in-0123456789",
    DOORBUSTER_LOG_LEVEL: "warn",
    ...settings,
  };
  const metricsUrl = `http://127.0.0.1:${metricsPort}`;
  const ready = async () => (await fetch(`${metricsUrl}/metrics`)).ok;
  const started = await startOnCore("../src/main.ts", ["serve", "--roles", roles], { env, port, ready });
  return { ...started, metricsUrl };
}

/** What a process has counted so far. */
export async function counterOf({ metricsUrl }: Api, name: string): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${RegExp.escape(name)} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}
