/** What all answers share, and what the system says of itself. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { openMemoryApi, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
const started: MemoryApi[] = [];
const open = async (change: Parameters<typeof openMemoryApi>[0] = {}) => {
  api = await openMemoryApi(change);
  started.push(api);
  return api;
};
beforeEach(() => open());
afterEach(() => Promise.all(started.splice(0).map((one) => one.close())));

const options = { environment: "production", version: "test", shop: "shop", corsOrigins: [] as string[] } as const;

describe("every answer", () => {
  test("carries the caller's request id if it is fit, else one of ours", async () => {
    const idOf = async (path: string, given?: string) =>
      (await api.ask("GET", path, { headers: given === undefined ? {} : { "x-request-id": given } })).headers.get("x-request-id");
    for (const path of ["/livez", "/none", "/api/v1/orders"]) {
      expect(await idOf(path, "abc-123")).toBe("abc-123");
      for (const unfit of [undefined, "x".repeat(65), "a b", "ü"]) expect(await idOf(path, unfit)).toMatch(/^\S+-[0-9a-z]+$/);
    }
    expect(await idOf("/livez")).not.toBe(await idOf("/livez"));
  });

  test("of two made in one go each keeps its own", async () => {
    const [first, second] = await Promise.all([api.send("GET", "/livez"), api.send("GET", "/livez")]);
    expect(first.headers.get("x-request-id")).not.toBe(second.headers.get("x-request-id"));
  });

  test("is JSON, not to be sniffed, not to be kept", async () => {
    for (const path of ["/livez", "/none", "/api/v1/time"]) {
      const { headers } = await api.ask("GET", path);
      expect([headers.get("content-type"), headers.get("x-content-type-options"), headers.get("cache-control")]).toEqual([
        "application/json",
        "nosniff",
        "no-store",
      ]);
    }
  });
});

describe("paths and methods", () => {
  test("an unknown path is 404, a known one with another method 405", async () => {
    expect((await api.ask("GET", "/api/v2/sales")).data["reason"]).toBe("path_unknown");
    expect((await api.ask("GET", "/api/v1/sales/")).status).toBe(404);
    const told = await api.ask("DELETE", "/api/v1/sales");
    expect([told.status, told.data["reason"], told.headers.get("allow")]).toEqual([405, "method_not_allowed", "POST, GET, HEAD, OPTIONS"]);
    expect((await api.ask("GET", "/api/v1/sales/1/purchases")).headers.get("allow")).toBe("POST, OPTIONS");
    expect((await api.ask("PATCH", "/livez")).status).toBe(405);
  });

  test("HEAD answers as GET without its body, OPTIONS with what is allowed", async () => {
    const head = await api.ask("HEAD", "/api/v1/time");
    expect([head.status, head.text]).toEqual([200, ""]);
    const asked = await api.ask("OPTIONS", "/api/v1/sales/1/purchases", { headers: { origin: "https://shop.example" } });
    expect([asked.status, asked.headers.get("allow"), asked.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "POST, OPTIONS",
      null,
    ]);
    expect((await api.ask("OPTIONS", "/none")).status).toBe(404);
  });
});

describe("other origins", () => {
  const asOrigin = (origin: string) => ({ headers: { origin } });

  test("are told nothing unless the list has them exactly", async () => {
    await open({ options: { ...options, corsOrigins: ["https://shop.example"] } });
    for (const path of ["/api/v1/time", "/none"]) {
      const told = await api.ask("GET", path, asOrigin("https://shop.example"));
      expect([told.headers.get("access-control-allow-origin"), told.headers.get("vary")]).toEqual(["https://shop.example", "Origin"]);
      for (const origin of ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "null"]) {
        const other = await api.ask("GET", path, asOrigin(origin));
        expect([other.headers.get("access-control-allow-origin"), other.headers.get("vary")]).toEqual([null, "Origin"]);
      }
    }
    const purchase = await api.ask("POST", "/api/v1/sales/1/purchases", asOrigin("https://shop.example"));
    expect([purchase.status, purchase.headers.get("access-control-allow-origin")]).toEqual([401, "https://shop.example"]);
    const preflight = await api.ask("OPTIONS", "/api/v1/sales/1/purchases", asOrigin("https://shop.example"));
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST, OPTIONS");
  });
});

describe("failures", () => {
  const failing = (error: unknown) =>
    open({
      records: new Proxy(api.store, {
        get: (store, name) => (name === "product" ? () => Promise.reject(error) : Reflect.get(store, name)),
      }),
    });

  test.each([
    [new StoreUnavailable("unavailable", "planted"), 503, "busy"],
    [new StoreUnavailable("storage_full", "planted"), 503, "storage_full"],
    [new StoreUnavailable("unknown", "planted"), 504, "outcome_unknown"],
    [new TypeError("planted"), 500, "internal"],
  ])("of the store and of ours are said as they are, and logged (%#)", async (error, status, reason) => {
    await failing(error);
    const told = await api.ask("GET", "/api/v1/products/1", { headers: { "x-request-id": "r1" } });
    expect([told.status, told.data["reason"], told.headers.get("retry-after")]).toEqual([status, reason, status === 500 ? null : "1"]);
    expect(told.text).not.toContain("planted");
    expect(api.logged).toMatchObject([{ level: status === 500 ? "error" : "warn", fields: { request_id: "r1" } }]);
  });
});

describe("the system", () => {
  test("tells its time", async () => {
    expect((await api.ask("GET", "/api/v1/time")).data).toEqual({
      server_time: "2030-01-01T12:00:00.000Z",
      server_time_ms: 1_893_499_200_000,
    });
  });

  test("is ready while the store answers and nobody stops it; alive all the same", async () => {
    let leaving = false;
    await open({ isLeaving: () => leaving });
    expect((await api.ask("GET", "/readyz")).data).toEqual({ status: "ready" });
    leaving = true;
    const told = await api.ask("GET", "/readyz");
    expect([told.status, told.data["reason"], told.headers.get("retry-after")]).toEqual([503, "draining", "1"]);
    expect((await api.ask("GET", "/health")).data["status"]).toBe("draining");
    const broken = new Proxy(api.store, { get: () => () => Promise.reject(new StoreUnavailable("unavailable", "planted")) });
    await open({ records: broken });
    expect((await api.ask("GET", "/readyz")).status).toBe(503);
    expect((await api.ask("GET", "/livez")).status).toBe(200);
  });

  test("is not ready while the store hangs", async () => {
    const hanging = new Proxy(api.store, { get: () => () => new Promise(() => {}) });
    await open({ records: hanging, tasks: { ...api.deps.tasks, after: (_, run) => (queueMicrotask(run), () => {}) } });
    const told = await api.ask("GET", "/readyz");
    expect([told.status, told.data["reason"]]).toEqual([503, "busy"]);
  });

  test("sums itself up", async () => {
    for (const path of ["/health", "/healthz"])
      expect((await api.ask("GET", path)).data).toEqual({
        status: "ok",
        version: "test",
        environment: "production",
        uptime_seconds: expect.any(Number),
        server_time: "2030-01-01T12:00:00.000Z",
      });
    await open({ options: { ...api.deps.options, commit: "4f1a2b3" } });
    expect((await api.ask("GET", "/healthz")).data["commit"]).toBe("4f1a2b3");
  });

  test("shows metrics and statistics to the shop, in development to anybody, and on the operator's listener", async () => {
    const paths = ["/metrics", "/api/v1/system/stats"];
    for (const path of paths) expect((await api.ask("GET", path)).status).toBe(401);
    for (const path of paths) expect((await api.ask("GET", path, { key: shopKey })).status).toBe(200);
    const peer = { address: "127.0.0.1" };
    for (const path of [...paths, "/livez", "/readyz"])
      expect((await api.app.adminFetch(new Request(`http://a${path}`), peer)).status).toBe(200);
    expect((await api.app.adminFetch(new Request("http://a/api/v1/sales"), peer)).status).toBe(404);
    await open({ options: { ...options, environment: "development" } });
    for (const path of paths) expect((await api.ask("GET", path)).status).toBe(200);
  });

  test("shows what happens between cache, broker and ledger where a cache decides, and nothing of it elsewhere", async () => {
    const text = async () => (await api.ask("GET", "/metrics", { key: shopKey })).text;
    expect(await text()).not.toMatch(/doorbuster_(queue_events|queue_messages|broker)/);
    const stats = { events: { line_settled: 3, cache_lost: 1 }, unconfirmed: 7, brokerOpen: true };
    await open({ queueStats: () => stats });
    const lines = async () => (await text()).split("\n").filter((line) => /^doorbuster_(queue_events|queue_messages|broker)/.test(line));
    const events = ['doorbuster_queue_events_total{event="line_settled"} 3', 'doorbuster_queue_events_total{event="cache_lost"} 1'];
    expect(await lines()).toEqual([...events, "doorbuster_queue_messages_unconfirmed 7", "doorbuster_broker_open 1"]);
    stats.brokerOpen = false;
    expect(await lines()).toContain("doorbuster_broker_open 0");
  });

  test("counts purchases by how they ended", async () => {
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs, stock: 1, per_buyer_limit: 1 });
    const bearer = await api.tokenOf("ann");
    const buy = (call: object) => api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer, ...call });
    for (const call of [{ idempotencyKey: "k" }, { idempotencyKey: "k" }, {}, { json: { quantity: 0 } }, { bearer: "x" }]) await buy(call);
    const text = (await api.ask("GET", "/metrics", { key: shopKey })).text;
    for (const line of [
      'doorbuster_purchases_total{outcome="accepted"} 1',
      'doorbuster_purchases_total{outcome="replayed"} 1',
      'doorbuster_purchases_total{outcome="limit_reached"} 1',
      'doorbuster_purchases_total{outcome="malformed"} 1',
      'doorbuster_purchases_total{outcome="unauthenticated"} 1',
      'doorbuster_http_answers_total{status="400"} 1',
      "doorbuster_queue_length 0",
      "doorbuster_purchase_duration_seconds_count 5",
      'doorbuster_purchase_duration_seconds_bucket{le="+Inf"} 5',
    ])
      expect(text.split("\n")).toContain(line);
    for (const name of [
      "doorbuster_commits_total",
      "doorbuster_committed_lines_total",
      "doorbuster_process_cpu_seconds_total",
      "doorbuster_process_memory_bytes",
      "doorbuster_event_loop_delay_seconds",
    ])
      expect(text).toContain(`# HELP ${name} `);
    const { data } = await api.ask("GET", "/api/v1/system/stats", { key: shopKey });
    expect(data).toMatchObject({
      store: { sales: 1, purchases: 1, buyers: 1, refunds_open: 0 },
      purchases: { accepted: 1, replayed: 1, limit_reached: 1, malformed: 1, unauthenticated: 1 },
      acceptance: { waiting: 0, commits: expect.any(Number), lines: expect.any(Number) },
      latency_seconds: { p50: expect.any(Number), p99: expect.any(Number) },
    });
  });

  test("each scrape counts from the start, not on top of the last one", async () => {
    await api.ask("GET", "/api/v1/time");
    const lines = async () =>
      (await api.ask("GET", "/metrics", { key: shopKey })).text
        .split("\n")
        .filter((line) => line.startsWith("doorbuster_http_answers_total"));
    expect(await lines()).toEqual(['doorbuster_http_answers_total{status="200"} 1']);
    expect(await lines()).toEqual(['doorbuster_http_answers_total{status="200"} 2']);
  });
});
