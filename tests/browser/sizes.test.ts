/** What a sale's page weighs on its way, counted to the byte. */
import { expect, test } from "bun:test";
import { describeInBrowser } from "./chromium.ts";
import { weigh } from "./page-weight.ts";
import { testMaxMs, untilState, useStorefront } from "./storefront.ts";

/** The goal is 16 KB of program; a change that needs more says so here. */
const programMax = 16 * 1024;
const wholeMax = 35 * 1024;
const requestsMax = 6;

describeInBrowser("[SF12] a sale's page in a browser", () => {
  const { shop, visit } = useStorefront();

  test(
    "has few requests and few bytes, all from this server, and nothing that its policy forbids",
    async () => {
      const saleId = await shop.liveSale({});
      const context = await visit();
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => (message.type() === "error" ? complaints.push(message.text()) : 0));
      page.on("pageerror", (error) => complaints.push(error.message));
      const { asked, foreign, programs, bytes } = await weigh(page, `/en/s/${saleId}`, async () => {
        await untilState(page, "SIGN_IN");
        await page.getByText(/By the server's clock/).waitFor();
      });
      expect(foreign).toEqual([]);
      expect(asked.length).toBeLessThanOrEqual(requestsMax);
      expect(programs).toHaveLength(1);
      expect(programs[0]).toBeLessThanOrEqual(programMax);
      expect(bytes).toBeLessThanOrEqual(wholeMax);
      expect(complaints).toEqual([]);
      await context.close();
    },
    testMaxMs,
  );
});
