/**
 * Two API processes and a worker on one database, everybody after one product: accepts a second where a commit takes what
 * waits, against the same processes with one purchase a transaction.
 */
import { median } from "../machine.ts";
import { runWrk, type Measured } from "../wrk.ts";
import { counterOf, startDeployment, type Api, type Shop } from "./deployment.ts";

export type StormOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Over both processes; one by one, a crowd would wait for longer than anybody may. */
  readonly crowd: number;
  readonly few: number;
  readonly say: (text: string) => void;
};

export type Accepts = {
  readonly connections: number;
  /** Answers of 201. */
  readonly perSecond: number;
  /** CPU of both API processes. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perCommit: number;
};
export type Storm = {
  readonly batched: Accepts;
  readonly single: Accepts;
  /** Accepts a second as a multiple of those one by one in the same round: the median, and the worst and the best round. */
  readonly ofSingle: number;
  readonly ofSingleMin: number;
  readonly ofSingleMax: number;
};

const oneByOne = { DOORBUSTER_BATCH_MAX: "1" };

export async function measureStorm(shop: Shop, options: StormOptions): Promise<Storm> {
  const { rounds, say } = options;
  const done: { batched: Accepts; single: Accepts }[] = [];
  for (let round = 0; round < rounds; round++) {
    const batched = await measureAccepts(shop, options, { round, name: "batched", connections: options.crowd, settings: {} });
    const single = await measureAccepts(shop, options, { round, name: "single", connections: options.few, settings: oneByOne });
    say(`  round ${round + 1}: ${summary(batched)}; one by one ${summary(single)}: × ${(batched.perSecond / single.perSecond).toFixed(1)}`);
    done.push({ batched, single });
  }
  const multiples = done.map(({ batched, single }) => batched.perSecond / single.perSecond);
  return {
    batched: acceptsOf(done.map(({ batched }) => batched)),
    single: acceptsOf(done.map(({ single }) => single)),
    ofSingle: median(multiples),
    ofSingleMin: Math.min(...multiples),
    ofSingleMax: Math.max(...multiples),
  };
}

type Run = {
  readonly round: number;
  readonly name: string;
  readonly connections: number;
  readonly settings: Readonly<Record<string, string>>;
};

async function measureAccepts(shop: Shop, options: StormOptions, { round, name, connections, settings }: Run): Promise<Accepts> {
  const { rounds, seconds, warmUpSeconds } = options;
  const { apis, stop } = await startDeployment(shop, 2, settings);
  try {
    const [first, ...others] = apis;
    if (first === undefined) throw new Error("A storm has somebody to ask");
    const share = Math.floor(shop.tokens / rounds);
    const part = { tokensFile: shop.tokensFile, pathsFile: shop.acceptedPaths, connections, from: round * share, count: share };
    const ask = { ...part, url: first.url, pid: first.pid, others };
    await runWrk({ ...ask, seconds: warmUpSeconds, key: `warm-${name}${round}-` });
    const before = await counted(apis);
    const measured = await runWrk({ ...ask, seconds, key: `${name}${round}-` });
    const after = await counted(apis);
    return { ...rowOf(measured), connections, perCommit: (after.lines - before.lines) / (after.commits - before.commits) };
  } finally {
    await stop();
  }
}

async function counted(apis: readonly Api[]): Promise<{ lines: number; commits: number }> {
  const sum = async (name: string) => (await Promise.all(apis.map((api) => counterOf(api, name)))).reduce((a, b) => a + b, 0);
  return { lines: await sum("doorbuster_committed_lines_total"), commits: await sum("doorbuster_commits_total") };
}

/** Where the disk stands still somebody hears 503 or 504: those are no accepts. */
function rowOf({ requests, errorStatus, perSecond, cpuUsPerRequest, p50Ms, p99Ms }: Measured) {
  const accepted = (requests - errorStatus) / requests;
  if (accepted < acceptedMin) throw new Error(`${errorStatus} of ${requests} purchases were not accepted`);
  return { perSecond: perSecond * accepted, cpuUs: cpuUsPerRequest / accepted, p50Ms, p99Ms };
}

const acceptedMin = 0.5;

function acceptsOf(done: readonly Accepts[]): Accepts {
  const of = (pick: (accepts: Accepts) => number) => median(done.map(pick));
  return {
    connections: of(({ connections }) => connections),
    perSecond: of(({ perSecond }) => perSecond),
    cpuUs: of(({ cpuUs }) => cpuUs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    perCommit: of(({ perCommit }) => perCommit),
  };
}

const summary = ({ perSecond, perCommit, p99Ms }: Accepts): string =>
  `${Math.round(perSecond)}/s (${perCommit.toFixed(1)} a commit, p99 ${p99Ms.toFixed(0)} ms)`;
