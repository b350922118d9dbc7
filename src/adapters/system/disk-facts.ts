/** The data folder and the disk under it, measured: what it answers to a write and a sync, not what it says of itself. */
import { closeSync, constants, fdatasyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import { access, lstat, open, readFile, realpath, stat, statfs } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { DiskFacts, FolderFacts, LogObstacle, SyncTimes } from "../../ports/machine-facts.ts";

const pageBytes = 4_096;
const syncWritesMax = 500;
/** A slow disk is measured with fewer writes rather than longer. */
const syncBudgetMs = 2_000;
/** With a first write slower than this the rest is measured with patience, off this thread. */
const stallMs = 250;

export async function folderFacts(path: string): Promise<FolderFacts> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) return { path, state: "not-a-folder", mode: undefined, writeProblem: undefined };
  const mode = found === undefined ? undefined : found.mode & 0o777;
  const writeProblem = found === undefined ? await problemOf(makeable(path)) : await problemOf(writable(path));
  return { path, state: found === undefined ? "absent" : "folder", mode, writeProblem };
}

export async function diskFacts(path: string): Promise<DiskFacts> {
  const folder = await nearestFolder(path);
  const { bsize, bavail, blocks, files, ffree } = await statfs(folder);
  return {
    folder,
    fileSystem: await fileSystemOf(folder),
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeFiles: files === 0 ? undefined : ffree,
    sync: await syncTimes(folder).catch(() => undefined),
  };
}

/** The server makes its log file, and no folder for it. To roll it over is to make a file beside it. */
export async function logObstacle(path: string, { rollsOver }: { readonly rollsOver: boolean }): Promise<LogObstacle | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return { at: "no-file", path, problem: "a folder" };
  const own = found && (await problemOf(access(path, constants.W_OK)));
  if (own !== undefined) return { at: "file", path, problem: own };
  if (found !== undefined && !(rollsOver && found.isFile())) return undefined;
  const folder = dirname(resolve(path));
  const problem = await problemOf(access(folder, constants.W_OK | constants.X_OK));
  return problem === undefined ? undefined : { at: "folder", path: folder, problem };
}

/** The folder, or the nearest one above that is there: the disk on which it would be made. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() === true || folder === dirname(folder)) return folder;
  }
}

async function makeable(path: string): Promise<void> {
  const full = resolve(path);
  const folder = await nearestFolder(dirname(full));
  // What stands in the way of the next step down: a file, or a link to nowhere.
  const [step = ""] = relative(folder, full).split(sep);
  if (await lstat(join(folder, step)).catch(() => undefined)) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  await access(folder, constants.W_OK | constants.X_OK);
}

async function writable(path: string): Promise<void> {
  const name = trialName(path);
  const file = await open(name, "wx", 0o600);
  try {
    await file.write("x");
  } finally {
    await file.close();
    unlinkSync(name);
  }
}

const trialName = (folder: string) => join(folder, `.doorbuster-doctor-${process.pid}`);

async function problemOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Appends pages to a file and syncs each, as the write-ahead log does. */
async function syncTimes(folder: string): Promise<SyncTimes> {
  const name = trialName(folder);
  const file = openSync(name, "wx", 0o600);
  try {
    const page = Buffer.alloc(pageBytes, 1);
    const first = await firstSync(name, page);
    const times = first < stallMs ? timesOf(file, page) : [first];
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return { writes: times.length, medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  } finally {
    closeSync(file);
    unlinkSync(name);
  }
}

/** On a thread of the pool, so that a disk that never answers does not stop this program. */
async function firstSync(name: string, page: Buffer): Promise<number> {
  const file = await open(name, "r+");
  try {
    const startMs = performance.now();
    await file.write(page, 0, page.length, 0);
    await file.datasync();
    return performance.now() - startMs;
  } finally {
    await file.close();
  }
}

/** On this thread: the way to another one and back takes as long as a good disk. */
function timesOf(file: number, page: Buffer): number[] {
  const times: number[] = [];
  const beganMs = performance.now();
  while (times.length < syncWritesMax && performance.now() - beganMs < syncBudgetMs) {
    const startMs = performance.now();
    writeSync(file, page, 0, page.length, (times.length + 1) * page.length);
    fdatasyncSync(file);
    times.push(performance.now() - startMs);
  }
  return times;
}

/** The type of the mount that holds the folder; the last one, where several lie on one point. */
async function fileSystemOf(folder: string): Promise<string | undefined> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => undefined);
  return mounts === undefined ? undefined : mountOf(mounts, await realpath(folder));
}

/** `36 35 98:0 /root /mount/point rw - ext4 /dev/sda1 rw`, with spaces in names written as \040. */
export function mountOf(mounts: string, folder: string): string | undefined {
  let best: { readonly point: string; readonly type: string } | undefined;
  for (const line of mounts.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const point = (left.split(" ")[4] ?? "").replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const type = right.split(" ")[0] ?? "";
    if (point === "" || type === "") continue;
    const holds = point === "/" || folder === point || folder.startsWith(`${point}/`);
    if (holds && (best === undefined || point.length >= best.point.length)) best = { point, type };
  }
  return best?.type;
}
