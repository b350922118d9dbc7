/**
 * Processes by the folder they work in. An engine's processes all do so in its own folder, whoever their parent is and
 * whichever group or session they are in, so this finds those that a dead parent left, too. Linux only.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { pause } from "../wait.ts";

const roundsMax = 1_000;

/** Those that live: a dead one that waits for its parent has no folder any more. */
export function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isWithin(workingFolderOf(pid), folder));
}

function workingFolderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "");
  } catch {
    // It ended, or is another user's.
    return "";
  }
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Stops all, and those that they start meanwhile: the next look has to find nobody new, and nobody running. */
export async function freezeIn(folder: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    if (stopRunning(folder) === 0) return;
    await pause(1);
  }
  throw new Error(`processes in ${folder} still run after ${roundsMax} signals to stop`);
}

export function thawIn(folder: string): void {
  for (const pid of processesIn(folder)) signal(pid, "SIGCONT");
}

/**
 * Ends all at one instant, as the end of their machine would: none sees another one die. Returns when none is left;
 * synchronous, for cleanup.
 */
export function killIn(folder: string): void {
  for (let round = 0; round < roundsMax && stopRunning(folder) > 0; round++) Bun.sleepSync(1);
  for (let round = 0; round < roundsMax; round++) {
    const left = processesIn(folder);
    if (left.length === 0) return;
    for (const pid of left) signal(pid, "SIGKILL");
    Bun.sleepSync(1);
  }
  throw new Error(`processes in ${folder} live after ${roundsMax} signals to end: ${processesIn(folder).join(", ")}`);
}

/** How many had to be told to stop, or have been told and not stopped yet. */
function stopRunning(folder: string): number {
  const running = processesIn(folder).filter((pid) => !isStopped(pid));
  for (const pid of running) signal(pid, "SIGSTOP");
  return running.length;
}

export function isStopped(pid: number): boolean {
  try {
    // The state follows the name, which stands in brackets and may hold anything.
    return /^.*\) [TtZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
