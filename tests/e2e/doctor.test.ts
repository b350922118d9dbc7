/** `doorbuster doctor` on real folders, files, ports and servers: each thing that is planted wrong is found, with exit 1. */
import Database from "better-sqlite3";
import { afterEach, expect, test } from "bun:test";
import { chmodSync, closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Finding } from "../../src/engine/doctor/finding.ts";
import { cleanUp, onCleanup } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, ServerProcess, type Runtime } from "../harness/server-process.ts";
import { mayMount, tempFolder, tmpfs } from "../harness/volumes.ts";

afterEach(cleanUp);

type Examined = { readonly code: number; readonly err: string; readonly verdict: string; readonly findings: readonly Finding[] };
type Given = {
  readonly dataDir: string;
  readonly env?: Record<string, string>;
  readonly flags?: readonly string[];
  readonly runtime?: Runtime;
};

async function doctor({ dataDir, env = {}, flags = [], runtime = "bun" }: Given): Promise<Examined> {
  const args = ["doctor", "--json", "--data-dir", dataDir, "--port", "0", ...flags];
  const { code, out, err } = await runCommand(args, { env: { DOORBUSTER_API_KEY: apiKey, ...env }, runtime, withinMs: 30_000 });
  return { code, err, ...JSON.parse(out) };
}

const find = ({ findings }: Examined, id: string) => findings.find((finding) => finding.id === id);
const problemsOf = ({ findings }: Examined) => findings.filter(({ level }) => level === "problem").map(({ id }) => id);
const freshFolder = () => join(tempFolder().path, "data");

test.each<Runtime>(["bun", "node"])(
  "[H7] on %s a good machine has no problem, and the measurement leaves nothing behind",
  async (runtime) => {
    const { path } = tempFolder();
    const examined = await doctor({ dataDir: path, runtime });
    expect(problemsOf(examined)).toEqual([]);
    expect([examined.code, examined.err]).toEqual([0, ""]);
    expect(find(examined, "disk-sync")?.value).toBeGreaterThan(0);
    expect(find(examined, "disk-space")).toMatchObject({ unit: "bytes", value: expect.any(Number) });
    expect(readdirSync(path)).toEqual([]);
  },
);

test("a folder that is not there yet is not made", async () => {
  const dataDir = freshFolder();
  const examined = await doctor({ dataDir });
  expect(find(examined, "data-folder")).toMatchObject({ level: "ok", found: expect.stringContaining("will be made") });
  expect(existsSync(dataDir)).toBe(false);
});

test("beside a running server it sees the lock, the port, the clock and the database, and disturbs none of them", async () => {
  const dataDir = freshFolder();
  const server = await ServerProcess.start({ dataDir });
  const examined = await doctor({ dataDir, flags: ["--port", new URL(server.url).port] });
  expect(problemsOf(examined)).toEqual([]);
  expect(find(examined, "data-folder-lock")?.found).toContain(`process ${server.child.pid}`);
  expect(find(examined, "port")?.found).toMatch(/in use by Doorbuster \d+\.\d+\.\d+ \(production\)/);
  expect(find(examined, "clock-skew")?.level).toBe("ok");
  expect(find(examined, "schema")?.level).toBe("ok");
  expect(find(examined, "integrity")?.found).toContain("found nothing");
  expect(examined.findings.some(({ id, found }) => id === "secret-file" && found.includes("token.secret"))).toBe(true);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(await server.stop()).toBe(0);
});

test("a secret that every user may read is a problem, and after the fix it says it is none", async () => {
  const path = join(tempFolder().path, "api-key");
  writeFileSync(path, apiKey, { mode: 0o644 });
  const env = { DOORBUSTER_API_KEY: "", DOORBUSTER_API_KEY_FILE: path };
  const before = await doctor({ dataDir: freshFolder(), env });
  expect([before.code, problemsOf(before)]).toEqual([1, ["secret-file"]]);
  expect(before.err).toBe("doorbuster: doctor found secret-file\n");
  const fix = find(before, "secret-file")?.fix ?? "";
  expect(Bun.spawnSync(["sh", "-c", fix]).exitCode).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await doctor({ dataDir: freshFolder(), env })).code).toBe(0);
});

test("with a broken configuration it tells every mistake and looks at the rest", async () => {
  const folder = tempFolder().path;
  const file = join(folder, "shop.yaml");
  writeFileSync(file, "http:\n  prot: 1\n");
  const env = { DOORBUSTER_CONFIG: file, DOORBUSTER_HTTP_PROT: "1", DOORBUSTER_LOG_LEVEL: "inof", DOORBUSTER_BATCH_MAX: "many" };
  const examined = await doctor({ dataDir: folder, env });
  expect(examined.code).toBe(1);
  const said = examined.findings.filter(({ level }) => level === "problem").map(({ found }) => found);
  expect(said).toEqual([
    'DOORBUSTER_LOG_LEVEL: expected one of debug, info, warn, error, silent, got "inof"; did you mean "info"?',
    'DOORBUSTER_BATCH_MAX: expected an integer from 1 to 5000, got "many"',
    `${file}: unknown option "http.prot"; did you mean "http.port"?`,
    'DOORBUSTER_HTTP_PROT: unknown option; did you mean "DOORBUSTER_HTTP_PORT"?',
  ]);
  expect(find(examined, "disk-sync")?.value).toBeGreaterThan(0);
});

