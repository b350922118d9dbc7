/** The reference page in a real browser, cut off from every other server; skipped where there is no Chromium. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../../src/http/listen-bun.ts";
import type { Listener } from "../../src/http/listener.ts";
import { openMemoryApi, type MemoryApi } from "../harness/memory-api.ts";

const browser = ["chromium", "chromium-browser", "google-chrome"].map((name) => Bun.which(name)).find((path) => path !== null);
if (browser === undefined) console.warn("Skipped: the reference page in a browser, since there is no Chromium here");

let api: MemoryApi;
let listener: Listener;
const profile = mkdtempSync(join(tmpdir(), "doorbuster-page-"));
beforeAll(async () => {
  api = await openMemoryApi();
  listener = await listen(api.app, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await listener.stop(0);
  await api.close();
  rmSync(profile, { recursive: true, force: true });
});

test.skipIf(browser === undefined)(
  "[H2] the page shows the API without the internet and under its own policy",
  async () => {
    const limits = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"];
    const quiet = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, "--enable-logging=stderr"];
    const child = Bun.spawn([browser ?? "", ...quiet, ...limits, "--virtual-time-budget=20000", "--dump-dom", `${listener.url}/docs`], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 60_000,
    });
    const [page, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    for (const operation of ["sales-createSale", "purchases-purchase", "orders-readOrder", "system-readTime"])
      expect([operation, page.includes(`id="operations-${operation}"`)]).toEqual([operation, true]);
    expect(said).not.toMatch(/CONSOLE.*(?:Content Security Policy|Refused|Failed to load)/);
  },
  90_000,
);
