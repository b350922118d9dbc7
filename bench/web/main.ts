/**
 * `npm run bench -- --web`: what buyers notice of the pages, in a real Chromium: weight, first paint, the button at the
 * start, live stock among a crowd, the page in a stampede, and a newcomer's way to a paid order.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine } from "../machine.ts";
import { pinFamily } from "../processes.ts";
import { ensureWrk, generatorCore, serverCore } from "../wrk.ts";
import { measureLoading } from "./loading.ts";
import { measureNewcomer } from "./newcomer.ts";
import { measurePixels } from "./pixels.ts";
import { printWebReport, quoteWebInReadme, writeWebReport, type WebReport } from "./report.ts";
import { withWebShop, type WebBench } from "./shop.ts";
import { measureStampede } from "./stampede.ts";
import { measureStarts } from "./starts.ts";

type WebFlags = Pick<WebBench, "rounds" | "seconds" | "quick" | "say"> & { readonly readme: boolean };

export async function measureWeb(flags: WebFlags): Promise<void> {
  ensureWrk();
  const { rounds, quick, readme, say } = flags;
  // What is started from here inherits it: browsers and crowds stay off the server's core.
  pinFamily(process.pid, generatorCore);
  const root = mkdtempSync(join(tmpdir(), "doorbuster-bench-"));
  try {
    const measured = await withWebShop(root, flags, measureShop);
    say("a newcomer");
    const newcomer = await measureNewcomer({ root, rounds, say });
    const report: WebReport = {
      machine: describeMachine(),
      at: new Date().toISOString(),
      settings: { rounds, quick },
      pinned: `The server on core ${serverCore}; Chromium, listeners and wrk on core ${generatorCore}`,
      load: loadavg()[1] ?? 0,
      ...measured,
      newcomer,
    };
    printWebReport(report);
    if (readme) quoteWebInReadme(report);
    console.log(`\nWritten to ${writeWebReport(report)}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measureShop(bench: WebBench) {
  const { say } = bench;
  say("loading");
  const loading = await measureLoading({ ...bench, rounds: bench.quick ? 1 : 5 });
  say("starts");
  const starts = await measureStarts(bench);
  say("from commit to pixel");
  const pixels = await measurePixels(bench);
  say("a stampede");
  const stampede = await measureStampede(bench);
  return { loading, starts, pixels, stampede };
}
