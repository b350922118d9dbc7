/** Rehearsals in a running deployment, as a shop owner runs them, beside a real sale that nobody may touch. */
import { afterEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../../src/adapters/load/machine.ts";
import { RemoteSite } from "../../src/adapters/load/remote-site.ts";
import { SystemClock } from "../../src/adapters/system/system-clock.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import { curveOf } from "../../src/engine/rehearsal/curve.ts";
import { rehearseDeployment } from "../../src/engine/rehearsal/deployment.ts";
import { Fence } from "../../src/engine/rehearsal/fence.ts";
import { Halt } from "../../src/engine/rehearsal/halt.ts";
import { ShopClient } from "../../src/engine/rehearsal/shop-client.ts";
import { Storm } from "../../src/engine/rehearsal/storm.ts";
import type { DeploymentSite } from "../../src/ports/deployment-site.ts";
import type { LoadClient, LoadRequest } from "../../src/ports/load-client.ts";
import { cleanUp, onCleanup } from "../harness/cleanup.ts";
import { runCommand, type CommandResult } from "../harness/run-command.ts";
import { apiKey, commandOf, foreignEnvironment, rootDir, ServerProcess } from "../harness/server-process.ts";
import { idOf, Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded, waitFor } from "../harness/wait.ts";

afterEach(cleanUp);

const realName = `Lamp <script>alert(1)</script> & "more"`;

/** A deployment with a real sale that is live and has orders of every kind. */
async function deployment() {
  const { path: dataDir } = tempFolder();
  const server = await ServerProcess.start({ dataDir });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ name: realName, stock: 40, per_buyer_limit: 2, pay_window_seconds: 700, price_minor: 4_200 });
  const orders = await Promise.all(["ann", "bob", "cid"].map(async (buyer) => idOf(await shop.buy(saleId, buyer, { key: `k-${buyer}` }))));
  const [paid = "", cancelled = ""] = orders;
  await shop.payExternally((await shop.get(`/api/v1/orders/${paid}`)).data);
  await shop.post(`/api/v1/orders/${cancelled}/cancel`);
  /** Everything the real sale shows, its times of asking left out. */
  const real = async () => {
    const seen = [`/api/v1/sales/${saleId}`, `/api/v1/sales/${saleId}/statistics`, ...orders.map((id) => `/api/v1/orders/${id}`)];
    return Promise.all(seen.map(async (path) => ({ ...(await shop.get(path)).data, server_time: undefined })));
  };
  const sales = async () => (await shop.get("/api/v1/sales?page_size=100")).data["items"] as Record<string, unknown>[];
  const shadow = async () => (await sales()).find((sale) => String(sale["limit_group"]).startsWith("rehearsal-"));
  return { dataDir, server, shop, saleId, real, sales, shadow };
}

const small = ["--rate", "150", "--duration", "4", "--lead", "1", "--seed", "3"];
const rehearse = (url: string, args: readonly string[]): Promise<CommandResult> =>
  runCommand(["rehearse", "--url", url, ...args], { env: { DOORBUSTER_API_KEY: apiKey }, withinMs: 90_000 });

