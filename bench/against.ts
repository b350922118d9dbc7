/**
 * What the code since an earlier commit costs a refused purchase: servers of both commits, each as an operator would run
 * it (logs on, written to a file), on copies of one store, measured in turns in one run. The earlier server fills the
 * store, so that it can open it; the later one migrates its copy.
 */
import { execFileSync } from "node:child_process";
import { cpSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { median } from "./machine.ts";
import { freePort, startOnCore, type Started } from "./processes.ts";
import { apiKey, tokenSecret, type buildWorld, type World, type WorldPlan } from "./scenarios.ts";
import { runWrk, type Measured } from "./wrk.ts";

export type Against = {
  readonly commit: string;
  /** Now by before, medians over rounds; below it the same for the earlier server measured twice: what noise alone does. */
  readonly cpuRatio: number;
  readonly noiseRatio: number;
  readonly thenUs: number;
  readonly nowUs: number;
};

export type AgainstOptions = {
  readonly commit: string;
  readonly plan: WorldPlan;
  readonly root: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly say: (text: string) => void;
};

const project = join(import.meta.dirname, "..");

export async function measureAgainst(options: AgainstOptions): Promise<Against> {
  const { commit, root, plan, say } = options;
  const earlier = join(root, "earlier");
  execFileSync("git", ["worktree", "add", "--detach", "--force", earlier, commit], { cwd: project, stdio: "ignore" });
  try {
    symlinkSync(join(project, "node_modules"), join(earlier, "node_modules"));
    say(`filling a store with commit ${commit}`);
    const world = await worldOf(earlier, plan, join(root, "against"));
    const copy = join(root, "against-now");
    cpSync(world.dataDir, copy, { recursive: true });
    const before = await start(join(earlier, "src/main.ts"), world.dataDir, join(root, "then.log"));
    try {
      const now = await start(join(project, "src/main.ts"), copy, join(root, "now.log"));
      try {
        return await compare({ before, now }, world, options);
      } finally {
        await now.stop();
      }
    } finally {
      await before.stop();
    }
  } finally {
    execFileSync("git", ["worktree", "remove", "--force", earlier], { cwd: project, stdio: "ignore" });
  }
}

async function worldOf(folder: string, plan: WorldPlan, root: string): Promise<World> {
  // The earlier commit's own code, which has the same function.
  const scenarios = (await import(join(folder, "bench/scenarios.ts"))) as { buildWorld: typeof buildWorld };
  return scenarios.buildWorld(plan, root);
}

async function start(script: string, dataDir: string, logFile: string): Promise<Started> {
  const port = await freePort();
  const env = {
    DOORBUSTER_HTTP_PORT: String(port),
    DOORBUSTER_DATA_DIR: dataDir,
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_TOKEN_SECRET: tokenSecret,
  };
  const ready = async (url: string) => (await fetch(`${url}/readyz`)).ok;
  return startOnCore(script, ["serve"], { env, port, ready, stderr: openSync(logFile, "w") });
}

async function compare(servers: { before: Started; now: Started }, world: World, options: AgainstOptions): Promise<Against> {
  const { rounds, seconds, connections, say, commit } = options;
  const common = { tokensFile: world.tokensFile, pathsFile: world.refusedPaths, from: 0, count: world.tokens, key: "", connections };
  const measure = async ({ url, pid }: Started, forSeconds = seconds): Promise<Measured> => {
    const measured = await runWrk({ ...common, url, pid, seconds: forSeconds });
    if (measured.errorStatus !== measured.requests) throw new Error("Some purchases were not refused");
    return measured;
  };
  for (const server of [servers.before, servers.now]) await measure(server, 3);
  const done: { before: number; now: number; noise: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Each stands first and last once, so that a drift of the machine meets both alike.
    const then1 = (await measure(servers.before)).cpuUsPerRequest;
    const now1 = (await measure(servers.now)).cpuUsPerRequest;
    const now2 = (await measure(servers.now)).cpuUsPerRequest;
    const then2 = (await measure(servers.before)).cpuUsPerRequest;
    done.push({ before: (then1 + then2) / 2, now: (now1 + now2) / 2, noise: then2 / then1 });
    say(`  round ${round}: ${then1.toFixed(2)} ${now1.toFixed(2)} ${now2.toFixed(2)} ${then2.toFixed(2)} µs (then now now then)`);
  }
  return {
    commit,
    cpuRatio: median(done.map(({ before, now }) => now / before)),
    noiseRatio: median(done.map(({ noise }) => noise)),
    thenUs: median(done.map(({ before }) => before)),
    nowUs: median(done.map(({ now }) => now)),
  };
}
