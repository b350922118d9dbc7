/**
 * Bytes that a proxy and the product might read as different requests, sent through each proxy: there is never more than one
 * answer to them, what is hidden in them never arrives, and what does arrive is clean HTTP that can be read in one way only.
 */
import { afterAll, expect, test } from "bun:test";
import { sendRaw } from "../e2e/raw-socket.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { desyncCases, type Desync, type Hidden } from "../hostility/desync-cases.ts";
import { everyProxy, installedProxies, noProxy, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { StubUpstream } from "./stub-upstream.ts";

afterAll(cleanUp);

const head = (buyer: string) =>
  `POST /api/v1/sales/1/purchases HTTP/1.1\r\nHost: shop.test\r\nX-User-Id: ${buyer}\r\nContent-Type: application/json\r\n`;
const hidden: Hidden = {
  purchase: `${head("hidden")}Content-Length: 14\r\n\r\n{"quantity":1}`,
  postHead: head("open"),
  getHead: "GET /api/v1/time HTTP/1.1\r\nHost: shop.test\r\n",
};
const cases = desyncCases(hidden);
const together = 24;

async function open(kind: (typeof installedProxies)[number], changes: readonly Change[] = []) {
  const stub = await StubUpstream.start();
  const proxy = await ProxyProcess.start(kind, { upstreams: [stub.at], perClientMax: 1_000, changes });
  const send = async ({ bytes }: Pick<Desync, "bytes">) => (await sendRaw(proxy.url, [Buffer.from(bytes, "latin1")], 200)).statuses;
  const smuggled = () => stub.arrivals.filter(({ headers }) => headers.get("x-user-id")?.includes("hidden"));
  return { stub, send, smuggled };
}

test.skipIf(noProxy)(
  `[G9, HO4] ${cases.length} ways to be misread: at most one answer, no failure, nothing hidden arrives, and what arrives is clean`,
  async () => {
    await everyProxy(async (kind) => {
      const { stub, send, smuggled } = await open(kind);
      for (let i = 0; i < cases.length; i += together) {
        const some = cases.slice(i, i + together);
        const told = await Promise.all(some.map(async (one) => ({ name: one.name, statuses: await send(one) })));
        const wrong = told.filter(({ statuses }) => statuses.length > 1 || statuses.some((status) => status >= 500));
        const names = some.map(({ name }) => name);
        expect([kind, names, wrong, smuggled(), stub.unclean]).toEqual([kind, names, [], [], []]);
      }
      expect(stub.arrivals.length).toBeLessThanOrEqual(cases.length);
      // The control: where it is no longer hidden, the second request is answered, and it arrives.
      expect([kind, await send({ bytes: `${hidden.getHead}\r\n${hidden.purchase}` })]).toEqual([kind, [200, 200]]);
      expect(smuggled().length).toBe(1);
    });
  },
  60_000,
);

/** What nginx and haproxy would let through by themselves. */
const asTheyCome: PerProxy<{ readonly changes: readonly Change[]; readonly names: readonly string[] }> = {
  nginx: { changes: [['~^\\S+ ."         1;', '~^never$" 1;']], names: ["chunk: a last chunk that ends in LF"] },
  haproxy: {
    changes: [
      ["if is_old is_chunked || is_unclean || is_folded || is_twisted || is_long", "if is_twisted"],
      ["http-after-response set-header Connection close if { var(txn.chunked) -m bool }", ""],
    ],
    names: ["line: a name that begins with a space", "line: a value with a NUL", "chunks in HTTP/1.0"],
  },
};

test.each(installedProxies)("[G9] control: without our rules for it, %s lets some of them through", async (kind) => {
  const { changes, names } = asTheyCome[kind];
  const { stub, send, smuggled } = await open(kind, changes);
  const some = cases.filter(({ name }) => names.includes(name));
  expect(some.length).toBe(names.length);
  for (const one of some) {
    const [before, unclean] = [smuggled().length, stub.unclean.length];
    const statuses = await send(one);
    const isSeen = statuses.length > 1 || smuggled().length > before || stub.unclean.length > unclean;
    expect([one.name, isSeen]).toEqual([one.name, true]);
  }
});
