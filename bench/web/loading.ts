/** What a sale's page weighs, and how soon a cheap phone shows it. */
import { weigh } from "../../tests/browser/page-weight.ts";
import { median } from "../machine.ts";
import { phoneOptions, phonePage } from "./phone.ts";
import type { WebBench } from "./shop.ts";

export type Loading = {
  readonly programBytes: number;
  readonly bytes: number;
  readonly requests: number;
  readonly foreign: number;
  /** On the cheap phone. */
  readonly paintMs: number;
  readonly paintMsMax: number;
  /** The worst of all rounds: what moves once has moved. */
  readonly shift: number;
};

type Round = { readonly paintMs: number; readonly shift: number };

export async function measureLoading({ shop, visits, rounds, say }: WebBench): Promise<Loading> {
  const saleId = await shop.liveSale({ stock: 100 });
  const weight = await weighOnce(visits, saleId);
  const done: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    done.push(await loadOnPhone(visits, saleId));
    say(`  round ${round + 1}: painted after ${done.at(-1)?.paintMs.toFixed(0)} ms, shifted by ${done.at(-1)?.shift.toFixed(4)}`);
  }
  const paints = done.map(({ paintMs }) => paintMs);
  return {
    ...weight,
    paintMs: median(paints),
    paintMsMax: Math.max(...paints),
    shift: Math.max(...done.map(({ shift }) => shift)),
  };
}

async function weighOnce(visits: WebBench["visits"], saleId: string) {
  const context = await visits.visit();
  try {
    const page = await context.newPage();
    const { asked, foreign, programs, bytes } = await weigh(page, `/en/s/${saleId}`, () => page.getByText(clockKnown).waitFor());
    return { programBytes: programs.reduce((sum, size) => sum + size, 0), bytes, requests: asked.length, foreign: foreign.length };
  } finally {
    await context.close();
  }
}

/** Then everything that a page does at its start is done. */
export const clockKnown = /By the server's clock/;

/** A browser that has nothing yet comes to the page. */
export async function loadOnPhone(visits: WebBench["visits"], saleId: string): Promise<Round & { readonly state: string | null }> {
  const context = await visits.visit(phoneOptions);
  try {
    await context.addInitScript(() => {
      const seen = { paintMs: 0, shift: 0 };
      Object.assign(globalThis, { seen });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.paintMs = entry.startTime;
      }).observe({ type: "largest-contentful-paint", buffered: true });
      new PerformanceObserver((list) => {
        // What this kind of entry has, and the types of the library do not.
        for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    const page = await phonePage(context);
    await page.goto(`/en/s/${saleId}`);
    await page.getByText(clockKnown).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const state = await page.locator(".action").getAttribute("data-state");
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: { paintMs: number; shift: number } }).seen);
    return { ...seen, state };
  } finally {
    await context.close();
  }
}
