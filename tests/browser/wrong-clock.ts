/** A browser whose clock is wrong, and when its page opened the button by the clock of the machine. */
import type { BrowserContext, Page } from "playwright-core";

/** Off by so many ms, and set once more after `setAfterMs`: by as much to the other side. */
export async function withWrongClock(context: BrowserContext, offMs: number, setAfterMs?: number): Promise<void> {
  await context.addInitScript(
    ([off, setAfter]) => {
      const real = Date.now.bind(Date);
      let more = 0;
      Date.now = () => real() + (off ?? 0) + more;
      if (setAfter !== null) setTimeout(() => (more = -(off ?? 0) * 2), setAfter);
      const watch = new MutationObserver(() => {
        const state = document.querySelector(".action")?.getAttribute("data-state");
        if (state === "ON_SALE" && !("openedAtMs" in globalThis)) Object.assign(globalThis, { openedAtMs: real() });
      });
      document.addEventListener("DOMContentLoaded", () =>
        watch.observe(document.body, { subtree: true, childList: true, attributes: true }),
      );
    },
    [offMs, setAfterMs ?? null] as const,
  );
}

export const openedAtMs = (page: Page): Promise<number> =>
  page.evaluate(() => Number((globalThis as unknown as { openedAtMs: number }).openedAtMs));
