/** Live streams through a proxy: each word at once, and for as long as there is somebody who listens. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { everyProxy, installedProxies, noProxy, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { requestText, TlsClient } from "./tls-client.ts";

afterAll(cleanUp);

/** What holds for every other request, shorter than it is so that a test need not wait for it. */
const ordinarilyShort: PerProxy<readonly Change[]> = {
  nginx: [
    ["proxy_read_timeout    15s", "proxy_read_timeout    2s"],
    ["send_timeout              10s", "send_timeout              2s"],
    ["client_body_timeout       5s", "client_body_timeout       2s"],
    ["client_header_timeout     5s", "client_header_timeout     2s"],
  ],
  haproxy: [
    ["timeout server     15s", "timeout server     2s"],
    ["timeout client          15s", "timeout client          2s"],
    ["timeout http-request    5s", "timeout http-request    2s"],
  ],
};
const noException: PerProxy<Change> = {
  nginx: ["proxy_read_timeout 60s;", ""],
  haproxy: ["http-request set-timeout server 60s", "http-request set-timeout server 2s"],
};
/** nginx gathers what an upstream says, unless it is told otherwise here, by the location, or by the product's own header. */
const gathering: readonly Change[] = [
  ["proxy_buffering    off;", "proxy_buffering on;\n            proxy_ignore_headers X-Accel-Buffering;"],
];

let server: ServerProcess;
let shop: Shop;
beforeAll(async () => {
  server = await ServerProcess.start({ dataDir: tempFolder().path });
  shop = new Shop(() => server.url);
}, 30_000);

async function listen(proxy: ProxyProcess, saleId: string): Promise<TlsClient> {
  const client = new TlsClient(proxy);
  client.write(requestText(`/api/v1/sales/${saleId}/events`, { headers: { Accept: "text/event-stream" } }));
  return client;
}
const takenIn = (client: TlsClient) => Number(client.events.findLast(({ event }) => event === "stock")?.data["held"] ?? -1);

test.skipIf(noProxy)("[G9] a stream tells each change as it comes", async () => {
  await everyProxy(async (kind) => {
    const saleId = await shop.liveSale({ stock: 10, per_buyer_limit: 10 });
    const client = await listen(await ProxyProcess.start(kind, { upstreams: [new URL(server.url).host] }), saleId);
    await waitFor(`${kind}: the present state`, () => takenIn(client) === 0, { withinMs: 2_000 });
    for (const held of [1, 2, 3]) {
      expect((await shop.buy(saleId, "ann")).status).toBe(201);
      await waitFor(`${kind}: ${held} are taken`, () => takenIn(client) === held, { withinMs: 2_000 });
    }
    expect(client.head.toLowerCase()).toContain("content-type: text/event-stream");
    expect(client.head.toLowerCase()).not.toContain("content-encoding");
  });
});

test.skipIf(noProxy)(
  "[G9] a stream stays open beyond the time that other answers have; the control's is cut",
  async () => {
    await everyProxy(async (kind) => {
      const saleId = await shop.liveSale({ stock: 10, per_buyer_limit: 10 });
      const upstreams = [new URL(server.url).host];
      const proxy = await ProxyProcess.start(kind, { upstreams, changes: ordinarilyShort[kind] });
      const control = await ProxyProcess.start(kind, { upstreams, changes: [...ordinarilyShort[kind], noException[kind]] });
      const [client, cut] = [await listen(proxy, saleId), await listen(control, saleId)];
      await waitFor(`${kind}: both hear the present state`, () => takenIn(client) === 0 && takenIn(cut) === 0);
      await waitFor(`${kind}: the control's is cut`, () => cut.isClosed);
      expect((await shop.buy(saleId, "ann")).status).toBe(201);
      await waitFor(`${kind}: the other goes on`, () => takenIn(client) === 1, { withinMs: 2_000 });
    });
  },
  20_000,
);

test.skipIf(!installedProxies.includes("nginx"))("[G9] control: an nginx that gathers tells nothing until it has enough", async () => {
  const saleId = await shop.liveSale({ stock: 10, per_buyer_limit: 10 });
  const upstreams = [new URL(server.url).host];
  const [proxy, control] = [
    await ProxyProcess.start("nginx", { upstreams }),
    await ProxyProcess.start("nginx", { upstreams, changes: gathering }),
  ];
  const [client, gathered] = [await listen(proxy, saleId), await listen(control, saleId)];
  await waitFor("the present state", () => takenIn(client) === 0);
  expect((await shop.buy(saleId, "ann")).status).toBe(201);
  await waitFor("it is taken", () => takenIn(client) === 1);
  expect(takenIn(gathered)).toBe(-1);
});
