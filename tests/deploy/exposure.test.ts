/** What a proxy keeps to the operator: the pages with figures, and everything in its log that a caller would rather not see there. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { apiKey, ServerProcess } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { installedProxies, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { ask } from "./tls-client.ts";

afterAll(cleanUp);

const pages = ["/metrics", "/api/v1/system/stats"];
/** The same pages, as some readers of a path would resolve it. */
const detours = [
  "/%6detrics",
  "/./metrics",
  "/x/../metrics",
  "/x/..\\metrics",
  "/%2e/metrics",
  "/x/%2E%2e/metrics",
  "/metrics?x",
  "/metrics#x",
  "https://shop.test/metrics",
  "//metrics",
  "/metrics/",
  "/api/v1/system/../system/stats",
  "/api/v1/%73ystem/stats",
];
const unguarded: PerProxy<readonly Change[]> = {
  nginx: [
    ["return 404;", "break;"],
    ["return 460;", "break;"],
  ],
  haproxy: [
    ["^/+(metrics|api/v1/system/stats)/*$", "^/nothing$"],
    ["is_unclean || is_folded || is_twisted || is_long", "is_long"],
  ],
};

let server: ServerProcess;
beforeAll(async () => {
  // These tests ask more in a second than its log would tell of.
  server = await ServerProcess.start({ dataDir: tempFolder().path, env: { DOORBUSTER_LOG_REQUESTS_PER_SECOND: "10000" } });
}, 30_000);
const start = (kind: (typeof installedProxies)[number], changes: readonly Change[] = []) =>
  ProxyProcess.start(kind, { upstreams: [new URL(server.url).host], changes });
const withKey = { headers: { "X-API-Key": apiKey } };

describe.each(installedProxies)("[G9] %s keeps", (kind) => {
  test("metrics and system statistics from everybody, key or not, on whatever detour; the control shows them", async () => {
    const proxy = await start(kind);
    for (const path of [...pages, ...detours]) {
      const { status } = await ask(proxy, path, withKey);
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
    }
    for (const path of ["/livez", "/readyz", "/healthz", "/api/v1/time"])
      expect([path, (await ask(proxy, path)).status]).toEqual([path, 200]);
    const control = await start(kind, unguarded[kind]);
    for (const path of [...pages, "/%6detrics", "/x/..\\metrics"])
      expect([path, (await ask(control, path, withKey)).status]).toEqual([path, 200]);
  });

  test("tokens, keys and names out of its log, and tells what an operator needs; the control logs them", async () => {
    const [proxy, control] = [await start(kind), await start(kind, talkative[kind])];
    for (const at of [proxy, control]) {
      await ask(at, "/api/v1/time?access_token=planted-query", {
        headers: { Authorization: "Bearer planted-bearer", Cookie: "a=planted-cookie" },
      });
      await ask(at, "/api/v1/sales/1/purchases/by-key/planted-key", {
        headers: { "X-API-Key": "planted-server-key", "X-User-Id": "planted-buyer" },
      });
      await ask(at, "/api/v1/products/1/quotas/planted-buyer", { method: "PUT", body: '{"units":"planted-body"}' });
      await ask(at, "/api/v1/seckill/purchased/1/planted-buyer");
      await ask(at, "/api/orders/user/planted-buyer");
      await ask(at, "/Planted-Token.AAAA.bbbb", { headers: { "Idempotency-Key": "planted-idempotency" } });
      await ask(at, "/api/v1/auth/login", { method: "POST", body: '{"username":"planted-name","password":"planted-password"}' });
      await waitFor("all lines are written", () => at.requests().length === 7);
    }
    expect(proxy.output()).not.toMatch(/planted/i);
    expect(control.output()).toMatch(/planted-query/);
    const paths = proxy.requests().map(({ path }) => path);
    expect(paths).toEqual([
      "/api/v1/time",
      "/api/v1/sales/1/purchases/by-key/*",
      "/api/v1/products/1/quotas/*",
      "/api/v1/seckill/purchased/1/*",
      "/api/orders/user/*",
      "*",
      "/api/v1/auth/login",
    ]);
    expect(proxy.requests()[0]).toMatchObject({ client: "127.0.0.1", method: "GET", status: 200 });
  });

  test("one id for a request in both logs and in the answer: the caller's, if it is one", async () => {
    const proxy = await start(kind);
    const lineOf = (id: string | null) => server.log.find((line) => id !== null && line.includes(`"request_id":"${id}"`));
    for (const id of ["caller-1", undefined, "x".repeat(65), "two words"]) {
      const told = await ask(proxy, "/api/v1/time", id === undefined ? {} : { headers: { "X-Request-Id": id } });
      const given = told.headers.get("x-request-id");
      expect(given === id).toBe(id === "caller-1");
      await waitFor(
        "both have logged it",
        () => lineOf(given) !== undefined && proxy.requests().some(({ request_id }) => request_id === given),
      );
    }
  });
});

const talkative: PerProxy<readonly Change[]> = {
  nginx: [['"path":"$doorbuster_path"', '"path":"$request_uri"']],
  haproxy: [['"path":"%[var(txn.path),json(utf8s)]"', '"path":"%HU"']],
};
