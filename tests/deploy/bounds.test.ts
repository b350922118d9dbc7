/** What one client, or all of them, may ask of a proxy at once, how slowly, and how much. */
import { afterEach, describe, expect, test } from "bun:test";
import type { ErrorReason } from "../../src/domain/errors.ts";
import { failure } from "../../src/http/envelope.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { waitFor } from "../harness/wait.ts";
import { everyProxy, installedProxies, noProxy, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { answer, StubUpstream } from "./stub-upstream.ts";
import { ask, requestText, TlsClient } from "./tls-client.ts";

afterEach(cleanUp);

const purchases = "/api/v1/sales/1/purchases";
const max = 10;

/** So many connections of one address, each with a request that the upstream does not answer yet; those that got in. */
async function crowd(proxy: ProxyProcess, size: number, from: string): Promise<TlsClient[]> {
  const clients = Array.from({ length: size }, () => new TlsClient(proxy, { from }));
  for (const client of clients) if (await client.opened()) client.write(requestText("/api/v1/time"));
  return clients;
}
const isTurnedAway = (client: TlsClient) => client.isClosed || client.statuses[0] === 503;

describe.each(installedProxies)("[G9] %s, connections", (kind) => {
  const start = async (options: { perClientMax?: number; inAllMax?: number; changes?: readonly Change[] }) => {
    const stub = await StubUpstream.start();
    stub.behave = () => {};
    return { stub, proxy: await ProxyProcess.start(kind, { upstreams: [stub.at], ...options }) };
  };
  /** Waits until each has a place or has been turned away. */
  const settled = (stub: StubUpstream, clients: readonly TlsClient[], places: number) =>
    waitFor(
      `${places} of ${clients.length} have a place`,
      () => stub.arrivals.length >= places && clients.filter(isTurnedAway).length >= clients.length - places,
    );

  test(`one address has ${max}, others are served; who leaves makes room`, async () => {
    const { stub, proxy } = await start({ perClientMax: max });
    const greedy = await crowd(proxy, max + 5, "127.0.0.5");
    await settled(stub, greedy, max);
    expect([stub.arrivals.length, greedy.filter(isTurnedAway).length]).toEqual([max, 5]);
    stub.behave = (_, socket) => answer(socket);
    expect((await ask(proxy, "/api/v1/time", { from: "127.0.0.6" })).status).toBe(200);
    for (const client of greedy) client.leave();
    await waitFor("there is room again", async () => (await ask(proxy, "/api/v1/time", { from: "127.0.0.5" })).status === 200);
  });

  test("control: with a higher cap all of them get in", async () => {
    const { stub, proxy } = await start({ perClientMax: max + 5 });
    await settled(stub, await crowd(proxy, max + 5, "127.0.0.5"), max + 5);
    expect(stub.arrivals.length).toBe(max + 5);
  });

  test(`all addresses together have ${max}; one more waits or is told to come again, and the rest go on`, async () => {
    const { stub, proxy } = await start({ inAllMax: max });
    const first = await Promise.all(Array.from({ length: max }, (_, i) => crowd(proxy, 1, `127.0.1.${i + 1}`)));
    await waitFor("each has a place", () => stub.arrivals.length === max);
    const late = new TlsClient(proxy, { from: "127.0.2.1" });
    late.write(requestText("/api/v1/time"));
    // haproxy takes no more connections in, nginx says so.
    if (kind === "nginx") await waitFor("it is told so", () => late.statuses[0] === 503);
    expect(stub.arrivals.length).toBe(max);
    stub.behave = (_, socket) => answer(socket);
    for (const client of first.flat()) client.leave();
    if (kind === "haproxy") await waitFor("it gets in", () => late.statuses[0] === 200);
    expect((await ask(proxy, "/api/v1/time")).status).toBe(200);
  });

  const oneNetwork = (proxy: ProxyProcess) =>
    Array.from({ length: max + 1 }, (_, i) => clientAt(proxy, `2001:db8:1:2:${(i + 10).toString(16)}::${i}`));
  test("IPv6 clients are counted by their /64", async () => {
    const { stub, proxy } = await start({ perClientMax: max, changes: addressIsTold[kind] });
    await settled(stub, oneNetwork(proxy), max);
    expect(stub.arrivals.length).toBe(max);
    const others = ["2001:db8:1:3::1", "2001:db8:1::1", "198.51.100.1"].map((address) => clientAt(proxy, address));
    await settled(stub, others, max + others.length);
    expect(others.filter(isTurnedAway)).toEqual([]);
  });

  test("control: counted by their whole address, one network has as many places as it likes", async () => {
    const { stub, proxy } = await start({ perClientMax: max, changes: [...addressIsTold[kind], wholeAddress[kind]] });
    await settled(stub, oneNetwork(proxy), max + 1);
    expect(stub.arrivals.length).toBe(max + 1);
  });
});

/** So that one machine may play many: the address that counts is the one the client names. */
const addressIsTold: PerProxy<readonly Change[]> = {
  nginx: [
    [
      "include operator/site.conf;",
      "include operator/site.conf;\n        set_real_ip_from 127.0.0.1;\n        real_ip_header X-Test-Address;",
    ],
  ],
  haproxy: [
    ["v6only ssl", "v6only accept-proxy ssl"],
    ["tcp-request connection", "tcp-request session"],
  ],
};

const wholeAddress: PerProxy<Change> = {
  nginx: ["~(?s)^(?<network>.{8}).{8}$", "~(?s)^(?<network>.{16})$"],
  haproxy: [",ipmask(32,64)", ""],
};

function clientAt(proxy: ProxyProcess, address: string): TlsClient {
  const client = proxy.kind === "haproxy" ? new TlsClient(proxy, { named: address }) : new TlsClient(proxy);
  client.write(requestText("/api/v1/time", { headers: { "X-Test-Address": address } }));
  return client;
}

/** Bounds that are no bounds. */
const patient: PerProxy<readonly Change[]> = {
  nginx: [
    ["client_header_timeout     5s", "client_header_timeout     60s"],
    ["client_body_timeout       5s", "client_body_timeout       60s"],
  ],
  haproxy: [
    ["timeout http-request    5s", "timeout http-request    60s"],
    ["wait-for-body time 5s", "wait-for-body time 60s"],
    ["timeout client          15s", "timeout client          60s"],
  ],
};
type Slow = (client: TlsClient) => void;
const slowEverywhere: Readonly<Record<string, Slow>> = {
  "says nothing": () => {},
  "sends a header every half second": (client) => {
    client.write("GET /api/v1/time HTTP/1.1\r\nHost: shop.test\r\n");
    drip(client, "X-A: a\r\n");
  },
  "sends no end of its headers": (client) => client.write("GET /api/v1/time HTTP/1.1\r\nHost: shop.test\r\n"),
  "sends a part of its body and no more": (client) =>
    client.write(`${requestText(purchases, { method: "POST", headers: { "Content-Length": "1000" } })}{"quantity":`),
};
const slowOnes: PerProxy<Readonly<Record<string, Slow>>> = {
  // nginx bounds each pause of a body and not the whole; docs/deployment.md says so.
  nginx: slowEverywhere,
  haproxy: {
    ...slowEverywhere,
    "sends a byte of its body every half second": (client) => {
      client.write(requestText(purchases, { method: "POST", headers: { "Content-Length": "1000" } }));
      drip(client, "x");
    },
  },
};

test.skipIf(noProxy)(
  "[G9] slow senders are cut while others are served, and reach nobody; the controls' are not",
  async () => {
    await everyProxy(async (kind) => {
      const stub = await StubUpstream.start();
      const proxy = await ProxyProcess.start(kind, { upstreams: [stub.at] });
      const control = await ProxyProcess.start(kind, { upstreams: [stub.at], changes: patient[kind] });
      const begin = (at: ProxyProcess) =>
        Object.entries(slowOnes[kind]).map(([name, act]) => {
          const client = new TlsClient(at, { from: "127.0.0.5" });
          act(client);
          return { name: `${kind}: ${name}`, client };
        });
      const [slow, tolerated] = [begin(proxy), begin(control)];
      const left = () => slow.filter(({ client }) => !client.isClosed).map(({ name }) => name);
      let probes = 0;
      const probed = async () => {
        expect((await ask(proxy, "/api/v1/time", { from: "127.0.0.6" })).status).toBe(200);
        probes += 1;
        return left().length === 0;
      };
      await waitFor("all are cut", probed, { withinMs: 8_000 }).catch((error: unknown) => {
        throw new Error(`still there: ${left().join(", ")}`, { cause: error });
      });
      expect(tolerated.filter(({ client }) => client.isClosed).map(({ name }) => name)).toEqual([]);
      expect(stub.arrivals.filter(({ method }) => method === "POST")).toEqual([]);
      expect(stub.arrivals.length).toBe(probes);
    });
  },
  20_000,
);

function drip(client: TlsClient, text: string): void {
  const timer = setInterval(() => (client.isClosed ? clearInterval(timer) : client.write(text)), 500);
  client.socket.once("close", () => clearInterval(timer));
}

describe.each(installedProxies)("[G9] %s, sizes", (kind) => {
  const boundless: PerProxy<readonly Change[]> = {
    nginx: [
      ["client_max_body_size        64k", "client_max_body_size        10m"],
      ["client_max_body_size 2k", "client_max_body_size 10m"],
      ["large_client_header_buffers 2 8k", "large_client_header_buffers 8 64k"],
    ],
    haproxy: [
      ["req.body_size gt 65536", "req.body_size gt 10000000"],
      ["req.body_size gt 2048", "req.body_size gt 10000000"],
      ["req.hdrs,length gt 8192", "req.hdrs,length gt 10000000"],
      ["url_len gt 8192", "url_len gt 10000000"],
    ],
  };
  const post = (path: string, bytes: number, chunked = false) =>
    ({ path, method: "POST", ...(chunked ? { chunks: bytes } : { body: "x".repeat(bytes) }) }) as const;
  const get = (headers: Readonly<Record<string, string>>) => ({ path: "/api/v1/time", headers }) as const;
  const header = (bytes: number) => get({ "X-A": "a".repeat(bytes) });

  type Sized = {
    readonly path: string;
    readonly method?: string;
    readonly body?: string;
    readonly chunks?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
  const send = (proxy: ProxyProcess, { path, chunks, ...request }: Sized) =>
    chunks === undefined
      ? ask(proxy, path, request)
      : ask(proxy, path, {
          ...request,
          headers: { "Transfer-Encoding": "chunked" },
          tail: `${chunks.toString(16)}\r\n${"x".repeat(chunks)}\r\n0\r\n\r\n`,
        });

  const withinBounds: readonly [string, Sized][] = [
    ["a purchase of 2 KiB", post(purchases, 2_048)],
    ["a body of 64 KiB", post("/api/v1/products", 65_536)],
    ["a chunked body of 64 KiB", post("/api/v1/products", 65_536, true)],
    ["a header of 7 KiB", header(7_000)],
    ["a path of 4 KiB", { path: `/api/v1/sales?x=${"a".repeat(4_000)}` }],
  ];
  const beyond: readonly [string, number, Sized][] = [
    ["a purchase of a byte more", 413, post(purchases, 2_049)],
    ["a purchase of another system's path", 413, post("/api/v1/seckill/purchase/async", 2_049)],
    ["a body of a byte more than 64 KiB", 413, post("/api/v1/products", 65_537)],
    ["a chunked body of a byte more", 413, post("/api/v1/products", 65_537, true)],
    ["a body of 2 MB", 413, post("/api/v1/products", 2_000_000)],
    ["headers of 20 KiB", 431, header(20_000)],
    ["a path of 20 KiB", 400, { path: `/api/v1/sales?x=${"a".repeat(20_000)}` }],
  ];
  const reasons: Readonly<Record<number, ErrorReason>> = { 413: "too_large", 431: "too_many_headers", 400: "malformed" };

  test("what the product takes goes through, what is more gets its answer here; the control lets it through", async () => {
    const stub = await StubUpstream.start();
    const proxy = await ProxyProcess.start(kind, { upstreams: [stub.at] });
    for (const [name, request] of withinBounds) expect([name, (await send(proxy, request)).status]).toEqual([name, 200]);
    expect(stub.arrivals.splice(0).map(({ target }) => target)).toEqual(withinBounds.map(([, { path }]) => path));
    for (const [name, status, request] of beyond) {
      const told = await send(proxy, request);
      expect([name, told.status, told.body]).toEqual([name, status, failure(reasons[status] ?? "internal").body]);
    }
    expect(stub.arrivals).toEqual([]);
    const control = await ProxyProcess.start(kind, { upstreams: [stub.at], changes: boundless[kind] });
    for (const [, , request] of beyond.filter(([name]) => !name.includes("2 MB"))) await send(control, request);
    expect(stub.arrivals.length).toBe(beyond.length - 1);
  }, 30_000);
});
