/** People before a shop's pages, each with a browser of their own. */
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";

/** A busy machine takes its time; nothing here waits for as long without a reason. */
export const patienceMs = 60_000;
export const password = "seven lemons in a row";

export type Visits = {
  /** A browser of its own; closed by the caller, or at the end. */
  readonly visit: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** The same with somebody signed in. */
  readonly visitAs: (username: string, options?: BrowserContextOptions) => Promise<BrowserContext>;
};

export function visitsTo(url: () => string, browser: () => Browser): Visits {
  const accounts = new Set<string>();
  const visit = async (options: BrowserContextOptions = {}) => {
    const context = await browser().newContext({ baseURL: url(), locale: "en", viewport: { width: 390, height: 844 }, ...options });
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
  return { visit, visitAs };
}
