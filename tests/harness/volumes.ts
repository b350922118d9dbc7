/** Folders and small file systems for tests; all removed by cleanup. Mounting needs root, so tests ask `mayMount` first. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onCleanup } from "./cleanup.ts";

export type Volume = { readonly path: string; readonly release: () => void };

export function tempFolder(prefix = "doorbuster-test-"): Volume {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, release: onCleanup(path, () => rmSync(path, { recursive: true, force: true })) };
}

/** One that others can go through: engines that run as users of their own have their data on volumes, too. */
function openFolder(prefix: string): Volume {
  const folder = tempFolder(prefix);
  chmodSync(folder.path, 0o711);
  return folder;
}

/** A tmpfs that holds so many bytes and no more. */
export function tmpfs(mebibytes: number): Volume {
  const folder = openFolder("doorbuster-tmpfs-");
  run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder.path]);
  const unmount = onCleanup(`tmpfs ${folder.path}`, () => run("umount", ["-l", folder.path]));
  return { path: folder.path, release: () => (unmount(), folder.release()) };
}

const frozenMaxSeconds = 20;

export type FreezableVolume = Volume & {
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** What the disk holds at this moment, as a volume of its own: what was written and not synced is missing from it. */
  readonly pullThePlug: () => FreezableVolume;
};

/** An ext4 of its own in a file, which can be frozen: whatever writes or syncs on it waits until it is thawed. */
export function ext4(mebibytes: number): FreezableVolume {
  return mounted((image) => {
    writeFileSync(image, "");
    truncateSync(image, mebibytes * 1_048_576);
    run("mkfs.ext4", ["-q", "-F", image]);
  });
}

function mounted(makeImage: (path: string) => void): FreezableVolume {
  const folder = openFolder("doorbuster-ext4-");
  const image = join(folder.path, "image");
  const path = join(folder.path, "mount");
  mkdirSync(path);
  makeImage(image);
  run("mount", ["-o", "loop", image, path]);
  // A frozen file system outlives whoever froze it, so a watchdog thaws it also when this process is killed.
  let watchdog: ChildProcess | undefined;
  const thaw = () => {
    if (watchdog === undefined) return;
    run("fsfreeze", ["-u", path]);
    // The group: its sleep must not outlive it.
    if (watchdog.pid !== undefined) process.kill(-watchdog.pid, "SIGKILL");
    watchdog = undefined;
  };
  const freeze = () => {
    watchdog = spawn("sh", ["-c", `sleep ${frozenMaxSeconds}; exec fsfreeze -u "$0"`, path], { stdio: "ignore", detached: true });
    watchdog.unref();
    run("fsfreeze", ["-f", path]);
  };
  const unmount = onCleanup(`ext4 ${path}`, () => (thaw(), run("umount", ["-l", path])));
  // The image gets a page only when the file system writes it out. Mounting the copy replays its journal, as after a power cut.
  const pullThePlug = () => mounted((copy) => copyFileSync(image, copy));
  return { path, freeze, thaw, pullThePlug, release: () => (unmount(), folder.release()) };
}

/** Whether this user may mount: mounts a small tmpfs to see. */
export function mayMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    tmpfs(1).release();
    return true;
  } catch {
    return false;
  }
}

/** Whether loop-mounted images can be made and frozen here. */
export function mayFreeze(): boolean {
  if (!mayMount()) return false;
  let volume: FreezableVolume | undefined;
  try {
    volume = ext4(8);
    volume.freeze();
    volume.thaw();
    return true;
  } catch {
    return false;
  } finally {
    volume?.release();
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr.trim()}`);
}
