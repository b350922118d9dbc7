/** Many live streams, and bad ones: a thousand clients in a storm, clients that do not read, a server that stops. */
import { afterEach, describe, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { EventClient } from "../harness/event-client.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { backlogBytesMax } from "../../src/http/sse/event-stream.ts";
import { frameGapMs } from "../../src/http/sse/sale-channel.ts";

afterEach(cleanUp);

const runtimes: readonly Runtime[] = ["bun", "node"];
const start = (runtime: Runtime, env: Readonly<Record<string, string>> = {}) =>
  ServerProcess.start({ dataDir: tempFolder().path, runtime, env });

test("[H5] [LP3] 1,000 clients hear a storm of 400 purchases in the same bytes, at most twice a second", async () => {
  const server = await start("bun", { DOORBUSTER_TRUSTED_PROXIES: "127.0.0.0/8" });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ stock: 400 });
  // Each as if through a balancer, for one address may have fifty.
  const addressOf = (i: number) => ({ "X-Forwarded-For": `198.51.${100 + (i >> 8)}.${i & 255}` });
  const clients = Array.from({ length: 1_000 }, (_, i) => new EventClient(server.url, `/api/v1/sales/${saleId}/events`, addressOf(i)));
  await waitFor("everybody is in", () => clients.every(({ text }) => text.includes("event: stock")), { withinMs: 30_000 });
  expect((await shop.get("/metrics")).text).toContain("doorbuster_streams_open 1000");
  let next = 0;
  const buyer = async () => {
    for (let i = next++; i < 400; i = next++) expect((await shop.buy(saleId, `buyer-${i}`)).status).toBe(201);
  };
  await Promise.all(Array.from({ length: 20 }, buyer));
  await waitFor("everybody hears that all is taken", () => clients.every(({ text }) => text.includes('"all_taken"')), { withinMs: 30_000 });
  // All joined before the first purchase, and every frame of the storm reached all of them.
  const storms = new Set(clients.map(({ body }) => body.slice(body.indexOf("event: stock")).replaceAll(/^: .*\n\n/gm, "")).map(afterFirst));
  expect(storms.size).toBe(1);
  const frames = clients[0]?.named("stock") ?? [];
  const times = frames.slice(1).map(({ data }) => Date.parse(String(data["server_time"])));
  for (const [i, ms] of times.entries()) if (i > 0) expect(ms - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(frameGapMs - 1);
  expect(frames.at(-1)?.data).toMatchObject({ available: 0, held: 400 });
  for (const client of clients) client.leave();
  await waitFor("nobody is left", async () => (await shop.get("/metrics")).text.includes("doorbuster_streams_open 0"));
  expect(await server.stop()).toBe(0);
}, 120_000);

/** Behind the state on joining, which tells each client its own time. */
const afterFirst = (body: string): string => body.slice(body.indexOf("\n\n") + 2);

type Counts = Readonly<Record<"sent" | "backlogMax" | "ended" | "open" | "lagged" | "rss", number>>;

describe.each(runtimes)("[LP6] on %s a client that does not read", (runtime) => {
  const lag = async (env: Readonly<Record<string, string>>) => {
    const entry = ["tests/harness/slow-reader-server.ts"];
    const server = await ServerProcess.start({ dataDir: tempFolder().path, runtime, entry, env });
    // The shape is slow-reader-server.ts's own.
    const counts = async () => (await (await fetch(`${server.url}/counts`)).json()) as Counts;
    const client = new EventClient(server.url, "/stream");
    client.socket.pause();
    return { server, counts, client };
  };

  test(`is cut with at most ${backlogBytesMax / 1024} KiB waiting for it, and its socket is closed`, async () => {
    const { server, counts, client } = await lag({});
    await waitFor("the stream is cut", async () => (await counts()).lagged === 1, { withinMs: 30_000 });
    const { sent, backlogMax, ended, open } = await counts();
    console.log(`${runtime}: cut after ${sent} bytes, of which the sockets held all but ${backlogMax}`);
    expect({ ended, open }).toEqual({ ended: 1, open: 0 });
    expect(backlogMax).toBeLessThanOrEqual(backlogBytesMax);
    client.socket.resume();
    await waitFor("the socket is closed", () => client.isClosed);
    expect(server.log.filter((line) => !line.includes("listening"))).toEqual([]);
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("control: without the bound what waits for it grows on", async () => {
    const { server, counts } = await lag({ BACKLOG_MAX: "none" });
    await waitFor("more waits than may", async () => (await counts()).backlogMax > 20 * backlogBytesMax, { withinMs: 30_000 });
    expect((await counts()).lagged).toBe(0);
    await server.kill();
  }, 60_000);
});

describe.each(runtimes)("[LP17] on %s behind a proxy that adds a line of its own", (runtime) => {
  test("a client that writes another X-Forwarded-For each time is still one: 50 streams of 60", async () => {
    const server = await start(runtime, { DOORBUSTER_TRUSTED_PROXIES: "127.0.0.0/8" });
    const path = `/api/v1/sales/${await new Shop(() => server.url).liveSale()}/events`;
    const written = (i: number) => ({ "X-Forwarded-For": `198.51.100.${i}\r\nX-Forwarded-For: 203.0.113.9` });
    const clients = Array.from({ length: 60 }, (_, i) => new EventClient(server.url, path, written(i)));
    await waitFor("everybody has an answer", () => clients.every(({ status }) => status > 0));
    const count = (status: number) => clients.filter((client) => client.status === status).length;
    expect([count(200), count(429)]).toEqual([50, 10]);
    for (const client of clients) client.leave();
    expect(await server.stop()).toBe(0);
  }, 60_000);
});

describe.each(runtimes)("[LP13] on %s a server that stops", (runtime) => {
  test("ends its streams with a word, and does not wait for those who do not leave", async () => {
    const server = await start(runtime, { DOORBUSTER_DRAIN_TIMEOUT_MS: "60000" });
    const shop = new Shop(() => server.url);
    const saleId = await shop.liveSale();
    const clients = Array.from({ length: 20 }, () => new EventClient(server.url, `/api/v1/sales/${saleId}/events`));
    for (const client of clients) await waitFor("its state", () => client.named("stock").length === 1);
    clients[0]?.socket.pause();
    // Far less than the drain's own time-out: nothing waits for a stream.
    expect(await server.stop(15_000)).toBe(0);
    for (const client of clients.slice(1)) expect(client.events.at(-1)?.event).toBe("draining");
  }, 60_000);
});
