/** From a purchase to the number on a real page, while a crowd listens to the same stream. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import { bounded } from "../../tests/harness/wait.ts";
import { generatorCore } from "../wrk.ts";
import type { WebBench } from "./shop.ts";

export type Pixels = {
  readonly listeners: number;
  readonly purchases: number;
  /** From when a purchase is sent: what its commit takes is in it. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  /** Frames that each listener got of each purchase. */
  readonly framesEach: number;
};

const stock = 1_000;
const changeMaxMs = 10_000;

type Seen = { readonly available: number; readonly atMs: number };

export async function measurePixels({ shop, visits, url, quick, say }: WebBench): Promise<Pixels> {
  const listeners = quick ? 50 : 1_000;
  const purchases = quick ? 5 : 60;
  const saleId = await shop.liveSale({ stock });
  const crowd = await startListeners(`${url}/api/v1/sales/${saleId}/events`, listeners);
  try {
    const context = await visits.visit();
    const page = await context.newPage();
    await page.goto(`/en/s/${saleId}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await watchStock(page);
    const sent: number[] = [];
    for (let bought = 0; bought < purchases; bought++) {
      // Apart by anything from close together to far apart: what comes close together shares a frame.
      await Bun.sleep(200 + Math.random() * 800);
      sent.push(Date.now());
      const { status } = await shop.buy(saleId, `watched-${bought}`);
      if (status !== 201) throw new Error(`A purchase was answered ${status}`);
    }
    await page.getByText(`${stock - purchases} available`).waitFor({ timeout: changeMaxMs });
    const seen = await page.evaluate(() => (globalThis as unknown as { seenStock: Seen[] }).seenStock);
    await context.close();
    const frames = await crowd.stop();
    const delays = sent.map((sentMs, at) => (seen.find(({ available }) => available <= stock - at - 1)?.atMs ?? Number.NaN) - sentMs);
    const sorted = delays.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    const measured = { p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1), framesEach: frames / listeners / purchases };
    say(`  p50 ${measured.p50Ms} ms, p95 ${measured.p95Ms} ms, ${measured.framesEach.toFixed(2)} frames each`);
    return { listeners, purchases, ...measured };
  } finally {
    await crowd.stop();
  }
}

/** A number counts when it has been painted: in the frame after the one that it was written in. */
const watchStock = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seenStock: Seen[] = [];
    Object.assign(globalThis, { seenStock });
    const look = () => {
      const available = Number(/\d+/.exec(document.querySelector(".stock .available")?.textContent?.replaceAll(",", "") ?? "")?.[0]);
      if (seenStock.at(-1)?.available === available) return;
      const seen = { available, atMs: Number.NaN };
      seenStock.push(seen);
      requestAnimationFrame(() => requestAnimationFrame(() => (seen.atMs = Date.now())));
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });

async function startListeners(streamUrl: string, count: number): Promise<{ readonly stop: () => Promise<number> }> {
  const child = spawn(
    "taskset",
    ["-c", generatorCore, process.execPath, join(import.meta.dirname, "listeners.ts"), streamUrl, String(count)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "exit");
  let frames = 0;
  const lines = createInterface(child.stdout);
  const ready = new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      if (line === "all hear") resolve();
      frames = Number(/^frames (\d+)$/.exec(line)?.[1] ?? frames);
    });
    void exited.then(() => reject(new Error("The listeners ended before all of them heard")));
  });
  await bounded("the listeners' streams", changeMaxMs, ready);
  // The first frame of each says how things stand.
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    return frames - count;
  };
  return { stop };
}
