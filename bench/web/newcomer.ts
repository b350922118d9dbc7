/** Somebody who has just installed it: `npm start`, a browser, an account, an order that is paid. Nobody waits to read. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser } from "../../tests/browser/chromium.ts";
import { password, visitsTo } from "../../tests/browser/visitors.ts";
import { rootDir } from "../../tests/harness/server-process.ts";
import { median } from "../machine.ts";
import { freePort, startCommand } from "../processes.ts";

export type Newcomer = {
  /** The list of sales is there; the first start of a version makes the programs of its pages. */
  readonly firstPageSeconds: number;
  readonly paidSeconds: number;
  readonly paidSecondsMax: number;
};
type Round = { readonly firstPageSeconds: number; readonly paidSeconds: number };
type Options = { readonly root: string; readonly rounds: number; readonly say: (text: string) => void };

export async function measureNewcomer({ root, rounds, say }: Options): Promise<Newcomer> {
  const done: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    // As after `npm ci`: servers that run have theirs in memory.
    rmSync(join(rootDir, "node_modules/.cache/doorbuster"), { recursive: true, force: true });
    done.push(await tryOnce(join(root, `newcomer-${round}`)));
    say(
      `  round ${round + 1}: a page after ${done.at(-1)?.firstPageSeconds.toFixed(1)} s, paid after ${done.at(-1)?.paidSeconds.toFixed(1)} s`,
    );
  }
  const paid = done.map(({ paidSeconds }) => paidSeconds);
  return {
    firstPageSeconds: median(done.map(({ firstPageSeconds }) => firstPageSeconds)),
    paidSeconds: median(paid),
    paidSecondsMax: Math.max(...paid),
  };
}

async function tryOnce(dataDir: string): Promise<Round> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1_000;
  const port = await freePort();
  const server = await startCommand("npm", ["start", "--silent"], {
    cwd: rootDir,
    env: { DOORBUSTER_HTTP_PORT: String(port), DOORBUSTER_DATA_DIR: dataDir, DOORBUSTER_LOG_LEVEL: "error" },
    port,
    family: true,
    ready: async (url) => (await fetch(`${url}/en/`)).status === 200,
  });
  try {
    const firstPageSeconds = seconds();
    const browser = await openBrowser();
    try {
      const { visit } = visitsTo(
        () => server.url,
        () => browser,
      );
      await buyAndPay(await (await visit()).newPage());
      return { firstPageSeconds, paidSeconds: seconds() };
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
  }
}

/** By what the pages say, as somebody would who has read nothing. */
async function buyAndPay(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("link", { name: "Nebula X1 phone" }).first().click();
  await page.getByRole("link", { name: "Sign in to buy" }).click();
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Username").fill("newcomer");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByRole("button", { name: "Buy now" }).click();
  await page.getByRole("link", { name: "Pay now" }).click();
  await page.getByRole("button", { name: "Pay ¥" }).click();
  await page.locator(".order[data-state=paid]").waitFor();
}
