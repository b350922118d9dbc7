/** A shop with pages, a browser before it, and people with accounts. */
import { afterAll, beforeAll } from "bun:test";
import type { Browser } from "playwright-core";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { openBrowser } from "./chromium.ts";
import { patienceMs, visitsTo, type Visits } from "./visitors.ts";

export { inMs, stateOf, untilState } from "./sale-states.ts";
export { password, patienceMs } from "./visitors.ts";

export const testMaxMs = 240_000;

export type Storefront = Visits & {
  readonly shop: Shop;
  readonly url: () => string;
  readonly browser: () => Browser;
};

export function useStorefront(env: Readonly<Record<string, string>> = {}): Storefront {
  let server: ServerProcess | undefined;
  let browser: Browser | undefined;
  const url = () => server?.url ?? "http://the-server-has-not-started";
  beforeAll(async () => {
    const trial = { DOORBUSTER_ENV: "development", DOORBUSTER_SIGN_IN_PER_ADDRESS: "100000", DOORBUSTER_SIGN_IN_PER_ACCOUNT: "1000" };
    server = await ServerProcess.start({ dataDir: tempFolder().path, env: { ...trial, ...env } });
    await waitFor("the pages are made", async () => (await fetch(`${url()}/en/`)).status === 200, { withinMs: patienceMs });
    browser = await openBrowser();
  }, testMaxMs);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    cleanUp();
  }, testMaxMs);
  const opened = () => {
    if (browser === undefined) throw new Error("the browser is there within tests and hooks only");
    return browser;
  };
  const visits = visitsTo(url, opened);
  return { shop: new Shop(url), url, browser: opened, ...visits };
}
