/**
 * Finds the pinned runtimes and runs them. Plain Node ≥ 20 without a dependency, because it runs before anything else
 * can: `npm ci` puts Bun's binary in one of two places, depending on whether install scripts were allowed.
 *
 *   scripts on    node_modules/bun/bin/bun.exe          (the postinstall moved the binary here)
 *   scripts off   node_modules/@oven/bun-<platform>/bin (bun/bin/bun.exe is then a text file that only complains)
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeMajorMin = 24;
/** A real binary is about 100 MB, the placeholder half a kilobyte. */
const binaryBytesMin = 1_000_000;

/** The folders in which npm may have put this package's dependencies: its own first, then those it was hoisted into. */
export function moduleFolders(startDir) {
  const folders = [];
  for (let dir = startDir; ; dir = dirname(dir)) {
    folders.push(join(dir, "node_modules"));
    if (dirname(dir) === dir) return folders;
  }
}

function isBinary(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && stat.size >= binaryBytesMin;
}

/** Names of Bun's platform packages that can run here, best first. */
export function bunPackages({ platform, arch, musl }) {
  const name = `bun-${platform === "win32" ? "windows" : platform}-${arch === "arm64" ? "aarch64" : arch}`;
  const suffixes = musl ? ["-musl", "-musl-baseline"] : ["", "-baseline"];
  return suffixes.map((suffix) => name + suffix);
}

function isMusl() {
  if (process.platform !== "linux") return false;
  // Without this the report looks up the names of open connections.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** The path of the pinned Bun, or undefined. */
export function findBun(startDir = packageDir, machine = { platform: process.platform, arch: process.arch, musl: isMusl() }) {
  const file = machine.platform === "win32" ? "bun.exe" : "bun";
  for (const folder of moduleFolders(startDir)) {
    const candidates = [
      join(folder, "bun", "bin", "bun.exe"),
      ...bunPackages(machine).map((name) => join(folder, "@oven", name, "bin", file)),
    ];
    const found = candidates.find(isBinary);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The path of a Node that runs TypeScript by itself: the one in use if it is new enough, else the pinned one. */
export function findNode(startDir = packageDir, current = { version: process.versions.node, path: process.execPath }) {
  if (Number.parseInt(current.version, 10) >= nodeMajorMin) return current.path;
  const file = process.platform === "win32" ? "node.exe" : "bin/node";
  const platform = process.platform === "win32" ? "win" : process.platform;
  return moduleFolders(startDir)
    .map((folder) => join(folder, `node-${platform}-${process.arch}`, file))
    .find(isBinary);
}

function pinnedBun() {
  const { dependencies } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8"));
  return dependencies.bun;
}

/**
 * No .env file is read behind the operator's back (Node would not read it either), nothing is installed at run time, and
 * whoever kills this process for good (-9) takes Bun along instead of leaving a server that holds the data folder.
 */
const bunFlags = ["--no-env-file", "--no-install", "--no-orphans"];

/** The runtime asked for by DOORBUSTER_RUNTIME (bun, the default, or node), or an error in one line. */
export function chooseRuntime(wanted = process.env.DOORBUSTER_RUNTIME ?? "bun") {
  if (wanted === "bun") {
    const path = findBun();
    if (path !== undefined) return { path, flags: bunFlags };
    const installed = existsSync(join(packageDir, "node_modules"));
    const cause = installed
      ? `no Bun for ${process.platform}-${process.arch} is installed beside doorbuster; run "npm ci" again without "--omit=optional"`
      : `the dependencies are not installed; run "npm ci" in ${packageDir}`;
    return { error: `${cause} (pinned: bun ${pinnedBun()}), or set DOORBUSTER_RUNTIME=node on Node ${nodeMajorMin} or newer` };
  }
  if (wanted === "node") {
    const path = findNode();
    if (path !== undefined) return { path, flags: [] };
    return {
      error: `DOORBUSTER_RUNTIME=node needs Node ${nodeMajorMin} or newer, this is ${process.versions.node}; install it, or leave the variable out`,
    };
  }
  return { error: `DOORBUSTER_RUNTIME is "${wanted}"; set it to "bun" or "node", or leave it out` };
}

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"].filter((signal) => signal in constants.signals);

/**
 * Runs a program in our place: same streams, same signals, same end. A terminal's Ctrl-C reaches the child by itself
 * (it is in the same group), and a second SIGINT would mean "at once" to it, so from a terminal SIGINT is only awaited.
 */
export function runInPlace(path, args) {
  const child = spawn(path, args, { stdio: "inherit" });
  for (const signal of forwarded) {
    if (process.platform === "win32" && signal !== "SIGINT" && signal !== "SIGTERM") continue;
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`cannot run ${path}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of forwarded) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // Signals whose default is not to end us (or that arrive later) must not leave us hanging.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}

export function fail(message) {
  process.stderr.write(`doorbuster: ${message}\n`);
  process.exit(1);
}
