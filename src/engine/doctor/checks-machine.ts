/** Clock, limits, memory and runtime of the machine. */
import type { ClockFacts, MemoryFacts, ProcessFacts } from "../../ports/machine-facts.ts";
import { bytesText, countText, millisecondsText, ok, problem, warning, type Check } from "./finding.ts";

/** The machine's limits beside what the server is asked to do and what it was tested with. */
export type ProcessAt = {
  readonly process: ProcessFacts;
  readonly connectionsWanted: number;
  /** The Bun that comes with this version. */
  readonly bunPinned: string;
};

/** The start of the year in which this version was made (2026), and the end of 2100: no clock that is right is outside. */
export const wallMinMs = 1_767_225_600_000;
export const wallMaxMs = 4_133_980_800_000;
/** Slewing corrects half a millisecond in a second; more than this during a measurement is a step. */
export const driftMaxMs = 25;
/** For the database, its log and threads, beside the connections. */
export const ownFiles = 256;
export const openFilesMin = 1_024;
/** What both listeners ask the kernel for. */
export const listenBacklogWanted = 511;
/** Two threads have work all the time in a storm: answers and commits. */
export const coresWanted = 2;
export const nodeMajorMin = 24;
export const memoryMinBytes = 200_000_000;
export const memoryWantedBytes = 512_000_000;
export const swapShareMax = 0.25;

export const clockChecks: readonly Check<ClockFacts>[] = [
  {
    id: "clock-year",
    why: "Sales open and orders expire by this clock",
    judge({ wallMs, wallText }) {
      const measured = { value: wallMs, unit: "ms since 1970" };
      if (wallMs >= wallMinMs && wallMs < wallMaxMs) return ok(wallText, measured);
      return problem(`the clock says ${wallText}`, "sudo timedatectl set-ntp true", measured);
    },
  },
  {
    id: "clock-drift",
    why: "A clock that steps opens a sale early or late; beyond two seconds the server reports it and does not follow",
    judge({ driftMs, overMs }) {
      const measured = { value: driftMs, unit: "ms" };
      const found = `the wall clock went ${millisecondsText(Math.abs(driftMs))} from the steady one in ${millisecondsText(overMs)}`;
      if (Math.abs(driftMs) <= driftMaxMs) return ok(found, measured);
      return warning(found, "Let one service set the clock, slowly: sudo timedatectl set-ntp true", measured);
    },
  },
  {
    id: "clock-synchronised",
    why: "Buyers' phones know the time; a shop that opens at another one loses them",
    judge({ synchronised }) {
      if (synchronised === undefined) return ok("this machine does not tell whether a time service keeps the clock");
      if (synchronised) return ok("a time service keeps the clock");
      return warning("no time service keeps the clock", "sudo timedatectl set-ntp true, or run chrony");
    },
  },
];

