/** A server's life as its operator meets it: stopping under load, starting twice, starting wrongly; and one key, many posts. */
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, ServerProcess } from "../harness/server-process.ts";
import { Shop, type Answer } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded, waitFor } from "../harness/wait.ts";

afterEach(cleanUp);

/** What 100 posts under one key, all at once, came to. */
async function sameKeyStorm(
  shop: Shop,
  saleId: string,
): Promise<{ statuses: number[]; bodies: string[]; firsts: number; held: number | undefined }> {
  const answers = await Promise.all(Array.from({ length: 100 }, () => shop.buy(saleId, "alice", { key: "one" })));
  const unique = <Value>(values: readonly Value[]) => [...new Set(values)];
  return {
    statuses: unique(answers.map(({ status }) => status)),
    bodies: unique(answers.map(({ text }) => text)),
    firsts: answers.filter(({ headers }) => headers.get("idempotency-replayed") !== "true").length,
    held: (await shop.stock(saleId))["held"],
  };
}

test("[I8] 100 posts with one key at the same time: one effect, equal bodies; and the same after the sale is sold out", async () => {
  const dataDir = tempFolder().path;
  const server = await ServerProcess.start({ dataDir });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ stock: 2, per_buyer_limit: 2 });
  const { bodies, ...storm } = await sameKeyStorm(shop, saleId);
  expect(storm).toEqual({ statuses: [201], firsts: 1, held: 1 });
  expect(bodies).toHaveLength(1);
  const [body = ""] = bodies;
  const other = await shop.buy(saleId, "bob", { key: "one" });
  expect(other.status).toBe(201);
  for (const order of [JSON.parse(body).data, other.data]) expect((await shop.payExternally(order)).status).toBe(201);
  const late = await shop.buy(saleId, "carol");
  expect([late.status, late.reason]).toEqual([409, "sold_out"]);
  expect((await shop.buy(saleId, "alice", { key: "one" })).text).toBe(body);
  const changed = await shop.buy(saleId, "alice", { key: "one", quantity: 2 });
  expect([changed.status, changed.reason]).toEqual([422, "key_reused"]);
  expect(await server.stop()).toBe(0);
  expect((await verifyStore(dataDir)).problems).toEqual([]);
});

test("negative control: behind something that loses the key, the same storm has more than one effect", async () => {
  const server = await ServerProcess.start({ dataDir: tempFolder().path });
  const proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("idempotency-key");
      return fetch(server.url + pathname, {
        method: request.method,
        headers,
        body: request.method === "GET" ? null : await request.text(),
      });
    },
  });
  try {
    const shop = new Shop(() => `http://127.0.0.1:${proxy.port}`);
    const { bodies, held } = await sameKeyStorm(shop, await shop.liveSale({ stock: 5, per_buyer_limit: 2 }));
    expect(held).toBe(2);
    expect(bodies.length).toBeGreaterThan(1);
  } finally {
    await proxy.stop(true);
    await server.kill();
  }
});

/** What a request that was on its way when the server was told to stop may be told: an answer, or a clean "not now". */
const cleanStatuses = new Set([201, 409, 503]);

type Stop = { readonly answers: readonly (Answer | Error)[]; readonly exitCode: number; readonly tookMs: number; readonly saleId: string };

/** Ends a server under load, and says what those heard who had asked before. */
async function endUnderLoad(dataDir: string, end: (server: ServerProcess) => Promise<number>): Promise<Stop> {
  const server = await ServerProcess.start({ dataDir });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ stock: 100_000, per_buyer_limit: 1 });
  const asked: Promise<Answer | Error>[] = [];
  let ending = false;
  const worker = async () => {
    while (!ending) {
      const key = `k${asked.length}`;
      const answer = shop.buy(saleId, `buyer-${key}`, { key }).catch((error: Error) => error);
      asked.push(answer);
      await answer;
    }
  };
  const workers = Array.from({ length: 32 }, worker);
  await waitFor("some accepted purchases", () => asked.length > 500);
  ending = true;
  const began = performance.now();
  const exitCode = await end(server);
  const tookMs = performance.now() - began;
  await bounded("the last answers", 10_000, Promise.all(workers));
  return { answers: await Promise.all(asked), exitCode, tookMs, saleId };
}

const uncleanEnds = (answers: readonly (Answer | Error)[]) =>
  answers.flatMap((answer) => (answer instanceof Error ? [answer.message] : cleanStatuses.has(answer.status) ? [] : [answer.text]));

test(
  "[G7] a graceful stop under load: every request sent before gets an answer, exit 0 within 10 s, the data is there afterwards",
  async () => {
    const dataDir = tempFolder().path;
    const { answers, exitCode, tookMs, saleId } = await endUnderLoad(dataDir, (server) => server.stop(12_000));
    expect(uncleanEnds(answers)).toEqual([]);
    expect(exitCode).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
    const again = await ServerProcess.start({ dataDir });
    const shop = new Shop(() => again.url);
    const accepted = answers.flatMap((answer) => (answer instanceof Error || answer.status !== 201 ? [] : [answer]));
    expect(accepted.length).toBeGreaterThan(100);
    for (const answer of accepted.slice(-50)) expect((await shop.get(`/api/v1/orders/${String(answer.data["id"])}`)).status).toBe(200);
    expect((await shop.stock(saleId))["held"]).toBe(accepted.length);
    expect(await again.stop()).toBe(0);
    expect((await verifyStore(dataDir)).problems).toEqual([]);
  },
  { timeout: 60_000 },
);

