/**
 * A request that may have reached the product is never sent again by somebody who cannot know, and what the proxy says in the
 * product's place is as true as what the product says: 503 was not tried, 504 may have happened.
 */
import { afterEach, describe, expect, test } from "bun:test";
import type { ErrorReason } from "../../src/domain/errors.ts";
import { failure } from "../../src/http/envelope.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { waitFor } from "../harness/wait.ts";
import { everyProxy, freePort, installedProxies, noProxy, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { answer, StubUpstream, type Behaviour } from "./stub-upstream.ts";
import { ask, requestText, TlsClient, type Ask, type Told } from "./tls-client.ts";

afterEach(cleanUp);

const purchases = "/api/v1/sales/1/purchases";
const purchase: Ask = { method: "POST", body: '{"quantity":1}', headers: { "Idempotency-Key": "click-1" } };
const dies: Behaviour = (_, socket) => socket.destroy();
/** Begins to answer, and then it is gone. */
const breaksOff: Behaviour = (_, socket) => socket.end("HTTP/1.1 201 Created\r\nContent-Type: app");

async function twoStubs(behave: Behaviour) {
  const stubs = [await StubUpstream.start(), await StubUpstream.start()];
  for (const stub of stubs) stub.behave = behave;
  return { upstreams: stubs.map(({ at }) => at), arrivals: () => stubs.flatMap((stub) => stub.arrivals) };
}
const saysAsTheProduct = (told: Told, reason: ErrorReason) => {
  const { status, body, headers = {} } = failure(reason);
  expect([told.status, told.body, told.headers.get("retry-after")]).toEqual([status, body, headers["Retry-After"] ?? null]);
  expect(told.headers.get("content-type")).toBe("application/json");
  for (const name of ["x-request-id", "content-security-policy"]) expect([name, told.headers.get(name)]).not.toEqual([name, null]);
  expect([told.headers.get("cache-control"), told.headers.get("x-content-type-options")]).toEqual(["no-store", "nosniff"]);
};

describe.each(installedProxies)("[G9] %s, with an upstream that dies", (kind) => {
  /** What others would do to be helpful. */
  const helpful: PerProxy<readonly Change[]> = {
    nginx: [
      ["proxy_next_upstream         error timeout;", "proxy_next_upstream         error timeout non_idempotent;"],
      ["proxy_next_upstream off;", "proxy_next_upstream error timeout non_idempotent;"],
    ],
    haproxy: [["retry-on conn-failure", "retry-on all-retryable-errors"]],
  };
  const once: readonly [string, string, Ask][] = [
    ["a purchase", purchases, purchase],
    [
      "a chunked purchase",
      purchases,
      { method: "POST", headers: { "Transfer-Encoding": "chunked" }, tail: 'e\r\n{"quantity":1}\r\n0\r\n\r\n' },
    ],
    ["a change", "/api/v1/products/1", { method: "PATCH", body: "{}" }],
    ["a new password", "/api/v1/account/password", { method: "PUT", body: "{}" }],
    ["a key that is revoked", "/api/v1/keys/1", { method: "DELETE" }],
  ];

  test.each([
    ["without an answer", dies],
    ["in the middle of its answer", breaksOff],
  ])("%s, a request that changes something has arrived once, and its outcome is unknown", async (_, behave) => {
    const { upstreams, arrivals } = await twoStubs(behave);
    const proxy = await ProxyProcess.start(kind, { upstreams });
    for (const [name, path, request] of once) {
      const before = arrivals().length;
      saysAsTheProduct(await ask(proxy, path, request), "outcome_unknown");
      expect([name, arrivals().length - before]).toEqual([name, 1]);
    }
  });

  test("on connections that were used before, it has arrived once, too; haproxy then closes without a word", async () => {
    const { upstreams, arrivals } = await twoStubs((arrival, socket) => (arrival.method === "GET" ? answer(socket) : socket.destroy()));
    const proxy = await ProxyProcess.start(kind, { upstreams });
    const client = new TlsClient(proxy);
    for (const round of [1, 2, 3, 4]) {
      client.write(requestText("/api/v1/time"));
      await waitFor("it has its answer", () => client.statuses.length === round);
    }
    client.write(requestText(purchases, purchase));
    await waitFor("it is over", () => client.isClosed || client.statuses.length === 5);
    expect([200, 504]).toContain(client.statuses.at(-1) ?? 0);
    expect(arrivals().filter(({ method }) => method === "POST").length).toBe(1);
  });

  test("control: told to be helpful, it sends a purchase that has arrived to the other one", async () => {
    const { upstreams, arrivals } = await twoStubs(dies);
    const proxy = await ProxyProcess.start(kind, { upstreams, changes: helpful[kind] });
    await ask(proxy, purchases, purchase);
    expect(arrivals().length).toBeGreaterThan(1);
  });

  test("that says nothing: after a while the outcome is unknown, and nobody else has heard of it", async () => {
    const { upstreams, arrivals } = await twoStubs(() => {});
    const proxy = await ProxyProcess.start(kind, { upstreams, changes: impatient[kind] });
    saysAsTheProduct(await ask(proxy, purchases, purchase), "outcome_unknown");
    expect(arrivals().length).toBe(1);
  });
});

/** The same wait, shorter. */
const impatient: PerProxy<readonly Change[]> = {
  nginx: [["proxy_read_timeout    15s", "proxy_read_timeout    1s"]],
  haproxy: [["timeout server     15s", "timeout server     1s"]],
};

describe.each(installedProxies)("[G9] %s, with an upstream that is not there", (kind) => {
  test("sends what could not be sent to the other one, each time", async () => {
    const stub = await StubUpstream.start();
    const proxy = await ProxyProcess.start(kind, { upstreams: [`127.0.0.1:${await freePort()}`, stub.at] });
    for (let i = 0; i < 6; i++) expect((await ask(proxy, purchases, purchase)).status).toBe(200);
    expect(stub.arrivals.length).toBe(6);
  });

  test("nor any other: nothing was tried", async () => {
    const proxy = await ProxyProcess.start(kind, { upstreams: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`] });
    for (const request of [purchase, { method: "DELETE" }, {}]) saysAsTheProduct(await ask(proxy, purchases, request), "busy");
  });

  test("control: without our words for it, a proxy answers in words of its own", async () => {
    const bare: PerProxy<readonly Change[]> = {
      nginx: [["error_page 500 502 504 = @unanswered;", ""]],
      haproxy: [["errorfile 503 errors/503.http", ""]],
    };
    const proxy = await ProxyProcess.start(kind, { upstreams: [`127.0.0.1:${await freePort()}`], changes: bare[kind] });
    expect((await ask(proxy, purchases, purchase)).body).toContain("<html>");
  });
});

describe.each(installedProxies)("[G9] %s, with what the product says", (kind) => {
  test.each(["busy", "outcome_unknown", "payment_failed", "too_large", "path_unknown", "malformed", "internal"] as const)(
    "passes on %s as it is",
    async (reason) => {
      const stub = await StubUpstream.start();
      const { status, body, headers = {} } = failure(reason, { problem: "of the product" });
      const written = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      stub.behave = (_, socket) => answer(socket, body, `${status} Said`, written.join(""));
      const told = await ask(await ProxyProcess.start(kind, { upstreams: [stub.at] }), purchases, purchase);
      expect([told.status, told.body, told.headers.get("x-request-id")]).toEqual([status, body, "stub"]);
      expect(told.headers.get("retry-after")).toBe(headers["Retry-After"] ?? null);
    },
  );
});

/** The earliest at which Bun closes a connection on which nothing happens; tests/proxy-files.test.ts holds the two together. */
const idleMinMs = 8_000;
const lasting: PerProxy<readonly Change[]> = {
  nginx: [["keepalive_timeout  5s", "keepalive_timeout  60s"]],
  haproxy: [["pool-purge-delay 500ms", "pool-purge-delay 60s"]],
};
const size = 40;

/** Twice as many requests, half of them at once, so that each needs a connection. */
async function burst(proxy: ProxyProcess, stub: StubUpstream): Promise<void> {
  stub.behave = () => {
    if (stub.arrivals.length % size === 0) for (const socket of stub.sockets) answer(socket);
  };
  const clients = Array.from({ length: size }, (_, i) => new TlsClient(proxy, { from: `127.0.1.${i + 1}` }));
  for (const round of [1, 2]) {
    for (const client of clients) client.write(requestText("/api/v1/time"));
    await waitFor("each has its answer", () => clients.every(({ statuses }) => statuses.length === round));
  }
}

test.skipIf(noProxy)(
  "[G9] connections to the product are used again, and closed from the proxies' side before the product would; the controls' stay",
  async () => {
    await everyProxy(async (kind) => {
      const [stub, other] = [await StubUpstream.start(), await StubUpstream.start()];
      const proxy = await ProxyProcess.start(kind, { upstreams: [stub.at] });
      const control = await ProxyProcess.start(kind, { upstreams: [other.at], changes: lasting[kind] });
      await Promise.all([burst(proxy, stub), burst(control, other)]);
      expect([kind, new Set(stub.arrivals.map(({ connection }) => connection)).size < 2 * size]).toEqual([kind, true]);
      await waitFor(`${kind} has no idle connection any more`, () => stub.sockets.length === 0, { withinMs: idleMinMs - 1_000 });
      expect([kind, other.sockets.length > 0]).toEqual([kind, true]);
    });
  },
  30_000,
);
