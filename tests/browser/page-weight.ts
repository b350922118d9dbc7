/** What a page asks for and weighs on its way, counted to the byte. */
import type { Page } from "playwright-core";

export type Weight = {
  /** Everything that was asked for, by address. */
  readonly asked: readonly string[];
  /** Of those, what another server would have to answer. */
  readonly foreign: readonly string[];
  /** Of each program, as it travels. */
  readonly programs: readonly number[];
  readonly bytes: number;
};

/** Until the page is ready; whatever is asked for afterwards counts no more. */
export async function weigh(page: Page, path: string, ready: () => Promise<void>): Promise<Weight> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const asked: string[] = [];
  const bytes = new Map<string, number>();
  const urls = new Map<string, string>();
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    if (!request.url.startsWith("data:")) asked.push(request.url);
    urls.set(requestId, request.url);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => bytes.set(urls.get(requestId) ?? "", encodedDataLength));
  await page.goto(path);
  await ready();
  const { origin } = new URL(page.url());
  return {
    asked: [...asked],
    foreign: asked.filter((address) => new URL(address).origin !== origin),
    programs: [...bytes].filter(([address]) => address.includes("/assets/")).map(([, size]) => size),
    bytes: [...bytes.values()].reduce((sum, size) => sum + size, 0),
  };
}
