/** What refusing costs one API process once all is taken, against the floor; and what the database hears of it. */
import { median } from "../machine.ts";
import { startFloor } from "../servers.ts";
import { runWrk, type Measured } from "../wrk.ts";
import { counterOf, startDeployment, type Api, type Shop } from "./deployment.ts";
import type { Engine } from "./engines.ts";

export type SoldOutOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly say: (text: string) => void;
};

export type Refusals = { readonly perSecond: number; readonly cpuUs: number; readonly p50Ms: number; readonly p99Ms: number };
export type SoldOut = {
  readonly floor: Refusals;
  readonly refused: Refusals;
  /** CPU per request as a multiple of the floor's in the same round. */
  readonly ofFloor: number;
  /** Transactions a second that lock or write, on the whole database: while nobody asks, and while everybody does. */
  readonly idleTransactions: number;
  readonly stormTransactions: number;
  /** Commits a second that the API process asked its ledger for meanwhile: one for each time its mark ran out. */
  readonly probes: number;
};

type Round = Omit<SoldOut, "ofFloor">;

export async function measureSoldOut(engine: Engine, shop: Shop, options: SoldOutOptions): Promise<SoldOut> {
  const { rounds, say } = options;
  const { apis, stop } = await startDeployment(shop, 1);
  try {
    const [api] = apis;
    if (api === undefined) throw new Error("Somebody refuses");
    const floor = await startFloor(api, shop);
    try {
      const load = loadOf(shop, options);
      await runWrk({ ...load, ...target(api), seconds: options.warmUpSeconds });
      await runWrk({ ...load, ...target(floor), seconds: options.warmUpSeconds });
      const done: Round[] = [];
      for (let round = 0; round < rounds; round++) {
        const refusing = await measureRefusing(engine, api, load);
        const measured: Round = { floor: rowOf(await runWrk({ ...load, ...target(floor) })), ...refusing };
        say(`  round ${round + 1}: ${summary(measured)}`);
        done.push(measured);
      }
      return soldOutOf(done);
    } finally {
      await floor.stop();
    }
  } finally {
    await stop();
  }
}

const target = ({ url, pid }: { url: string; pid: number }) => ({ url, pid });
const loadOf = ({ tokensFile, refusedPaths, tokens }: Shop, { seconds, connections }: SoldOutOptions) => ({
  tokensFile,
  pathsFile: refusedPaths,
  from: 0,
  count: tokens,
  key: "",
  seconds,
  connections,
});

async function measureRefusing(engine: Engine, api: Api, load: ReturnType<typeof loadOf>): Promise<Omit<Round, "floor">> {
  const idle = await ratesOver(engine, api, () => Bun.sleep(load.seconds * 1_000));
  const storm = await ratesOver(engine, api, () => runWrk({ ...load, ...target(api) }));
  const { value: measured } = storm;
  if (measured.errorStatus !== measured.requests) throw new Error("Some purchases were not refused");
  return { refused: rowOf(measured), idleTransactions: idle.transactions, stormTransactions: storm.transactions, probes: storm.commits };
}

/** What happens each second while something runs. */
async function ratesOver<Value>(engine: Engine, api: Api, run: () => Promise<Value>) {
  const look = async () => ({ transactions: await engine.transactions(), commits: await counterOf(api, "doorbuster_commits_total") });
  const before = await look();
  const begun = performance.now();
  const value = await run();
  const seconds = (performance.now() - begun) / 1_000;
  const after = await look();
  return {
    value,
    transactions: (after.transactions - before.transactions) / seconds,
    commits: (after.commits - before.commits) / seconds,
  };
}

const rowOf = ({ perSecond, cpuUsPerRequest: cpuUs, p50Ms, p99Ms }: Measured): Refusals => ({ perSecond, cpuUs, p50Ms, p99Ms });

function soldOutOf(done: readonly Round[]): SoldOut {
  const of = (pick: (round: Round) => number) => median(done.map(pick));
  const row = (pick: (round: Round) => Refusals): Refusals => ({
    perSecond: of((round) => pick(round).perSecond),
    cpuUs: of((round) => pick(round).cpuUs),
    p50Ms: of((round) => pick(round).p50Ms),
    p99Ms: of((round) => pick(round).p99Ms),
  });
  return {
    floor: row(({ floor }) => floor),
    refused: row(({ refused }) => refused),
    ofFloor: of(({ refused, floor }) => refused.cpuUs / floor.cpuUs),
    idleTransactions: of(({ idleTransactions }) => idleTransactions),
    stormTransactions: of(({ stormTransactions }) => stormTransactions),
    probes: of(({ probes }) => probes),
  };
}

const summary = ({ floor, refused, idleTransactions, stormTransactions, probes }: Round): string =>
  `refused ${refused.cpuUs.toFixed(1)} µs at ${refused.perSecond}/s, floor ${floor.cpuUs.toFixed(1)} µs; ` +
  `${stormTransactions.toFixed(1)} transactions/s (idle ${idleTransactions.toFixed(1)}), ${probes.toFixed(1)} of them probes`;
