/** The README's tour, block by block as it stands, in a shell against a server started as `npm start` does it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { foreignEnvironment, rootDir, ServerProcess } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";

const page = readFileSync(join(rootDir, "README.md"), "utf8");
const { path: dataDir } = tempFolder();
let server: ServerProcess;

beforeAll(async () => {
  const entry = ["src/main.ts", "start"];
  // As a newcomer has it: no options but a free port and a folder of one's own.
  const env = { DOORBUSTER_API_KEY: "", DOORBUSTER_CALLBACK_SECRET: "", DOORBUSTER_PAYMENT_PROVIDER: "" };
  server = await ServerProcess.start({ dataDir, entry, env });
}, 30_000);
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  cleanUp();
}, 30_000);

/** The shell blocks of a chapter. */
function blocksOf(chapter: string): string[] {
  const start = page.indexOf(`\n## ${chapter}\n`);
  expect(start).toBeGreaterThan(0);
  const text = page.slice(start, page.indexOf("\n## ", start + 1));
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

async function shell(script: string) {
  const env = { ...foreignEnvironment(), DOORBUSTER_DATA_DIR: dataDir };
  const child = Bun.spawn(["bash", "-eu", "-c", script], { cwd: rootDir, env, stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { out, err, code };
}

test("[H1, H5, H6, B2] the tour with curl does what it says", async () => {
  const blocks = blocksOf("A tour with curl");
  expect(blocks.length).toBeGreaterThanOrEqual(9);
  // The crowd has a test of its own, tests/nemesis/rehearse.test.ts: half a minute on a server of its own.
  const own = blocks.filter((block) => block.trim() !== "npx doorbuster rehearse");
  expect(own.length).toBe(blocks.length - 1);
  const script = own
    .map((block, i) => `echo "== block ${i}"\n${block}`)
    .join("\n")
    .replaceAll("http://127.0.0.1:8083", server.url)
    .replaceAll("npx doorbuster", "node bin/doorbuster.mjs");
  const { out, err, code } = await shell(script);
  expect([code, err]).toEqual([0, expect.not.stringContaining("rror")]);
  const said = out.split(/^== block \d+\n/m).slice(1);
  const [, made = "", , bought = "", live = "", paid = "", csv = "", verdict = ""] = said;
  expect(made).toInclude('"status":"scheduled"');
  const statuses = [...bought.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
  expect(statuses).toEqual(["201", "201", "422", "409"]);
  expect(bought.match(/idempotency-replayed: true/gi)).toHaveLength(1);
  const bodies = bought.split("\n").filter((line) => line.startsWith('{"code"'));
  expect(bodies[1]).toBe(bodies[0] ?? "");
  expect(bought).toInclude('"reason":"limit_reached"');
  expect(live).toInclude("event: stock");
  expect(paid).toInclude('"state":"paid"');
  expect(paid).toInclude('"sold":1');
  const [header, ...orders] = csv.trim().split("\r\n");
  expect(header).toStartWith('"order_id"');
  expect(orders).toHaveLength(1);
  expect(orders[0]).toInclude('"alice"');
  expect(verdict.toLowerCase()).toInclude("valid");
}, 90_000);

test("every other command that the README shows is one there is", async () => {
  const commands = [...page.matchAll(/npx doorbuster (\w+)/g)].map(([, name = ""]) => name);
  const { out } = await shell("node bin/doorbuster.mjs --help");
  for (const name of ["doctor", "serve", "verify", "rehearse"]) expect(commands).toContain(name);
  for (const name of commands) expect(out).toMatch(new RegExp(`^ {2}${name} `, "m"));
  const scripts = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")).scripts as Record<string, string>;
  for (const [, name = ""] of page.matchAll(/npm (?:run )?(start|test|bench|check|sim|fix)\b/g)) expect(scripts[name]).toBeDefined();
}, 30_000);
