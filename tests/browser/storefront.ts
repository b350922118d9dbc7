/** A shop with pages, a browser before it, and people with accounts. */
import { afterAll, beforeAll } from "bun:test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { openBrowser } from "./chromium.ts";

/** A busy machine takes its time; nothing here waits for as long without a reason. */
export const patienceMs = 60_000;
export const testMaxMs = 240_000;
export const password = "seven lemons in a row";

export type Storefront = {
  readonly shop: Shop;
  readonly url: () => string;
  readonly browser: () => Browser;
  /** A browser of its own; closed by the caller, or at the end. */
  readonly visit: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** The same with somebody signed in. */
  readonly visitAs: (username: string, options?: BrowserContextOptions) => Promise<BrowserContext>;
};

export function useStorefront(env: Readonly<Record<string, string>> = {}): Storefront {
  let server: ServerProcess | undefined;
  let browser: Browser | undefined;
  const accounts = new Set<string>();
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
  const visit = async (options: BrowserContextOptions = {}) => {
    const context = await opened().newContext({ baseURL: url(), locale: "en", viewport: { width: 390, height: 844 }, ...options });
    context.setDefaultTimeout(patienceMs);
    return context;
  };
  const visitAs = async (username: string, options: BrowserContextOptions = {}) => {
    const ask = (path: string, body: unknown) =>
      fetch(`${url()}/api/v1/auth/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    if (!accounts.has(username)) await ask("register", { username, password });
    accounts.add(username);
    const answer = await ask("login", { username, password, cookie: true });
    const [name = "", value = ""] = (answer.headers.get("set-cookie") ?? "").split(";")[0]?.split("=") ?? [];
    const context = await visit(options);
    const { hostname } = new URL(options.baseURL ?? url());
    await context.addCookies([{ name, value, domain: hostname, path: "/api/v1/auth", httpOnly: true, sameSite: "Strict" }]);
    await context.addInitScript(() => localStorage.setItem("doorbuster.signed-in", "1"));
    return context;
  };
  return { shop: new Shop(url), url, browser: opened, visit, visitAs };
}

/** The state that a sale's page shows. */
export const stateOf = (page: Page) => page.locator(".action").getAttribute("data-state");

export async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`.action[data-state="${state}"]`).waitFor({ timeout: patienceMs });
}

export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