export const processChecks: readonly Check<ProcessAt>[] = [
  {
    id: "open-files",
    why: "Each waiting buyer holds a connection, and each connection is a file; beyond the limit nobody gets in",
    judge({ process: { openFilesMax }, connectionsWanted }) {
      if (openFilesMax === undefined) return undefined;
      const wanted = connectionsWanted + ownFiles;
      const measured = { value: openFilesMax, unit: "files" };
      const found = `${countText(openFilesMax)} files may be open at once`;
      const fix = "ulimit -n 65536 before the start, or LimitNOFILE=65536 in the service's unit";
      if (openFilesMax < openFilesMin) return problem(`${found}, ${countText(wanted)} are wanted`, fix, measured);
      if (openFilesMax < wanted)
        return warning(`${found}, ${countText(wanted)} are wanted for DOORBUSTER_QUEUE_MAX and DOORBUSTER_STREAMS_MAX`, fix, measured);
      return ok(found, measured);
    },
  },
  {
    id: "listen-backlog",
    why: "Connections that arrive in the first second of a sale wait in this queue; beyond it they are dropped and come back late",
    judge({ process: { listenBacklogMax } }) {
      if (listenBacklogMax === undefined) return undefined;
      const measured = { value: listenBacklogMax, unit: "connections" };
      const found = `the kernel lets ${countText(listenBacklogMax)} connections wait`;
      if (listenBacklogMax >= listenBacklogWanted) return ok(found, measured);
      return warning(`${found}, the server asks for ${listenBacklogWanted}`, "sudo sysctl -w net.core.somaxconn=4096", measured);
    },
  },
  {
    id: "cores",
    why: "Answers and commits are two threads; on less than two cores each waits for the other",
    judge({ process: { cores } }) {
      const measured = { value: cores, unit: "cores" };
      const found = `${Number.isInteger(cores) ? cores : cores.toFixed(1)} ${cores === 1 ? "core" : "cores"}`;
      if (cores >= coresWanted) return ok(found, measured);
      return warning(`${found}, ${coresWanted} are wanted`, "Give the machine or the container two cores (docker run --cpus 2)", measured);
    },
  },
  {
    id: "runtime",
    why: "Every version is tested with the Bun it pins, and on Node 24",
    judge({ process: { runtime }, bunPinned }) {
      const found = `${runtime.name} ${runtime.version}`;
      if (runtime.name === "Bun")
        return runtime.version === bunPinned
          ? ok(found)
          : warning(`${found}, ${bunPinned} is the one that was tested`, "npm ci, and start with npx doorbuster");
      if (Number(runtime.version.split(".")[0]) >= nodeMajorMin) return ok(found);
      return problem(
        `${found}, at least ${nodeMajorMin} is needed`,
        "Unset DOORBUSTER_RUNTIME to run on the pinned Bun, or install a newer Node",
      );
    },
  },
];

export const memoryChecks: readonly Check<MemoryFacts>[] = [
  {
    id: "memory",
    why: "The buyers of live sales are kept in memory; a process that the kernel ends for want of it is a shop that is shut",
    judge({ availableBytes, totalBytes }) {
      const measured = { value: availableBytes, unit: "bytes" };
      const found = `${bytesText(availableBytes)} of ${bytesText(totalBytes)} are free for a new process`;
      const fix = "End what is not needed or give it more; this shows who has it: ps aux --sort=-rss | head";
      if (availableBytes < memoryMinBytes) return problem(`${found}, at least ${bytesText(memoryMinBytes)} are needed`, fix, measured);
      if (availableBytes < memoryWantedBytes) return warning(`${found}, ${bytesText(memoryWantedBytes)} are a good start`, fix, measured);
      return ok(found, measured);
    },
  },
  {
    id: "memory-limit",
    why: "Beyond the control group's limit the kernel ends the process without a warning",
    judge({ limitBytes }) {
      if (limitBytes === undefined) return ok("no limit");
      const measured = { value: limitBytes, unit: "bytes" };
      if (limitBytes >= memoryWantedBytes) return ok(bytesText(limitBytes), measured);
      return warning(
        `${bytesText(limitBytes)}, ${bytesText(memoryWantedBytes)} are a good start`,
        "Raise it: docker run --memory 1g, or MemoryMax= in the unit",
        measured,
      );
    },
  },
  {
    id: "swap",
    why: "A page that was swapped out comes back in milliseconds, in which a thousand buyers wait",
    judge({ swapTotalBytes, swapUsedBytes }) {
      const measured = { value: swapUsedBytes, unit: "bytes" };
      if (swapTotalBytes === 0) return ok("there is none", measured);
      const found = `${bytesText(swapUsedBytes)} of ${bytesText(swapTotalBytes)} are in use`;
      if (swapUsedBytes / swapTotalBytes <= swapShareMax) return ok(found, measured);
      return warning(found, "Free memory, then bring it back: sudo swapoff -a && sudo swapon -a", measured);
    },
  },
];
