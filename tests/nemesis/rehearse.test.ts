/** The rehearsal that ships, as a shop owner runs it: small, with its own server, sockets and checker. */
import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, onCleanup } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { commandOf, foreignEnvironment, rootDir } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded, waitFor } from "../harness/wait.ts";

afterEach(cleanUp);

test(
  "[J4] a small rehearsal passes, writes its report as data, and leaves nothing behind",
  async () => {
    const folder = tempFolder();
    const file = join(folder.path, "report.json");
    const args = ["rehearse", "--buyers", "600", "--stock", "60", "--pay-window", "2", "--seed", "5", "--json", file];
    const { code, out, err } = await runCommand(args, { env: { TMPDIR: folder.path }, withinMs: 90_000 });
    expect([code, out.includes("PASSED")]).toEqual([0, true]);
    expect(err).toContain("storm");
    const report = JSON.parse(readFileSync(file, "utf8"));
    expect(report).toMatchObject({ verdict: "valid", problems: [], buyers: 600, stock: 60, orders: { paid: 60 }, came_to_rest: true });
    expect(report.accepted).toBeGreaterThanOrEqual(60);
    expect(report.stock_over_time.at(-1)).toMatchObject({ available: 0, held: 0, sold: 60 });
    expect(report.latency_ms.accepted.count).toBeGreaterThan(0);
    expect(report.verify.checks.length).toBeGreaterThan(10);
    expect(readdirSync(folder.path)).toEqual(["report.json"]);
  },
  { timeout: 120_000 },
);

test(
  "negative control: the store of a good rehearsal with one order taken away fails the check",
  async () => {
    const { path } = tempFolder();
    const args = ["rehearse", "--buyers", "600", "--stock", "60", "--pay-window", "2", "--keep"];
    const { code, out, err } = await runCommand(args, { env: { TMPDIR: path }, withinMs: 90_000 });
    const kept = /^Kept in (.*)$/m.exec(err)?.[1] ?? "";
    expect([code, code === 0 ? "" : out]).toEqual([0, ""]);
    const files = ["--data-dir", join(kept, "data"), "--history", join(kept, "history.jsonl")];
    const verify = () => runCommand(["verify", ...files, "--min-accepts", "10", "--json"]);
    expect((await verify()).code).toBe(0);
    const store = new Database(join(kept, "data", "doorbuster.db"));
    store.run("DELETE FROM purchase WHERE id = (SELECT max(id) FROM purchase WHERE state = 'paid')");
    store.close();
    const after = await verify();
    expect(after.code).toBe(1);
    const { checks } = JSON.parse(after.out);
    const invalid = checks.filter((check: { verdict: string }) => check.verdict === "invalid").map((check: { id: string }) => check.id);
    expect(invalid).toEqual(expect.arrayContaining(["I4", "C2"]));
  },
  { timeout: 120_000 },
);

test.each([
  ["--buyers", "0"],
  ["--buyers", "many"],
  ["--stock", "-1"],
  ["--connections", "100000"],
  ["--pay-window", "0.5"],
])("wrong usage %s %s: exit 2 and a line that says why", async (flag, value) => {
  const { code, err } = await runCommand(["rehearse", `${flag}=${value}`], { withinMs: 15_000 });
  expect(code).toBe(2);
  expect(err).toContain(flag);
});

test("a report that cannot be written is said before the storm, not after it: exit 2", async () => {
  const { code, err } = await runCommand(["rehearse", "--json", "/no-such-folder/report.json"], { withinMs: 15_000 });
  expect(code).toBe(2);
  expect(err).toStartWith('doorbuster: --json: cannot write "/no-such-folder/report.json": ENOENT');
  expect(err).not.toContain("storm");
});

test(
  "a rehearsal that is told to stop takes its server and its folder along",
  async () => {
    const folder = tempFolder();
    const [command, ...flags] = commandOf("bun");
    const child = spawn(command, [...flags, "src/main.ts", "rehearse", "--buyers", "200000", "--stock", "1000"], {
      cwd: rootDir,
      stdio: "ignore",
      env: { ...foreignEnvironment(), TMPDIR: folder.path },
    });
    onCleanup("rehearsal", () => void child.kill("SIGKILL"));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const running = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && usesFolder(pid, folder.path));
    await waitFor("the rehearsal's server", () => running().length > 0, { withinMs: 20_000 });
    child.kill("SIGTERM");
    await bounded("the end of the rehearsal", 20_000, ended);
    await waitFor("the end of its server", () => running().length === 0);
    expect(readdirSync(folder.path)).toEqual([]);
  },
  { timeout: 60_000 },
);

/** Whether a process was started to work in a folder below this one. */
function usesFolder(pid: string, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`DOORBUSTER_DATA_DIR=${folder}`);
  } catch {
    return false;
  }
}
