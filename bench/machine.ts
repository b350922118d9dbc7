import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** CPU microseconds a process has used, all its threads, in user and kernel mode. */
export function cpuUsOf(pid: number): number {
  let total = 0;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime are fields 14 and 15 of proc(5), in clock ticks of 10 ms.
  for (const index of [11, 12]) total += Number(fields[index]) * 10_000;
  return total;
}

/** The same of a process and its children, as PostgreSQL has them: one for each connection. */
export const cpuUsOfFamily = (pid: number): number => familyOf(pid).reduce((sum, member) => sum + cpuUsOf(member), 0);

/** A process and its children. */
export function familyOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return [pid, ...children.map(Number)];
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

export const residentMbOf = (pid: number): number => statusMbOf(pid, "VmRSS");
/** The most that it ever had. */
export const peakMbOf = (pid: number): number => statusMbOf(pid, "VmHWM");

function statusMbOf(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly commit: string;
};

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${execFileSync("uname", ["-sr"], { encoding: "utf8" }).trim()}, Bun ${Bun.version}`,
    commit: commit(),
  };
}

function commit(): string {
  try {
    const id = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
    const dirty = execFileSync("git", ["status", "--porcelain", "--", "src", "bench", ":!bench/results"], { encoding: "utf8" }).trim();
    return dirty === "" ? id : `${id} with changes`;
  } catch {
    return "unknown";
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
