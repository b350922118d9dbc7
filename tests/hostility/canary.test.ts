/** Nobody's data and no secret in anything that is written down: planted everywhere, searched for everywhere. */
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { reservePorts } from "../harness/engines/ports.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { answerOf, Shop, type Answer } from "../harness/shop.ts";
import { mayMount, tempFolder, tmpfs } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { Canaries, everyRoute, markedAccounts, openMarkedSale, type Storm } from "./canaries.ts";

afterAll(cleanUp);

const fillsDisks = mayMount();

type Written = { readonly log: string; readonly output: string; readonly metrics: string; readonly errors: readonly string[] };

/** A server with debug logging and marked secrets goes through the storm, stops, and shows what it wrote. */
async function stormAndStop(
  format: string,
  entry?: readonly string[],
): Promise<{ canaries: Canaries; written: Written; statuses: Set<number> }> {
  const canaries = new Canaries();
  const volume = fillsDisks ? tmpfs(48) : tempFolder();
  const logFile = join(tempFolder().path, "server.log");
  const port = String((await reservePorts(1)).numbers[0]);
  const key = canaries.add("DOORBUSTER_API_KEY", `${canaries.of("api key")}-0123456789abcdefghijklmnop`);
  const admin = { username: canaries.of("DOORBUSTER_ADMIN_USERNAME"), password: canaries.of("DOORBUSTER_ADMIN_PASSWORD") };
  const env = {
    DOORBUSTER_HTTP_PORT: port,
    DOORBUSTER_API_KEY: key,
    DOORBUSTER_TOKEN_SECRET: canaries.add("DOORBUSTER_TOKEN_SECRET", `${canaries.of("token secret")}-0123456789abcdefghijk`),
    DOORBUSTER_ADMIN_USERNAME: admin.username,
    DOORBUSTER_ADMIN_PASSWORD: admin.password,
    DOORBUSTER_SIGN_IN_PER_ACCOUNT: "1000",
    DOORBUSTER_SIGN_IN_PER_ADDRESS: "1000",
    DOORBUSTER_LOG_LEVEL: "debug",
    DOORBUSTER_LOG_FORMAT: format,
    DOORBUSTER_LOG_FILE: logFile,
    DOORBUSTER_LOG_REQUESTS_PER_SECOND: "10000",
  };
  const server = ServerProcess.spawn({ dataDir: join(volume.path, "data"), env, entry });
  const url = (server.url = `http://127.0.0.1:${port}`);
  await waitFor("the server", async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200);
  const shop = shopWith(url, key);
  const storm: Storm = { shop, url, canaries, secret: { key } };
  const { ids, bearer, answers } = await openMarkedSale(storm, 20);
  const people = await markedAccounts(storm, admin);
  const all: Answer[] = [...answers, ...people.answers, ...(await everyRoute(storm, ids, [bearer, people.staff]))];
  if (fillsDisks) {
    const ballast = join(volume.path, "ballast");
    const saleId = await shop.liveSale({ stock: 10_000 });
    fill(ballast);
    const strangers = () =>
      Array.from({ length: 50 }, () => shop.buy(saleId, canaries.of("buyer on a full disk"), { key: canaries.of("key on a full disk") }));
    // What the store had set aside is used up first.
    for (let i = 0; i < 60 && all.every(({ status }) => status !== 503); i++) all.push(...(await Promise.all(strangers())));
    truncateSync(ballast, 0);
  }
  const metrics = (await shop.get("/metrics")).text + (await shop.get("/api/v1/system/stats")).text;
  await server.stop();
  for (const name of readdirSync(join(volume.path, "data")).filter((file) => file.endsWith(".secret")))
    canaries.add(name, readFileSync(join(volume.path, "data", name), "utf8").trim());
  const errors = all
    .filter(({ status }) => status >= 400)
    .map(({ status, text, headers }) => `${status} ${text} ${JSON.stringify([...headers])}`);
  const written = { log: readFileSync(logFile, "utf8"), output: server.log.join("\n"), metrics, errors };
  return { canaries, written, statuses: new Set(all.map(({ status }) => status)) };
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  writeFileSync(path, "");
  const block = Buffer.alloc(1_048_576);
  try {
    for (;;) writeFileSync(path, block, { flag: "a" });
  } catch {
    // Full.
  }
  expect(statSync(path).size).toBeGreaterThan(0);
}

/** A shop that asks with the server's own key. */
function shopWith(url: string, key: string): Shop {
  return new (class extends Shop {
    override async ask(method: string, path: string, ask: Parameters<Shop["ask"]>[2] = {}): Promise<Answer> {
      const headers = ask.anonymous ? ask.headers : { "x-api-key": key, ...ask.headers };
      return super.ask(method, path, { ...ask, anonymous: true, headers });
    }
  })(() => url);
}

for (const format of ["json", "plain"])
  test(`[G4, E5, LG10] ${format} log at debug, metrics and errors hold none of the values planted in every field of every route`, async () => {
    const { canaries, written, statuses } = await stormAndStop(format);
    expect(canaries.planted.size).toBeGreaterThan(2_000);
    // Every kind of trouble was there, and was logged.
    for (const status of [200, 201, 400, 401, 404, 409, 415, ...(fillsDisks ? [503] : [])])
      expect([status, statuses.has(status)]).toEqual([status, true]);
    expect(written.log.split("\n").length).toBeGreaterThan(500);
    expect(written.log).toContain("callback was rejected");
    expect({
      log: canaries.foundIn(written.log),
      output: canaries.foundIn(written.output),
      metrics: canaries.foundIn(written.metrics),
      errors: canaries.foundIn(written.errors.join("\n")),
    }).toEqual({ log: [], output: [], metrics: [], errors: [] });
  }, 120_000);

test("[LG10] the control: a server that notes headers down is found out", async () => {
  const { canaries, written } = await stormAndStop("json", ["tests/hostility/leaky-server.ts", "serve"]);
  const found = canaries.foundIn(written.output).join();
  for (const where of ["Idempotency-Key", "X-User-Id", "DOORBUSTER_API_KEY"]) expect(found).toContain(where);
}, 120_000);

test("the search itself finds a marker in an answer", () => {
  const canaries = new Canaries();
  const marker = canaries.of("somewhere");
  const answer = answerOf(new Response(null, { status: 400 }), `{"data":{"problem":"got ${marker}"}}`);
  expect(canaries.foundIn(answer.text).length).toBe(1);
  expect(canaries.foundIn("nothing")).toEqual([]);
});
