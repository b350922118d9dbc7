/** A cheap phone: four times slower than this machine, behind 1.6 Mbit/s and 150 ms, and it has seen nothing before. */
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";

export const phoneOptions: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const cpuSlowdown = 4;
const latencyMs = 150;
const bytesPerSecond = 1_600_000 / 8;

export async function phonePage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  const throughput = { downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond };
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: latencyMs, ...throughput });
  await session.send("Emulation.setCPUThrottlingRate", { rate: cpuSlowdown });
  return page;
}
