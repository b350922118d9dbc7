import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judge } from "../../../scripts/bun-test.ts";
import { commandOf, rootDir } from "../server-process.ts";
import { tempFolder } from "../volumes.ts";
import { decide, engineKinds, type Facts, type Need } from "./availability.ts";

const url = "redis://127.0.0.1/0";
/** Linux, an ordinary user, nothing installed, no URL, no CI. */
const bare: Facts = { isLinux: true, hasPrograms: false, mayInstall: false, isCi: false };
const installed = { hasPrograms: true };
const root = { mayInstall: true };
const failed = { mayInstall: true, installError: "no network" };
const ci = { isCi: true };
const mac = { isLinux: false };

// oxfmt-ignore
const decisions: [string, Need, Partial<Facts>, string][] = [
  ["a url",                                        "url", { url },                             "url"],
  ["a url and the programs",                       "url", { url, ...installed },               "url"],
  ["a url and root",                               "url", { url, ...root },                    "url"],
  ["a url elsewhere than on Linux",                "url", { url, ...mac },                     "url"],
  ["the programs",                                 "url", installed,                           "own"],
  ["the programs, as root",                        "url", { ...installed, ...root },           "own"],
  ["the programs, after a failed installation",    "url", { ...installed, ...failed },         "own"],
  ["nothing, as root",                             "url", root,                                "install"],
  ["nothing, as root in CI",                       "url", { ...root, ...ci },                  "install"],
  ["nothing, as root, after a failed installation","url", failed,                              "skipped"],
  ["nothing",                                      "url", {},                                  "skipped"],
  ["nothing elsewhere than on Linux",              "url", mac,                                 "skipped"],
  ["nothing in CI",                                "url", ci,                                  "failed"],
  ["a failed installation in CI",                  "url", { ...failed, ...ci },                "failed"],
  ["nothing elsewhere than on Linux, in CI",       "url", { ...mac, ...ci },                   "failed"],
  ["the programs",                                 "own", installed,                           "own"],
  ["a url and the programs",                       "own", { url, ...installed },               "own"],
  ["a url alone",                                  "own", { url },                             "skipped"],
  // Who names a server does not ask for another one.
  ["a url, as root",                               "own", { url, ...root },                    "skipped"],
  ["a url alone in CI",                            "own", { url, ...ci },                      "failed"],
  ["a url elsewhere than on Linux",                "own", { url, ...mac },                     "skipped"],
  ["nothing, as root",                             "own", root,                                "install"],
  ["nothing, as root, after a failed installation","own", failed,                              "skipped"],
  ["nothing",                                      "own", {},                                  "skipped"],
  ["nothing in CI",                                "own", ci,                                  "failed"],
];

test.each(decisions)("with %s, who needs %s", (_, need, facts, expected) => {
  const decision = decide(engineKinds.redis, need, { ...bare, ...facts });
  expect(decision.kind === "none" ? (decision.fails ? "failed" : "skipped") : decision.kind).toBe(expected);
});

// oxfmt-ignore
const reasons: [string, Need, Partial<Facts>, string, string][] = [
  ["nothing",               "url", {},      "Redis is not installed", "apt-get install redis-server, or set DOORBUSTER_TEST_REDIS_URL"],
  ["a failed installation", "url", failed,  "Redis is not installed, and cannot be: no network", "apt-get install redis-server, or set DOORBUSTER_TEST_REDIS_URL"],
  ["a url alone",           "own", { url }, "the server of DOORBUSTER_TEST_REDIS_URL is not ours to kill, and Redis is not installed", "apt-get install redis-server"],
  ["another system",        "url", mac,     "Redis of our own runs on Linux only", "set DOORBUSTER_TEST_REDIS_URL"],
];

test.each(reasons)("with %s, who needs %s hears why and what would help", (_, need, facts, reason, remedy) => {
  expect(decide(engineKinds.redis, need, { ...bare, ...facts })).toEqual({ kind: "none", reason, remedy, fails: false });
});

/** A run of `bun test` over groups that need an engine which is not there. */
function runWithout(env: Readonly<Record<string, string>>) {
  const folder = tempFolder();
  const report = join(folder.path, "report.xml");
  const file = fileURLToPath(new URL("./without-engine.ts", import.meta.url));
  const args = ["test", "--only-failures", "--reporter=junit", `--reporter-outfile=${report}`, file];
  const { CI: _, ...others } = process.env;
  const { status, stderr } = spawnSync(commandOf("bun")[0], args, { cwd: rootDir, encoding: "utf8", env: { ...others, ...env } });
  const result = { ...judge("suite", { report: readFileSync(report, "utf8"), exitCode: status }), stderr };
  folder.release();
  return result;
}

test("what an engine is missing for counts as skipped, and the run says so", () => {
  const { passed, failed, skipped, stderr } = runWithout({});
  expect({ passed, failed, skipped }).toEqual({ passed: 1, failed: 0, skipped: 3 });
  expect(stderr.match(/^SKIPPED: tests on RabbitMQ: .*\. What would help: .*$/gm)).toHaveLength(1);
});

test("in CI it fails, and the run says why", () => {
  const { passed, failed, skipped, failures } = runWithout({ CI: "true" });
  expect({ passed, failed, skipped }).toEqual({ passed: 1, failed: 2, skipped: 0 });
  expect(failures.join("\n")).toContain("which CI may not skip");
});