test(
  "[J4] a rehearsal beside a live sale: its terms are copied, its stock, statistics and orders stay as they were",
  async () => {
    const { dataDir, server, saleId, real, shadow, sales } = await deployment();
    const before = await real();
    const { path: folder } = tempFolder();
    const [file, page] = [join(folder, "report.json"), join(folder, "report.html")];
    const refused = await rehearse(server.url, small);
    expect([refused.code, (await sales()).length]).toEqual([1, 1]);
    expect(refused.err).toContain(`the real sale ${saleId}`);
    expect(refused.err).toContain("is live; rehearse at another time, or say --during-sale");

    const { code, out, err } = await rehearse(server.url, [
      ...small,
      "--during-sale",
      "--like",
      saleId,
      "--data-dir",
      dataDir,
      "--json",
      file,
      "--html",
      page,
    ]);
    expect([code, out.includes("PASSED"), code === 0 ? "" : `${out}${err}`]).toEqual([0, true, ""]);
    expect(await real()).toEqual(before);
    const report = JSON.parse(readFileSync(file, "utf8"));
    expect(report).toMatchObject({ verdict: "valid", problems: [], stock: 40, pay_window_ms: 700_000, came_to_rest: true });
    expect(report.target).toMatchObject({ kind: "deployment", like: { id: saleId, name: realName }, remains: { status: "cancelled" } });
    expect(report.accepted).toBeGreaterThanOrEqual(40);
    expect(report.refused.all_taken).toBeGreaterThan(0);
    expect(report.refused.not_started).toBeGreaterThan(0);
    expect(report.target.remains.purchases).toMatchObject({ reserved: 0, paid: 0 });
    expect(report.record.checks.map((check: { verdict: string }) => check.verdict)).toEqual(Array.from({ length: 6 }, () => "valid"));
    expect(report.verify.verdict).not.toBe("invalid");
    expect(sumOf(report.seconds, "accepted")).toBe(report.accepted);
    const html = readFileSync(page, "utf8");
    expect(["pace", "answers", "latency", "stock"].filter((id) => !html.includes(`<figure class="card" id="${id}">`))).toEqual([]);
    expect([html.includes("<script"), html.includes("Lamp &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;")]).toEqual([
      false,
      true,
    ]);
    const own = await shadow();
    expect(own).toMatchObject({ id: report.target.sale_id, status: "cancelled", price_minor: 4_200, per_buyer_limit: 2 });
    expect(String(own?.["name"])).toStartWith("Rehearsal ");
    expect(String(own?.["name"])).toContain("not for sale");
    expect(own?.["stock"]).toMatchObject({ planned: 40, held: 0, sold: 0 });
    await server.stop();
    expect((await verifyStore(dataDir, { atRest: true })).verdict).not.toBe("invalid");
  },
  { timeout: 120_000 },
);

const sumOf = (rows: readonly Record<string, number>[], field: string) => rows.reduce((sum, row) => sum + (row[field] ?? 0), 0);

/** The engine in this process, with hands that a test may tamper with. */
function engineRun(url: string, tamper: (load: LoadClient) => LoadClient) {
  const site = new RemoteSite({ entry: join(rootDir, "src/main.ts"), url, store: undefined, keep: false });
  onCleanup("site", () => void site.close());
  const halt = new Halt();
  const load = tamper(site.load);
  const tampered: DeploymentSite = {
    load,
    record: (line) => site.record(line),
    hash: (text) => site.hash(text),
    verify: () => undefined,
    close: () => site.close(),
  };
  const deps = { site: tampered, halt, clock: new SystemClock(), tasks: new SystemTasks(), onProgress: () => {} };
  const crowd = { buyers: 1, seed: 1, connections: 20, curve: curveOf("constant", { perSecond: 100, durationMs: 3_000 }) };
  const terms = { priceMinor: 100, currency: "CNY", stock: 10, perBuyerLimit: 1, payWindowSeconds: 60, windowMs: 60_000 };
  return {
    halt,
    deps,
    crowd,
    run: () =>
      rehearseDeployment(deps, {
        url,
        apiKey,
        runId: "plant",
        rehearsal: crowd,
        terms,
        payments: "none",
        duringSale: true,
        limits: { errorShareMax: 1, p99MaxMs: 60_000 },
        client: { version: "test", ...describeMachine() },
      }),
  };
}

test(
  "negative control: a crowd sent into the real sale by a planted bug does not get past the fence",
  async () => {
    const { server, saleId, real } = await deployment();
    const before = await real();
    const { halt, deps, crowd } = engineRun(server.url, (load) => load);
    const shop = new ShopClient(new Fence(deps.site.load, halt), { apiKey });
    const close = async () => false;
    const { tally } = await new Storm({ ...deps, shop }, { ...crowd, stock: 10, payWindowMs: 1_000 }, { saleId, close }).run();
    expect(halt.reason).toMatchObject({ by: "fence" });
    expect(halt.reason?.text).toContain(`POST /api/v1/sales/${saleId}/purchases`);
    expect(tally.orders.size).toBe(0);
    expect(await real()).toEqual(before);
  },
  { timeout: 60_000 },
);

test(
  "negative control: a planted bug below the fence that turns purchases into the real sale is seen at its first yes",
  async () => {
    const { server, saleId, real, shadow } = await deployment();
    const before = await real();
    const redirect = (request: LoadRequest) => ({
      ...request,
      path: request.path.replace(/sales\/\d+\/purchases$/, `sales/${saleId}/purchases`),
    });
    const { run, halt } = engineRun(server.url, (load) => ({ send: (request) => load.send(redirect(request)) }));
    const report = await run();
    expect(halt.reason?.text).toContain(`took a unit of sale ${saleId}, which is not the rehearsal's`);
    expect(report.verdict).toBe("invalid");
    expect(report.problems.join("\n")).toContain("left its own sale");
    // The bug was real, so there was something to see; and it was stopped early.
    expect(await real()).not.toEqual(before);
    expect(report.requests.purchase).toBeLessThan(60);
    expect((await shadow())?.["status"]).toBe("cancelled");
  },
  { timeout: 60_000 },
);

