import { spawn } from "node:child_process";
import { join } from "node:path";
import { cpuUsOf } from "./machine.ts";

/** A process that is asked, and whose CPU time is charged to the requests. */
export type Target = { readonly url: string; readonly pid: number };

export type Load = Target & {
  /** Others that are asked as much at the same time, each by a thread of its own. */
  readonly others?: readonly Target[] | undefined;
  /** A purchase, unless it is a look at a page by somebody unknown. */
  readonly method?: "GET" | "POST" | undefined;
  readonly tokensFile: string;
  readonly pathsFile: string;
  /** Lines of the token file to use. */
  readonly from: number;
  readonly count: number;
  /** Prefix of the Idempotency-Key, "" for none. */
  readonly key: string;
  readonly seconds: number;
  readonly connections: number;
  /** A Prefer header. */
  readonly prefer?: string | undefined;
  /** Requests a second, for one target; as many as it can otherwise. */
  readonly rate?: number | undefined;
};

export type Measured = {
  readonly requests: number;
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errorStatus: number;
  readonly socketErrors: number;
};

type WrkResult = { requests: number; durationUs: number; status: number; socket: number; p50Us: number; p99Us: number };

/** The generator's core; the server has the other one. */
export const serverCore = "0";
export const generatorCore = "1";

/** The generator comes from the system's packages. */
export function ensureWrk(): void {
  if (Bun.which("wrk") !== null) return;
  throw new Error('The bench needs wrk: run "apt-get install wrk"');
}

/** One bounded run of wrk on its own core, with the server's CPU time measured around it. */
export async function runWrk(load: Load): Promise<Measured> {
  const targets = [load, ...(load.others ?? [])];
  const cpuUs = () => targets.reduce((sum, { pid }) => sum + cpuUsOf(pid), 0);
  const before = cpuUs();
  const output = await run(
    "taskset",
    [
      "-c",
      generatorCore,
      "wrk",
      `-t${targets.length}`,
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      "--latency",
      "-s",
      join(import.meta.dirname, "wrk.lua"),
      load.url,
    ],
    {
      METHOD: load.method ?? "POST",
      TOKENS: load.tokensFile,
      PATHS: load.pathsFile,
      FROM: String(load.from),
      COUNT: String(load.count),
      KEY: load.key,
      PREFER: load.prefer ?? "",
      RATE: load.rate === undefined ? "" : String(load.rate),
      ADDRESSES: targets.map(({ url }) => new URL(url).host).join(" "),
    },
  );
  const used = cpuUs() - before;
  const json = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (json === undefined) throw new Error(`wrk gave no result:\n${output}`);
  // The shape is the format string at the end of wrk.lua.
  const result = JSON.parse(json) as WrkResult;
  return {
    requests: result.requests,
    perSecond: Math.round((result.requests / result.durationUs) * 1e6),
    cpuUsPerRequest: used / result.requests,
    p50Ms: result.p50Us / 1000,
    p99Ms: result.p99Us / 1000,
    errorStatus: result.status,
    socketErrors: result.socket,
  };
}

function run(command: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${command} exited with ${code}:\n${output}`))));
  });
}