test("a configuration file that is missing or no YAML is a finding, not the end", async () => {
  const missing = await doctor({ dataDir: freshFolder(), env: { DOORBUSTER_CONFIG: "/nowhere/shop.yaml" } });
  expect(find(missing, "configuration")?.found).toBe('DOORBUSTER_CONFIG: the file "/nowhere/shop.yaml" cannot be read');
  const file = join(tempFolder().path, "shop.yaml");
  writeFileSync(file, "http: [");
  const broken = await doctor({ dataDir: freshFolder(), env: { DOORBUSTER_CONFIG: file } });
  expect(find(broken, "configuration")?.found).toContain("not YAML");
  expect([missing.code, broken.code]).toEqual([1, 1]);
});

test("the demo key in production is a problem", async () => {
  const examined = await doctor({
    dataDir: freshFolder(),
    env: { DOORBUSTER_API_KEY: "demo-shop-key-0123456789-not-for-production" },
  });
  expect([examined.code, problemsOf(examined)]).toEqual([1, ["weak-secret"]]);
});

test("a port that another program has is a problem", async () => {
  const other = createServer((socket) => socket.end("220 not a shop\r\n"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onCleanup("the other program", () => void other.close());
  const { port } = other.address() as { port: number };
  const examined = await doctor({ dataDir: freshFolder(), flags: ["--port", String(port)] });
  expect(find(examined, "port")).toMatchObject({ level: "problem", found: expect.stringContaining("another program") });
  const elsewhere = await doctor({ dataDir: freshFolder(), flags: ["--host", "192.0.2.1", "--port", "8083"] });
  expect(find(elsewhere, "port")).toMatchObject({ level: "problem", found: expect.stringContaining("EADDRNOTAVAIL") });
});

test("a data folder that is a file is a problem", async () => {
  const path = join(tempFolder().path, "file");
  writeFileSync(path, "");
  expect(problemsOf(await doctor({ dataDir: path }))).toEqual(["data-folder"]);
});

test("a newer schema is a problem, an older one a warning, damage a problem", async () => {
  const dataDir = freshFolder();
  expect((await runCommand(["migrate", "--data-dir", dataDir])).code).toBe(0);
  const change = (sql: string) => {
    const database = new Database(join(dataDir, "doorbuster.db"));
    database.exec(sql);
    database.close();
  };
  change("INSERT INTO migration (number, name) VALUES (999, 'of-tomorrow')");
  expect(problemsOf(await doctor({ dataDir }))).toEqual(["schema"]);
  change("DELETE FROM migration");
  const older = await doctor({ dataDir });
  expect([find(older, "schema")?.level, older.code]).toEqual(["warning", 0]);
  change("PRAGMA wal_checkpoint(TRUNCATE)");
  const file = openSync(join(dataDir, "doorbuster.db"), "r+");
  for (let page = 1; page < 8; page++) writeSync(file, Buffer.alloc(2_000, 0x5a), 0, 2_000, page * 4_096);
  closeSync(file);
  const damaged = await doctor({ dataDir });
  expect(damaged.code).toBe(1);
  expect(problemsOf(damaged).some((id) => id === "integrity" || id === "database")).toBe(true);
});

test.skipIf(!mayMount())("a full tmpfs: no space is a problem, and that memory is no disk a warning", async () => {
  const { path } = tmpfs(4);
  writeFileSync(join(path, "ballast"), Buffer.alloc(3_900_000));
  const examined = await doctor({ dataDir: path });
  expect(find(examined, "disk-space")?.level).toBe("problem");
  expect(find(examined, "file-system")).toMatchObject({ level: "warning", found: expect.stringContaining("tmpfs") });
  expect(examined.code).toBe(1);
  expect(readdirSync(path)).toEqual(["ballast"]);
});

test.skipIf(process.getuid?.() === 0)("a data folder that may not be written to is a problem", async () => {
  const { path } = tempFolder();
  chmodSync(path, 0o500);
  const examined = await doctor({ dataDir: path });
  chmodSync(path, 0o700);
  expect(problemsOf(examined)).toContain("data-folder");
});

test("people get a line for what is well, and reason and fix for the rest", async () => {
  const args = ["doctor", "--data-dir", freshFolder(), "--port", "0"];
  const { code, out, err } = await runCommand(args, { env: { DOORBUSTER_PAYMENT_PROVIDER: "simulated", DOORBUSTER_API_KEY: apiKey } });
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^Doorbuster \S+, data folder ".*"\n\n/);
  expect(out).toMatch(/^warning {2}payment-provider {2,}.*\n {9}why {2}.*\n {9}fix {2}Unset DOORBUSTER_PAYMENT_PROVIDER$/m);
  expect(out).toMatch(/^ok {7}disk-sync {2,}.* ms median, .* ms p99/m);
  expect(out).toMatch(/\n0 problems, \d+ warnings?, \d+ ok: .*\n$/);
  expect(out).not.toContain("\u001B");
});

test("a wrong use ends with 2", async () => {
  const { code, out, err } = await runCommand(["doctor", "--jsno"]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain('did you mean "--json"?');
});
