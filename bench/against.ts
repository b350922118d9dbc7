/**
 * What the code since an earlier commit costs a refused purchase: servers of both commits, each as an operator would run
 * it (logs on, written to a file), on stores that each filled itself by the same plan, measured in turns in one run.
 */
import { execFileSync } from "node:child_process";
import { openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { median } from "./machine.ts";
import { freePort, startOnCore, type Started } from "./processes.ts";
import { apiKey, buildWorld, tokenSecret, type World, type WorldPlan } from "./scenarios.ts";
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
  /** What a server says to a purchase that is refused: both must say the same, or unlike things are compared. */
  readonly answerOf: (url: string, world: World) => Promise<string>;
  readonly say: (text: string) => void;
};

const project = join(import.meta.dirname, "..");

export async function measureAgainst(options: AgainstOptions): Promise<Against> {
  const { commit, root, plan, say } = options;
  const earlier = join(root, "earlier");
  execFileSync("git", ["worktree", "add", "--detach", "--force", earlier, commit], { cwd: project, stdio: "ignore" });
  try {
    symlinkSync(join(project, "node_modules"), join(earlier, "node_modules"));
    say(`filling a store with commit ${commit}, and one with this`);
    // The earlier commit's own code, which has the same function.
    const scenarios = (await import(join(earlier, "bench/scenarios.ts"))) as { buildWorld: typeof buildWorld };
    const before = await openSite(join(earlier, "src/main.ts"), await scenarios.buildWorld(plan, join(root, "before")));
    try {
      const now = await openSite(join(project, "src/main.ts"), await buildWorld(plan, join(root, "now")));
      try {
        return await compare({ before, now }, options);
      } finally {
        await now.server.stop();
      }
    } finally {
      await before.server.stop();
    }
  } finally {
    execFileSync("git", ["worktree", "remove", "--force", earlier], { cwd: project, stdio: "ignore" });
  }
}

type Site = { readonly server: Started; readonly world: World };

async function openSite(script: string, world: World): Promise<Site> {
  const port = await freePort();
  const env = {
    DOORBUSTER_HTTP_PORT: String(port),
    DOORBUSTER_DATA_DIR: world.dataDir,
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_TOKEN_SECRET: tokenSecret,
  };
  const ready = async (url: string) => (await fetch(`${url}/readyz`)).ok;
  const server = await startOnCore(script, ["serve"], { env, port, ready, stderr: openSync(`${world.dataDir}.log`, "w") });
  return { server, world };
}

async function compare(sites: { before: Site; now: Site }, options: AgainstOptions): Promise<Against> {
  const { rounds, seconds, connections, say, commit } = options;
  const answers = await Promise.all([sites.before, sites.now].map(({ server, world }) => options.answerOf(server.url, world)));
  if (new Set(answers).size !== 1) throw new Error(`The servers answer differently:\n${answers.join("\n")}`);
  const measure = async ({ server: { url, pid }, world }: Site, forSeconds = seconds): Promise<Measured> => {
    const { tokensFile, refusedPaths: pathsFile, tokens: count } = world;
    const measured = await runWrk({ tokensFile, pathsFile, from: 0, count, key: "", connections, url, pid, seconds: forSeconds });
    if (measured.errorStatus !== measured.requests) throw new Error("Some purchases were not refused");
    return measured;
  };
  for (const site of [sites.before, sites.now]) await measure(site, 3);
  const done: { before: number; now: number; noise: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Each stands first and last once, so that a drift of the machine meets both alike.
    const then1 = (await measure(sites.before)).cpuUsPerRequest;
    const now1 = (await measure(sites.now)).cpuUsPerRequest;
    const now2 = (await measure(sites.now)).cpuUsPerRequest;
    const then2 = (await measure(sites.before)).cpuUsPerRequest;
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
