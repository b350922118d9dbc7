/** What clocks, networks and servers do to people who click. */
import { expect, test } from "bun:test";
import type { BrowserContext, Page, Request, Route } from "playwright-core";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { waitFor } from "../harness/wait.ts";
import { describeInBrowser } from "./chromium.ts";
import { inMs, patienceMs, stateOf, testMaxMs, untilState, useStorefront } from "./storefront.ts";
import { openedAtMs, withWrongClock } from "./wrong-clock.ts";

describeInBrowser("[SF16] in a browser", () => {
  const { shop, url, visit, visitAs } = useStorefront();

  const wrongClocks = [-86_400_000, -300_000, 300_000, 86_400_000];
  test.concurrent(
    "a clock that is wrong, or is set meanwhile, opens the button with the server's start and not before",
    async () => {
      // Before the sale is made, since a busy machine takes its time.
      const contexts = await Promise.all(wrongClocks.map(() => visitAs("clocks")));
      const startsAtMs = Date.now() + 20_000;
      const saleId = await shop.liveSale({ starts_at: new Date(startsAtMs).toISOString(), ends_at: inMs(3_600_000) });
      const opened = await Promise.all(
        [...contexts.entries()].map(async ([at, context]) => {
          await withWrongClock(context, wrongClocks[at] ?? 0, 3_000);
          const page = await context.newPage();
          await page.goto(`/en/s/${saleId}`);
          await page.getByText(/By the server's clock/).waitFor();
          expect(await stateOf(page)).toBe("BEFORE");
          await untilState(page, "ON_SALE");
          const atMs = await openedAtMs(page);
          await context.close();
          return atMs;
        }),
      );
      // Browser and server are one machine with one clock; a page says by how much it may be off, seldom 100 ms.
      for (const atMs of opened) expect(atMs).toBeGreaterThanOrEqual(startsAtMs - 200);
    },
    testMaxMs,
  );

  test(
    "a hundred clicks whose answers are lost have a hundred definite outcomes, and no order is double",
    async () => {
      const people = 10;
      const clicks = 10;
      const saleId = await shop.liveSale({ stock: people });
      const trial = async (page: Page, isDone: boolean) => {
        await untilState(page, "ON_SALE");
        // Either the request is lost, or the answer, when the server has done what it was asked for.
        const lose = async (route: Route) => {
          // If this connection breaks by itself, that is one more way of losing it.
          if (isDone) await route.fetch().catch(() => {});
          await route.abort("connectionreset");
        };
        await page.route("**/purchases", lose, { times: 1 });
        await page.locator(".action button.main").click();
        await untilState(page, "HELD");
        const order = (await page.locator(".action a.main").getAttribute("href"))?.split("/").at(-1) ?? "";
        expect((await shop.post(`/api/v1/orders/${order}/cancel`)).status).toBe(200);
      };
      await Promise.all(
        Array.from({ length: people }, async (_, person) => {
          const context = await visitAs(`lost-${person}`);
          const page = await context.newPage();
          await page.goto(`/en/s/${saleId}`);
          for (let click = 0; click < clicks; click++) await trial(page, (click + person) % 2 === 0);
          await context.close();
        }),
      );
      const { purchases } = (await shop.get(`/api/v1/sales/${saleId}/statistics`)).data;
      expect(purchases).toEqual({ reserved: 0, paid: 0, cancelled: 0, expired: 0, closed: people * clicks });
    },
    testMaxMs,
  );

  test.concurrent(
    "while the server is away no state lies, and each is right again without a reload",
    async () => {
      using proxy = await TcpProxy.open(url());
      const baseURL = proxy.through(url()).replace(/\/$/, "");
      const ids = {
        before: await shop.liveSale({ starts_at: inMs(28_000), ends_at: inMs(3_600_000) }),
        on: await shop.liveSale({ stock: 1 }),
        held: await shop.liveSale({}),
        ends: await shop.liveSale({ ends_at: inMs(32_000) }),
      };
      const context = await visitAs("patient", { baseURL });
      const open = async (id: string, state: string) => {
        const page = await context.newPage();
        await page.goto(`/en/s/${id}`);
        await untilState(page, state);
        return page;
      };
      const held = await open(ids.held, "ON_SALE");
      await held.locator(".action button.main").click();
      await untilState(held, "HELD");
      const [before, on, ends] = [await open(ids.before, "BEFORE"), await open(ids.on, "ON_SALE"), await open(ids.ends, "ON_SALE")];
      await before.getByText(/By the server's clock/).waitFor();
      proxy.refuse();
      proxy.reset();
      // Somebody else takes the unit meanwhile: the page says that it hears nothing, and does not claim more.
      await shop.buy(ids.on, "somebody");
      for (const page of [before, on, ends, held]) await page.getByText(/Reconnecting|Offline/).waitFor({ timeout: patienceMs });
      await on.locator(".action button.main").click();
      await untilState(on, "UNKNOWN");
      // Time goes on by the server's clock, which is known.
      await untilState(before, "ON_SALE");
      await untilState(ends, "ENDED");
      expect(await stateOf(held)).toBe("HELD");
      expect(await stateOf(on)).toBe("UNKNOWN");
      await proxy.restore();
      await untilState(on, "OUT_HELD");
      await on.getByText("All units are taken, some may return").first().waitFor({ state: "attached" });
      for (const page of [before, on, held]) await page.getByText("Live", { exact: true }).waitFor({ timeout: patienceMs });
      expect([await stateOf(before), await stateOf(ends), await stateOf(held)]).toEqual(["ON_SALE", "ENDED", "HELD"]);
      await context.close();
    },
    testMaxMs,
  );

  /** Streams of sales that a browser has asked for and not ended. */
  function streamsOf(context: BrowserContext): { count: number; asked: number } {
    const streams = { count: 0, asked: 0 };
    const isStream = (address: string) => /\/sales\/\d+\/events$/.test(address);
    context.on("request", (request) => {
      if (isStream(request.url())) [streams.count, streams.asked] = [streams.count + 1, streams.asked + 1];
    });
    const over = (request: Request) => {
      if (isStream(request.url())) streams.count -= 1;
    };
    context.on("requestfinished", over);
    context.on("requestfailed", over);
    return streams;
  }

  test.concurrent(
    "two tabs have one stream, and when one is closed the other goes on",
    async () => {
      const saleId = await shop.liveSale({ stock: 9 });
      const context = await visit();
      const streams = streamsOf(context);
      const [one, other] = [await context.newPage(), await context.newPage()];
      for (const page of [one, other]) {
        await page.goto(`/en/s/${saleId}`);
        await page.getByText("Live", { exact: true }).waitFor();
      }
      expect([streams.count, streams.asked]).toEqual([1, 1]);
      await shop.buy(saleId, "first");
      for (const page of [one, other]) await page.getByText("8 available").waitFor();
      await one.close();
      await waitFor("the other tab takes over", () => streams.asked === 2, { withinMs: patienceMs });
      await shop.buy(saleId, "second");
      await other.getByText("7 available").waitFor();
      await context.close();
    },
    testMaxMs,
  );
});
