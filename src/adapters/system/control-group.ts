/** Limits that a control group (a container, a service) puts on this process: the tightest on the way up to the root. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type ControlGroup = {
  readonly memoryLimitBytes: number | undefined;
  /** What the group holds that cannot be given back at once. */
  readonly memoryUsedBytes: number | undefined;
  readonly cores: number | undefined;
};

const root = "/sys/fs/cgroup";
/** Version 1 writes "no limit" as a page short of 2^63. */
const unlimitedFrom = 2 ** 60;
const levelsMax = 32;

export type ReadText = (path: string) => string | undefined;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

export function controlGroup(read: ReadText = readText): ControlGroup {
  const groups = read("/proc/self/cgroup") ?? "";
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  if (unified !== undefined && read(join(root, "cgroup.controllers")) !== undefined) return unifiedGroup(unified, read);
  return firstVersion(read);
}

function unifiedGroup(path: string, read: ReadText): ControlGroup {
  let [memoryLimitBytes, memoryUsedBytes, cores]: (number | undefined)[] = [];
  // Inside a container the path may lead out of what is mounted; then only the root is there.
  let folder = join(root, path);
  for (let level = 0; level < levelsMax && folder.startsWith(root); level++, folder = dirname(folder)) {
    const limit = numberOf(read(join(folder, "memory.max")));
    if (limit !== undefined && (memoryLimitBytes === undefined || limit < memoryLimitBytes)) {
      memoryLimitBytes = limit;
      const idle = Number(/^inactive_file (\d+)$/m.exec(read(join(folder, "memory.stat")) ?? "")?.[1] ?? 0);
      memoryUsedBytes = Math.max(0, (numberOf(read(join(folder, "memory.current"))) ?? 0) - idle);
    }
    const [quota, period] = (read(join(folder, "cpu.max")) ?? "").split(" ").map(numberOf);
    if (quota !== undefined && period !== undefined) cores = Math.min(cores ?? Number.POSITIVE_INFINITY, quota / period);
  }
  return { memoryLimitBytes, memoryUsedBytes, cores };
}

function firstVersion(read: ReadText): ControlGroup {
  const limit = numberOf(read(join(root, "memory/memory.limit_in_bytes")));
  const quota = numberOf(read(join(root, "cpu/cpu.cfs_quota_us")));
  const period = numberOf(read(join(root, "cpu/cpu.cfs_period_us")));
  return {
    memoryLimitBytes: limit === undefined || limit >= unlimitedFrom ? undefined : limit,
    memoryUsedBytes: numberOf(read(join(root, "memory/memory.usage_in_bytes"))),
    cores: quota === undefined || period === undefined ? undefined : quota / period,
  };
}

/** "max" and "-1" are no numbers here. */
const numberOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);
