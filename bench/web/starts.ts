/** How long after the server's start the button opens, in browsers whose clocks are right and wrong. */
import type { BrowserContext } from "playwright-core";
import { openedAtMs, withWrongClock } from "../../tests/browser/wrong-clock.ts";
import { median } from "../machine.ts";
import { clockKnown } from "./loading.ts";
import { phoneOptions, phonePage } from "./phone.ts";
import type { WebBench } from "./shop.ts";

export type Opening = {
  readonly afterMs: number;
  readonly earliestMs: number;
  readonly latestMs: number;
  /** What the page itself says it may be off by, at most. */
  readonly boundMs: number;
  readonly buttons: number;
};
export type Starts = { readonly near: Opening; readonly phone: Opening };

type Opened = { readonly isPhone: boolean; readonly afterMs: number; readonly boundMs: number };

/** Where a buyer sits, and by how much the clock there is off. */
const places = [
  { isPhone: false, offMs: 0 },
  { isPhone: false, offMs: 300_000 },
  { isPhone: false, offMs: -300_000 },
  { isPhone: true, offMs: 300_000 },
] as const;
/** Long enough for all of them to be there before, one after the other, a slow phone among them. */
const comesBeforeMs = 10_000;
/** Sales start one after the other: what is measured is a page, not browsers that share a core. */
const apartMs = 700;

export async function measureStarts(bench: WebBench): Promise<Starts> {
  const done: Opened[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    const opened = await measureRound(bench);
    bench.say(`  round ${round + 1}: ${opened.map(({ afterMs }) => `${afterMs} ms`).join(", ")} (the last is the phone)`);
    done.push(...opened);
  }
  return { near: openingOf(done.filter(({ isPhone }) => !isPhone)), phone: openingOf(done.filter(({ isPhone }) => isPhone)) };
}

async function measureRound({ shop, visits }: WebBench): Promise<Opened[]> {
  const contexts = await Promise.all(places.map(({ isPhone }) => visits.visitAs("punctual", isPhone ? phoneOptions : {})));
  try {
    const firstMs = Date.now() + comesBeforeMs;
    const waiting: (() => Promise<Opened>)[] = [];
    for (const [at, place] of places.entries()) {
      const context = contexts[at];
      if (context === undefined) throw new Error("Each place has a browser");
      // Anywhere within a second: a button that opens by the tick would be late.
      const startsAtMs = firstMs + at * apartMs + Math.floor(Math.random() * 200);
      const window = { starts_at: new Date(startsAtMs).toISOString(), ends_at: new Date(startsAtMs + 600_000).toISOString() };
      waiting.push(await waitAt(context, place, { saleId: await shop.liveSale(window), startsAtMs }));
    }
    return await Promise.all(waiting.map((opening) => opening()));
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
  }
}

type Start = { readonly saleId: string; readonly startsAtMs: number };

/** Comes to the page before the start; what it returns waits for the button. */
async function waitAt(
  context: BrowserContext,
  { isPhone, offMs }: (typeof places)[number],
  { saleId, startsAtMs }: Start,
): Promise<() => Promise<Opened>> {
  await withWrongClock(context, offMs);
  const page = await (isPhone ? phonePage(context) : context.newPage());
  await page.goto(`/en/s/${saleId}`);
  const clock = page.getByText(clockKnown);
  await clock.waitFor();
  const state = await page.locator(".action").getAttribute("data-state");
  if (state !== "BEFORE") throw new Error(`A page came too late for the start: ${state}, ${Date.now() - startsAtMs} ms after it`);
  return async () => {
    await page.locator('.action[data-state="ON_SALE"]').waitFor();
    const boundMs = Number(/±(\d+)/.exec((await clock.textContent()) ?? "")?.[1]);
    return { isPhone, afterMs: (await openedAtMs(page)) - startsAtMs, boundMs };
  };
}

function openingOf(opened: readonly Opened[]): Opening {
  const afters = opened.map(({ afterMs }) => afterMs);
  return {
    afterMs: median(afters),
    earliestMs: Math.min(...afters),
    latestMs: Math.max(...afters),
    boundMs: Math.max(...opened.map(({ boundMs }) => boundMs)),
    buttons: afters.length,
  };
}
