import { createHmac } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { openMemoryApi, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import type { LogFields } from "../ports/log.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { RequestLog } from "./request-log.ts";
import { traceIdOf } from "./trace-context.ts";

const secret = "the-installation's-own-secret-0123456789";
const perSecondMax = 50;
let api: MemoryApi;
let saleId: string;
beforeEach(async () => {
  api = await openMemoryApi({ requestLog: { perSecondMax, client: "pseudonym", secret } });
  ({ saleId } = await api.openSale({ nowMs: api.time.nowMs }));
  api.logged.length = 0;
});
afterEach(() => api.close());

const lines = (of: MemoryApi = api): LogFields[] =>
  of.logged.filter(({ message }) => message === "request").map(({ fields }) => fields ?? {});
const lastLine = (of: MemoryApi = api): LogFields => lines(of).at(-1) ?? {};
const named = (text: string) => createHmac("sha256", secret).update(text).digest("hex").slice(0, 12);

test("[G4, LG1] a request has one line: what, how it ended, how long, which, whose", async () => {
  const call = { key: shopKey, userId: "ann", idempotencyKey: "k-1", json: { quantity: 1 }, peer: "198.51.100.7" };
  const bought = await api.ask("POST", `/api/v1/sales/${saleId}/purchases?utm=spring`, call);
  expect(lines()).toEqual([
    {
      method: "POST",
      route: "/api/v1/sales/:sale_id/purchases",
      status: 201,
      code: 0,
      reason: "accepted",
      duration_ms: expect.any(Number),
      request_id: bought.headers.get("x-request-id"),
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      buyer: named("shop ann"),
      server_key: "one",
      client: named("198.51.100.7"),
    },
  ]);
  expect(bought.headers.get("traceresponse")).toStartWith(`00-${String(lastLine()["trace_id"])}-`);
});

test("[LG1] an order's line has its route's pattern and the reason of a refusal, and nothing of the caller's text", async () => {
  await api.ask("GET", `/api/v1/orders/4242?canary=1`, { bearer: await api.tokenOf("ann") });
  expect(lastLine()).toMatchObject({
    method: "GET",
    route: "/api/v1/orders/:order_id",
    status: 404,
    reason: "purchase_unknown",
    buyer: named("shop ann"),
  });
  await api.ask("GET", "/canary/path", { headers: { "user-agent": "canary", "x-forwarded-for": "canary" } });
  expect(lastLine()).toMatchObject({ route: undefined, status: 404, reason: "path_unknown" });
  await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer: "canary.canary.canary", idempotencyKey: "canary" });
  expect(lastLine()).toMatchObject({ status: 401, reason: "unauthenticated", buyer: undefined, code: 401 });
  expect(JSON.stringify(lines())).not.toContain("canary");
});

test("[LG3] a buyer's pseudonym is the same by token and by key, another in another installation, and not the name", async () => {
  await api.ask("GET", "/api/v1/orders", { bearer: await api.tokenOf("ann") });
  const byToken = lastLine()["buyer"];
  await api.ask("GET", "/api/v1/orders", { key: shopKey, userId: "ann" });
  expect(lastLine()["buyer"]).toBe(byToken);
  await api.ask("GET", "/api/v1/orders", { key: shopKey, userId: "bob" });
  expect(lastLine()["buyer"]).not.toBe(byToken);
  const elsewhere = await openMemoryApi({ requestLog: { perSecondMax, client: "plain", secret: `${secret}2` } });
  await elsewhere.ask("GET", "/api/v1/orders", { key: shopKey, userId: "ann", peer: "198.51.100.7" });
  expect(lastLine(elsewhere)["buyer"]).not.toBe(byToken);
  expect(lastLine(elsewhere)["client"]).toBe("198.51.100.7");
  await elsewhere.close();
});

