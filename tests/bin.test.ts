/** The launcher against small copies of an installed tree: with and without postinstall results, hoisted, and broken. */
import { afterAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const rootDir = dirname(import.meta.dirname);
const workDir = mkdtempSync(join(tmpdir(), "doorbuster-bin-"));
afterAll(() => rmSync(workDir, { recursive: true, force: true }));

/** The launcher runs on any Node ≥ 20: the pinned one if there is one, else the machine's. */
const node = [join(rootDir, "node_modules/.bin/node"), Bun.which("node") ?? "node"].find((path) => existsSync(path)) ?? "node";
const placeholder = 'echo "postinstall did not run" >&2\nexit 1\n';
const main = `
if (process.argv[2] === "wait") {
  process.on("SIGTERM", () => { console.log("got SIGTERM"); process.exit(5); });
  setInterval(() => {}, 1000);
  console.log("ready");
} else console.log(JSON.stringify({ bun: typeof Bun, args: process.argv.slice(2) }));
`;

type Layout = { readonly postinstall: boolean; readonly hoisted?: boolean | undefined; readonly bun?: boolean | undefined };

function platformPackage(): string {
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const musl = process.platform === "linux" && readdirSync("/lib").some((name) => name.startsWith("ld-musl"));
  return `bun-${process.platform}-${arch}${musl ? "-musl" : ""}`;
}

function place(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(process.execPath, path);
}

/** Lays out an installed package and returns its folder. */
function install(name: string, layout: Layout): string {
  const top = join(workDir, name);
  const packageDir = layout.hoisted === true ? join(top, "node_modules/doorbuster") : top;
  const modules = join(top, "node_modules");
  mkdirSync(join(packageDir, "src"), { recursive: true });
  cpSync(join(rootDir, "bin"), join(packageDir, "bin"), { recursive: true });
  cpSync(join(rootDir, "package.json"), join(packageDir, "package.json"));
  writeFileSync(join(packageDir, "src/main.ts"), main);
  mkdirSync(join(modules, "bun/bin"), { recursive: true });
  if (layout.postinstall) place(join(modules, "bun/bin/bun.exe"));
  else {
    writeFileSync(join(modules, "bun/bin/bun.exe"), placeholder, { mode: 0o755 });
    if (layout.bun !== false) place(join(modules, "@oven", platformPackage(), "bin/bun"));
  }
  return packageDir;
}

function run(packageDir: string, args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([node, join(packageDir, "bin", args[0] ?? ""), ...args.slice(1)], {
    cwd: tmpdir(),
    env: { PATH: "/usr/bin:/bin", ...env },
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test.each<[string, Layout]>([
  ["with install scripts", { postinstall: true }],
  ["without install scripts", { postinstall: false }],
  ["hoisted into the user's tree", { postinstall: false, hoisted: true }],
])("finds Bun %s", (name, layout) => {
  const packageDir = install(name.replaceAll(/\W/g, "-"), layout);
  const result = run(packageDir, ["doorbuster.mjs", "serve", "--help"]);
  expect(result.stderr).toBe("");
  expect(JSON.parse(result.stdout)).toEqual({ bun: "object", args: ["serve", "--help"] });
  expect(run(packageDir, ["bun.mjs", "--version"]).stdout.trim()).toBe(Bun.version);
});

test("says in one line what to do when there is no Bun", () => {
  const packageDir = install("no-bun", { postinstall: false, bun: false });
  const result = run(packageDir, ["doorbuster.mjs", "serve"]);
  expect(result.exitCode).toBe(1);
  expect(result.stdout).toBe("");
  expect(result.stderr).toMatch(/^doorbuster: no Bun .*npm ci.*\n$/);
});

test("refuses an unknown runtime", () => {
  const packageDir = install("unknown-runtime", { postinstall: true });
  const result = run(packageDir, ["doorbuster.mjs"], { DOORBUSTER_RUNTIME: "deno" });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toMatch(/^doorbuster: DOORBUSTER_RUNTIME is "deno"; .*\n$/);
});

test("hands back the exit code", () => {
  const packageDir = install("exit-code", { postinstall: true });
  expect(run(packageDir, ["bun.mjs", "-e", "process.exit(7)"]).exitCode).toBe(7);
});

test("forwards SIGTERM and waits for the end", async () => {
  const packageDir = install("signals", { postinstall: true });
  const child = Bun.spawn([node, join(packageDir, "bin/doorbuster.mjs"), "wait"], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  let output = "";
  const readMore = async () => {
    const { value, done } = await reader.read();
    output += new TextDecoder().decode(value);
    return !done;
  };
  while (!output.includes("ready") && (await readMore()));
  child.kill("SIGTERM");
  while (await readMore());
  expect(await child.exited).toBe(5);
  expect(output).toContain("got SIGTERM");
});

test("a child that dies by a signal makes the launcher die by it", () => {
  const packageDir = install("killed", { postinstall: true });
  const result = Bun.spawnSync([node, join(packageDir, "bin/bun.mjs"), "-e", 'process.kill(process.pid, "SIGKILL")']);
  expect(result.signalCode).toBe("SIGKILL");
});