test(
  "a key with the four scopes that docs/rehearsal.md names is enough; one without them is told what it lacks, and leaves nothing open",
  async () => {
    const { server, shop, shadow } = await deployment();
    const keyOf = async (...scopes: string[]) =>
      String((await shop.post("/api/v1/keys", { body: { name: "rehearsals", scopes } })).data["key"]);
    const withKey = (key: string) =>
      runCommand(["rehearse", "--url", server.url, "--during-sale", ...small], { env: { DOORBUSTER_API_KEY: key }, withinMs: 60_000 });
    const poor = await withKey(await keyOf("products:write", "sales:read"));
    expect([poor.code, poor.err]).toEqual([1, expect.stringMatching(/could not create a shadow sale: 403 forbidden/)]);
    expect(await shadow()).toBeUndefined();
    const { code, out } = await withKey(await keyOf("products:write", "sales:read", "sales:write", "buyers:act"));
    expect([code, out.includes("PASSED")]).toEqual([0, true]);
    expect(await shadow()).toMatchObject({ status: "cancelled", stock: { held: 0 } });
  },
  { timeout: 90_000 },
);

test(
  "[J4] the guard stops a run that hurts, with a clear line; the shadow sale is closed all the same: exit 1",
  async () => {
    const { server, shadow, real } = await deployment();
    const before = await real();
    const { code, out, err } = await rehearse(server.url, [
      "--rate",
      "400",
      "--duration",
      "20",
      "--lead",
      "0",
      "--during-sale",
      "--stock",
      "9000",
      "--p99-limit",
      "1",
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /doorbuster: the rehearsal was stopped by guard: p99 of \d+ answers in the last 5 s was \d+ ms \(the limit is 1 ms\)/,
    );
    expect(out).toContain("ABORTED by guard");
    expect(await shadow()).toMatchObject({ status: "cancelled", stock: { held: 0 } });
    expect(await real()).toEqual(before);
  },
  { timeout: 90_000 },
);

/** A long rehearsal, as a process of its own, in full storm. */
async function inFullStorm({ server, shadow }: Awaited<ReturnType<typeof deployment>>) {
  const [command, ...flags] = commandOf("bun");
  const args = [
    "rehearse",
    "--url",
    server.url,
    "--during-sale",
    "--curve",
    "constant",
    "--rate",
    "50",
    "--duration",
    "120",
    "--lead",
    "0",
  ];
  const child = spawn(command, [...flags, "src/main.ts", ...args], {
    cwd: rootDir,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...foreignEnvironment(), DOORBUSTER_API_KEY: apiKey },
  });
  onCleanup("rehearsal", () => void child.kill("SIGKILL"));
  const collect = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString();
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  const told = Promise.all([collect(child.stdout), collect(child.stderr), ended]);
  await waitFor("a held unit", async () => Number(((await shadow())?.["stock"] as Record<string, number> | undefined)?.["held"] ?? 0) > 0, {
    withinMs: 30_000,
    everyMs: 100,
  });
  return { child, told };
}

test(
  "an operator's signal ends the storm, closes the shadow sale and still gives the report: exit 1",
  async () => {
    const shop = await deployment();
    const { child, told } = await inFullStorm(shop);
    child.kill("SIGINT");
    const [out, err, code] = await bounded("the end", 40_000, told);
    expect([code, err.includes("stopped by operator: the process got SIGINT"), out.includes("What remains in the deployment")]).toEqual([
      1,
      true,
      true,
    ]);
    expect(await shop.shadow()).toMatchObject({ status: "cancelled", stock: { held: 0 } });
  },
  { timeout: 90_000 },
);

test(
  "a deployment that dies in the storm: the run ends by itself, says that the sale is open and how to close it: exit 1",
  async () => {
    const shop = await deployment();
    const { told } = await inFullStorm(shop);
    await shop.server.kill();
    const [out, err, code] = await bounded("the end", 80_000, told);
    expect(code).toBe(1);
    expect(err).toContain("stopped by guard");
    expect(out).toMatch(/NOT CLOSED[\s\S]*could not be cancelled[\s\S]*POST \/api\/v1\/sales\/\d+\/cancel does it by hand/);
    expect(out).not.toContain("FAILED");
  },
  { timeout: 120_000 },
);