test("[LG2] a storm leaves so many lines and the number of those left out; failures have lines of their own", () => {
  const log = new RequestLog({ deps: api.deps, clientOf: (_, address) => address }, { perSecondMax, client: "pseudonym", secret });
  const admitted = (status: number, atMs: number, times: number) =>
    Array.from({ length: times }, () => log.admits(status, atMs)).filter(Boolean).length;
  expect([admitted(409, 10, 20_000), admitted(503, 500, 7), admitted(201, 1_009, 100)]).toEqual([perSecondMax, 7, 0]);
  expect(api.logged).toEqual([]);
  expect(admitted(201, 1_010, 1)).toBe(1);
  expect(api.logged.map(({ fields }) => fields)).toEqual([{ left_out: 20_050 }]);
  expect(admitted(503, 1_600, 20_000)).toBe(perSecondMax);
});

test("[LG2] without the option nothing is logged and nothing is answered differently", async () => {
  const silent = await openMemoryApi();
  const answer = await silent.ask("GET", "/api/v1/time");
  expect([lines(silent).length, answer.headers.get("traceresponse")]).toEqual([0, null]);
  await silent.close();
});

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
// oxfmt-ignore
const traceparents: readonly [what: string, header: string | null, taken: boolean][] = [
  ["none", null, false],
  ["a good one", `00-${traceId}-${parentId}-01`, true],
  ["one that was not sampled", `00-${traceId}-${parentId}-00`, true],
  ["a later version", `cc-${traceId}-${parentId}-01`, true],
  ["a later version with more", `cc-${traceId}-${parentId}-01-what.the.future.brings`, true],
  ["the first version with more", `00-${traceId}-${parentId}-01-more`, false],
  ["version ff", `ff-${traceId}-${parentId}-01`, false],
  ["trace id zero", `00-${"0".repeat(32)}-${parentId}-01`, false],
  ["parent id zero", `00-${traceId}-${"0".repeat(16)}-01`, false],
  ["capitals", `00-${traceId.toUpperCase()}-${parentId}-01`, false],
  ["too short", `00-${traceId.slice(1)}-${parentId}-01`, false],
  ["too long", `00-${traceId}0-${parentId}-01`, false],
  ["no flags", `00-${traceId}-${parentId}`, false],
  ["odd flags", `00-${traceId}-${parentId}-1`, false],
  ["not hexadecimal", `00-${traceId.replace("4", "g")}-${parentId}-01`, false],
  ["another separator", `00_${traceId}_${parentId}_01`, false],
  ["two of them", `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`, false],
  ["words", "canary", false],
];
test.each([...traceparents])("[LG4] traceparent: %s", async (_, header, taken) => {
  expect(traceIdOf(header)).toBe(taken ? traceId : undefined);
  const answer = await api.ask("GET", "/api/v1/time", { headers: header === null ? {} : { traceparent: header } });
  expect(lastLine()["trace_id"] === traceId).toBe(taken);
  expect(answer.headers.get("traceresponse")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("[LG4] nothing else gets into a trace id", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => expect(traceIdOf(text)).toBeUndefined()));
});

test("[LG1] a storm on a store that does not answer: each line says what was answered, and few say why, without a stack", async () => {
  const store = new MemoryStore();
  const down = await openMemoryApi({ store, requestLog: { perSecondMax: 1_000, client: "pseudonym", secret } });
  const sale = await down.openSale({ nowMs: down.time.nowMs });
  down.logged.length = 0;
  store.internBuyers = () => Promise.reject(new StoreUnavailable("unavailable", "the database is away"));
  const buy = (id: number) => down.ask("POST", `/api/v1/sales/${sale.saleId}/purchases`, { key: shopKey, userId: `new-${id}` });
  for (let id = 0; id < 40; id++) expect((await buy(id)).status).toBe(503);
  expect(lines(down)).toHaveLength(40);
  for (const line of lines(down)) expect(line).toMatchObject({ status: 503, code: 503, reason: "busy" });
  const warnings = down.logged.filter(({ message }) => message === "The store did not answer");
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings.length).toBeLessThan(40);
  expect(warnings[0]?.fields).toMatchObject({ code: "unavailable", problem: "the database is away" });
  expect(JSON.stringify(warnings)).not.toContain("stack");
  await down.close();
});
