/** A shop with pages on the server's core, and a browser on the other. */
import { join } from "node:path";
import { openBrowser } from "../../tests/browser/chromium.ts";
import { visitsTo, type Visits } from "../../tests/browser/visitors.ts";
import { apiKey } from "../../tests/harness/server-process.ts";
import { Shop } from "../../tests/harness/shop.ts";
import { freePort, startOnCore } from "../processes.ts";
import { buildWorld, tokenSecret, type World } from "../scenarios.ts";

export type WebBench = {
  readonly shop: Shop;
  readonly visits: Visits;
  readonly url: string;
  readonly pid: number;
  readonly world: World;
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly say: (text: string) => void;
};
type Flags = Pick<WebBench, "rounds" | "seconds" | "quick" | "say">;

const visitors = 5_000;
/** So small that a storm fills it at once when the disk stands still. */
export const queueMax = 8;

export async function withWebShop<Value>(root: string, flags: Flags, run: (bench: WebBench) => Promise<Value>): Promise<Value> {
  const world = await buildWorld(
    {
      name: "web",
      about: "a shop with pages",
      sales: 1,
      oldOrders: 0,
      buyers: visitors,
      visitors,
      order: "as met",
      storm: "one sale",
      accepts: true,
    },
    root,
  );
  const port = await freePort();
  const env = {
    DOORBUSTER_ENV: "development",
    DOORBUSTER_HTTP_PORT: String(port),
    DOORBUSTER_DATA_DIR: world.dataDir,
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_TOKEN_SECRET: tokenSecret,
    DOORBUSTER_QUEUE_MAX: String(queueMax),
    DOORBUSTER_SIGN_IN_PER_ADDRESS: "100000",
    DOORBUSTER_SIGN_IN_PER_ACCOUNT: "1000",
    DOORBUSTER_TRUSTED_PROXIES: "127.0.0.1",
    DOORBUSTER_LOG_LEVEL: "error",
  };
  const ready = async (url: string) => (await fetch(`${url}/en/`)).status === 200;
  const server = await startOnCore(join("..", "src", "main.ts"), ["serve"], { env, port, ready });
  try {
    const browser = await openBrowser();
    try {
      const { url, pid } = server;
      const visits = visitsTo(
        () => url,
        () => browser,
      );
      return await run({ shop: new Shop(() => url), visits, url, pid, world, ...flags });
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
  }
}
