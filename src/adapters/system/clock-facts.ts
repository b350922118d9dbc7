/** The wall clock against the steady one, over the time between two looks, and whether a time service keeps it. */
import { execFile } from "node:child_process";
import type { ClockFacts } from "../../ports/machine-facts.ts";

const commandMaxMs = 2_000;
/** Of the kernel's clock status: nobody has set it for long. */
const unsynchronisedBit = 64;

export type Ask = (command: string, args: readonly string[]) => Promise<string | undefined>;
export type ClockSources = {
  readonly wallMs?: (() => number) | undefined;
  readonly monotonicMs?: (() => number) | undefined;
  readonly ask?: Ask | undefined;
};

/** Begins to watch; the facts are about the time until they are asked for. */
export function watchClock({ wallMs = Date.now, monotonicMs = () => performance.now(), ask = askCommand }: ClockSources = {}) {
  const began = { wall: wallMs(), steady: monotonicMs() };
  return async (): Promise<ClockFacts> => {
    const now = { wall: wallMs(), steady: monotonicMs() };
    const overMs = now.steady - began.steady;
    return {
      wallMs: now.wall,
      wallText: new Date(now.wall).toISOString(),
      driftMs: now.wall - began.wall - overMs,
      overMs,
      synchronised: await synchronised(ask),
    };
  };
}

/** Asks whoever may know, one after the other. */
async function synchronised(ask: Ask): Promise<boolean | undefined> {
  const systemd = (await ask("timedatectl", ["show", "--property=NTPSynchronized", "--value"]))?.trim();
  if (systemd === "yes" || systemd === "no") return systemd === "yes";
  const leap = /,(Normal|Insert second|Delete second|Not synchronised)\s*$/.exec((await ask("chronyc", ["-c", "tracking"])) ?? "")?.[1];
  if (leap !== undefined) return leap !== "Not synchronised";
  const status = /status:\s+(\d+)/.exec((await ask("adjtimex", ["--print"])) ?? "")?.[1];
  return status === undefined ? undefined : (Number(status) & unsynchronisedBit) === 0;
}

function askCommand(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: commandMaxMs, encoding: "utf8" }, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}