test("[G7] a server that gives balancers notice says at once that it leaves, and serves on until the notice is over", async () => {
  const server = await ServerProcess.start({ dataDir: tempFolder().path, env: { DOORBUSTER_DRAIN_NOTICE_MS: "3000" } });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ stock: 10, per_buyer_limit: 10 });
  const stopped = server.stop();
  await waitFor("it says that it leaves", async () => (await shop.get("/readyz")).reason === "draining", { withinMs: 2_000 });
  expect((await shop.get("/healthz")).data["status"]).toBe("draining");
  expect((await shop.buy(saleId, "ann")).status).toBe(201);
  expect((await fetch(`${server.url}/api/v1/sales/${saleId}/events`)).status).toBe(200);
  expect(await stopped).toBe(0);
});

test(
  "negative control: an abrupt end under load is seen as such",
  async () => {
    const abrupt = async (server: ServerProcess) => {
      await server.kill();
      return server.exited;
    };
    const { answers, exitCode } = await endUnderLoad(tempFolder().path, abrupt);
    expect(uncleanEnds(answers).length).toBeGreaterThan(0);
    expect(exitCode).not.toBe(0);
  },
  { timeout: 60_000 },
);

test("a second server on the same data refuses to start with one clear line, and the first goes on", async () => {
  const dataDir = tempFolder().path;
  const first = await ServerProcess.start({ dataDir });
  const second = ServerProcess.spawn({ dataDir });
  expect(await bounded("the second server's refusal", 10_000, second.exited)).not.toBe(0);
  const complaint = await waitFor("a line that says why", () => second.log.find((line) => line.includes(dataDir)));
  expect(complaint).toMatch(/use|lock|running/i);
  expect((await new Shop(() => first.url).get("/readyz")).status).toBe(200);
  expect(await first.stop()).toBe(0);
  const third = await ServerProcess.start({ dataDir });
  expect(await third.stop()).toBe(0);
});

test.each(["bun", "node"] as const)(
  "a port that is taken, on %s: one clear line, and the process ends and lets go of its data",
  async (runtime) => {
    const taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
    const dataDir = tempFolder().path;
    const env = { DOORBUSTER_DATA_DIR: dataDir, DOORBUSTER_API_KEY: apiKey };
    const servePorts = async (port: string, metricsPort: string) =>
      runCommand(["serve", "--port", port], { env: { ...env, DOORBUSTER_METRICS_PORT: metricsPort }, runtime, withinMs: 30_000 });
    try {
      for (const [port, metricsPort] of [[taken.port, 0] as const, [0, taken.port] as const]) {
        const { code, err } = await servePorts(String(port), String(metricsPort));
        expect(code).toBe(1);
        expect(err).toMatch(/^doorbuster: .*port|^doorbuster: .*address/im);
      }
    } finally {
      await taken.stop(true);
    }
    const next = await ServerProcess.start({ dataDir });
    expect(await next.stop()).toBe(0);
  },
  { timeout: 120_000 },
);

test("[E5] wrong configuration: exit 2 before anything starts, one line per mistake, naming the option", async () => {
  const env = { DOORBUSTER_HTTP_PORT: "70000", DOORBUSTER_LOG_LEVEL: "loud", DOORBUSTER_HTTP_PROT: "1", DOORBUSTER_API_KEY: apiKey };
  const { code, out, err } = await runCommand(["serve"], { env, withinMs: 15_000 });
  expect(code).toBe(2);
  expect(out).toBe("");
  const lines = err.trim().split("\n");
  for (const name of ["DOORBUSTER_HTTP_PORT", "DOORBUSTER_LOG_LEVEL", "DOORBUSTER_HTTP_PROT"])
    expect(lines.filter((line) => line.includes(`${name}:`))).toHaveLength(1);
});

test("usage: an unknown command and an unknown flag exit with 2", async () => {
  expect((await runCommand(["sevre"], { withinMs: 15_000 })).code).toBe(2);
  expect((await runCommand(["serve", "--no-such-flag"], { withinMs: 15_000 })).code).toBe(2);
});

test("the data folder cannot be used: a clear line, not a stack", async () => {
  const { code, err } = await runCommand(["serve"], {
    env: { DOORBUSTER_DATA_DIR: join("/proc", "no-such-folder"), DOORBUSTER_API_KEY: apiKey, DOORBUSTER_HTTP_PORT: "0" },
    withinMs: 15_000,
  });
  expect(code).not.toBe(0);
  expect(err).toContain("no-such-folder");
  expect(err).not.toMatch(/^\s+at /m);
});
