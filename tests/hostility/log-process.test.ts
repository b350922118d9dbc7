/** The log of a real server: to a file that rolls over, moves away or cannot be written, and up to its end. */
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { reservePorts } from "../harness/engines/ports.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";

afterAll(cleanUp);

async function startLogging(env: Record<string, string>) {
  const folder = tempFolder();
  // With a log file the harness cannot read from standard error which port it has.
  const port = String((await reservePorts(1)).numbers[0]);
  const server = ServerProcess.spawn({ dataDir: join(folder.path, "data"), env: { DOORBUSTER_HTTP_PORT: port, ...env } });
  server.url = `http://127.0.0.1:${port}`;
  await waitFor(`an answer from the server\n${server.tail()}`, async () => {
    if (server.child.exitCode !== null) throw new Error(`the server ended: ${server.tail()}`);
    return (await fetch(`${server.url}/readyz`).catch(() => undefined))?.status === 200;
  });
  return { server, folder: folder.path, shop: new Shop(() => server.url) };
}

const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
const messagesOf = (path: string) => linesOf(path).map((line) => String(JSON.parse(line)["msg"]));

test("[LG7, LG9] a server logs to a file, opens it anew on SIGHUP, and its last line says that it stopped", async () => {
  const file = join(tempFolder().path, "shop.log");
  const { server, shop } = await startLogging({ DOORBUSTER_LOG_FILE: file });
  await waitFor("the start in the log", () => messagesOf(file).includes("listening"));
  renameSync(file, `${file}.moved`);
  server.child.kill("SIGHUP");
  await waitFor("a new file", () => readdirSync(join(file, "..")).includes("shop.log"));
  await shop.get("/api/v1/time", { headers: { "x-request-id": "after-the-move" } });
  expect(await server.stop()).toBe(0);
  expect(messagesOf(file).at(-1)).toBe("stopped");
  expect(readFileSync(file, "utf8")).toContain("after-the-move");
  expect(readFileSync(`${file}.moved`, "utf8")).not.toContain("after-the-move");
}, 60_000);

test("[LG7] a file rolls over under requests; no line is torn, none is lost", async () => {
  const file = join(tempFolder().path, "shop.log");
  const { server, shop } = await startLogging({
    DOORBUSTER_LOG_FILE: file,
    DOORBUSTER_LOG_ROTATE_BYTES: "20000",
    DOORBUSTER_LOG_ROTATE_KEEP: "100",
    DOORBUSTER_LOG_REQUESTS_PER_SECOND: "10000",
  });
  const sent = Array.from({ length: 400 }, (_, i) => `request-${i}`);
  for (let i = 0; i < sent.length; i += 20)
    await Promise.all(sent.slice(i, i + 20).map((id) => shop.get("/api/v1/time", { headers: { "x-request-id": id } })));
  expect(await server.stop()).toBe(0);
  const files = readdirSync(join(file, "..")).filter((name) => name.startsWith("shop.log"));
  // How often hangs on how many lines come within one write.
  expect(files.length).toBeGreaterThan(1);
  const logged = files.flatMap((name) => linesOf(join(file, "..", name))).map((line) => String(JSON.parse(line)["request_id"]));
  expect(logged.filter((id) => id.startsWith("request-")).toSorted()).toEqual(sent.toSorted());
}, 60_000);

test("[LG8] a full disk under the log stops no sale; the lost lines are counted", async () => {
  const { server, shop } = await startLogging({ DOORBUSTER_LOG_FILE: "/dev/full" });
  const saleId = await shop.liveSale({ stock: 50 });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => shop.buy(saleId, `b${i}`)));
  expect(answers.every(({ status }) => status === 201)).toBe(true);
  await waitFor("the lost lines in the metrics", async () => {
    const { text } = await shop.get("/metrics");
    return Number(/doorbuster_log_lines_lost_total\{cause="failed"\} (\d+)/.exec(text)?.[1]) > 50;
  });
  expect(await server.stop()).toBe(0);
}, 60_000);

test("[LG9] a server that is told twice to stop still writes what it logged", async () => {
  const file = join(tempFolder().path, "shop.log");
  const { server } = await startLogging({ DOORBUSTER_LOG_FILE: file });
  server.child.kill("SIGTERM");
  await waitFor("the first signal's line", () => messagesOf(file).includes("stopping"));
  server.child.kill("SIGTERM");
  const code = await server.exited;
  expect([0, 1]).toContain(code);
  expect(messagesOf(file)).toContain("stopping");
}, 60_000);

test("a log file that cannot be opened stops the start, and says which", async () => {
  const server = ServerProcess.spawn({ dataDir: tempFolder().path, env: { DOORBUSTER_LOG_FILE: "/nowhere/at/all.log" } });
  expect(await server.exited).not.toBe(0);
  expect(server.tail()).toContain("/nowhere/at/all.log");
}, 30_000);