const here = "http://127.0.0.1:9";
const wrong: [string[], string][] = [
  [["--url", "ftp://shop"], "--url: expected an address"],
  [["--url", "http://u:p@127.0.0.1"], "--url: expected an address"],
  [["--url", `${here}/shop`], "--url: the address goes without path"],
  [["--url", "http://192.0.2.1"], "192.0.2.1 is another machine: say --yes-load 192.0.2.1"],
  [["--url", "http://192.0.2.1", "--yes-load", "192.0.2.2"], '--yes-load names "192.0.2.2", but --url goes to "192.0.2.1"'],
  [["--url", "http://127.0.0.1.example:1"], "127.0.0.1.example is another machine"],
  [["--url", here, "--buyers", "5"], "--buyers: with --url the curve says how many come"],
  [["--url", here, "--like", "5", "--limit", "2"], "--like takes limit, price and pay window from that sale"],
  [["--url", here, "--like", "../5"], "--like: expected the id of a sale"],
  [["--url", here, "--curve", "triangle"], "neither spike, ramp, steps, constant, wave nor a file"],
  [["--url", here, "--rate", "20000", "--duration", "1800"], "at most 1000000 may"],
  [["--url", here, "--p99-limit", "0"], "--p99-limit"],
  [["--like", "5"], "--like goes with --url only"],
  [["--during-sale"], "--during-sale goes with --url only"],
  [["--rate", "5"], "--rate goes with --curve or --url only"],
];
test.each(wrong)("wrong usage %j: exit 2, nothing is sent, and a line that says why", async (args, problem) => {
  const { code, err } = await runCommand(["rehearse", ...args], { env: { DOORBUSTER_API_KEY: apiKey }, withinMs: 15_000 });
  expect([code, err]).toEqual([2, expect.stringContaining(problem)]);
});

test("a curve's file is read before anything is sent, and its first mistake is named: exit 2", async () => {
  const file = join(tempFolder().path, "curve.txt");
  writeFileSync(file, "0 10\nlater 20\n");
  const told = async (...args: string[]) => (await runCommand(["rehearse", "--curve", file, ...args], { withinMs: 15_000 })).err;
  expect(await told()).toContain('line 2: expected "seconds rate", got "later 20"');
  expect(await told("--rate", "5")).toContain("a file brings its own rates");
});

test("without a server key: exit 2; where nobody answers: exit 1", async () => {
  const without = await runCommand(["rehearse", "--url", here], { withinMs: 15_000 });
  expect([without.code, without.err]).toEqual([2, expect.stringContaining("--url needs the deployment's server key")]);
  const nobody = await rehearse(here, []);
  expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining("the deployment is not ready")]);
});

test(
  "[J4] two reports are compared: 0 when nothing got worse, 1 when it did, 2 when one cannot be read",
  async () => {
    const { path: folder } = tempFolder();
    const [a, b, page] = [join(folder, "a.json"), join(folder, "b.json"), join(folder, "difference.html")];
    const args = [
      "rehearse",
      "--curve",
      "constant",
      "--rate",
      "60",
      "--duration",
      "6",
      "--lead",
      "0",
      "--stock",
      "50",
      "--pay-window",
      "2",
    ];
    expect((await runCommand([...args, "--json", a], { withinMs: 90_000 })).code).toBe(0);
    const compare = (...files: string[]) => runCommand(["rehearse", "compare", ...files], { withinMs: 30_000 });
    const same = await compare(a, a, "--html", page);
    expect([same.code, same.out.includes("FINE: nothing got worse beyond noise")]).toEqual([0, true]);
    expect(readFileSync(page, "utf8")).toContain('<figure class="card" id="p99">');
    const report = JSON.parse(readFileSync(a, "utf8"));
    writeFileSync(b, JSON.stringify({ ...report, accepted: 20, verdict: "invalid", problems: ["I1: oversold"] }));
    const worse = await compare(a, b, "--json");
    expect([worse.code, JSON.parse(worse.out).verdict]).toEqual([1, "worse"]);
    writeFileSync(b, "{}");
    for (const wrong of [await compare(a, b), await compare(a, join(folder, "none.json")), await compare(a)]) expect(wrong.code).toBe(2);
  },
  { timeout: 150_000 },
);
