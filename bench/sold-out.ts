/** What refusing costs one API process once all is taken, against the floor; and what others hear of it meanwhile. */
import { median } from "./machine.ts";
import { startFloor } from "./servers.ts";
import { startDeployment, type Api, type Shop } from "./sql/deployment.ts";
import { runWrk, type Measured } from "./wrk.ts";

export type SoldOutOptions<Count extends string> = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly say: (text: string) => void;
  /** Counters of what refusing may cost others, as they stand. */
  readonly counts: (api: Api) => Promise<Counts<Count>>;
  /** Of the processes, besides what they must have. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Called when the process answers, before anything is measured. */
  readonly prepare?: ((api: Api) => Promise<void>) | undefined;
};
export type Counts<Count extends string> = Readonly<Record<Count, number>>;

export type Refusals = { readonly perSecond: number; readonly cpuUs: number; readonly p50Ms: number; readonly p99Ms: number };
export type SoldOut<Count extends string> = {
  readonly floor: Refusals;
  readonly refused: Refusals;
  /** CPU per request as a multiple of the floor's in the same round. */
  readonly ofFloor: number;
  /** What is counted, each second: while nobody asks, and while everybody does. */
  readonly idle: Counts<Count>;
  readonly storm: Counts<Count>;
};

type Round<Count extends string> = Omit<SoldOut<Count>, "ofFloor">;

export async function measureSoldOut<Count extends string>(shop: Shop, options: SoldOutOptions<Count>): Promise<SoldOut<Count>> {
  const { rounds, say, settings, prepare } = options;
  const { apis, stop } = await startDeployment(shop, 1, settings);
  try {
    const [api] = apis;
    if (api === undefined) throw new Error("Somebody refuses");
    await prepare?.(api);
    const floor = await startFloor(api, shop);
    try {
      const load = loadOf(shop, options);
      await runWrk({ ...load, ...target(api), seconds: options.warmUpSeconds });
      await runWrk({ ...load, ...target(floor), seconds: options.warmUpSeconds });
      const done: Round<Count>[] = [];
      for (let round = 0; round < rounds; round++) {
        const refusing = await measureRefusing(api, load, options.counts);
        const measured: Round<Count> = { floor: rowOf(await runWrk({ ...load, ...target(floor) })), ...refusing };
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
type Timed = Pick<SoldOutOptions<string>, "seconds" | "connections">;
const loadOf = ({ tokensFile, refusedPaths, tokens }: Shop, { seconds, connections }: Timed) => ({
  tokensFile,
  pathsFile: refusedPaths,
  from: 0,
  count: tokens,
  key: "",
  seconds,
  connections,
});

async function measureRefusing<Count extends string>(
  api: Api,
  load: ReturnType<typeof loadOf>,
  counts: SoldOutOptions<Count>["counts"],
): Promise<Omit<Round<Count>, "floor">> {
  const idle = await ratesOver(
    () => counts(api),
    () => Bun.sleep(load.seconds * 1_000),
  );
  const storm = await ratesOver(
    () => counts(api),
    () => runWrk({ ...load, ...target(api) }),
  );
  const { value: measured } = storm;
  if (measured.errorStatus !== measured.requests) throw new Error("Some purchases were not refused");
  return { refused: rowOf(measured), idle: idle.rates, storm: storm.rates };
}

/** What happens each second while something runs. */
async function ratesOver<Count extends string, Value>(look: () => Promise<Counts<Count>>, run: () => Promise<Value>) {
  const before = await look();
  const begun = performance.now();
  const value = await run();
  const seconds = (performance.now() - begun) / 1_000;
  const after = await look();
  return { value, rates: eachOf(before, (name) => (after[name] - before[name]) / seconds) };
}

function eachOf<Count extends string>(like: Counts<Count>, of: (name: Count) => number): Counts<Count> {
  // The names of what was counted.
  const names = Object.keys(like) as Count[];
  // One number for each of them.
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Counts<Count>;
}

const rowOf = ({ perSecond, cpuUsPerRequest: cpuUs, p50Ms, p99Ms }: Measured): Refusals => ({ perSecond, cpuUs, p50Ms, p99Ms });

function soldOutOf<Count extends string>(done: readonly Round<Count>[]): SoldOut<Count> {
  const of = (pick: (round: Round<Count>) => number) => median(done.map(pick));
  const row = (pick: (round: Round<Count>) => Refusals): Refusals => ({
    perSecond: of((round) => pick(round).perSecond),
    cpuUs: of((round) => pick(round).cpuUs),
    p50Ms: of((round) => pick(round).p50Ms),
    p99Ms: of((round) => pick(round).p99Ms),
  });
  const [first] = done;
  if (first === undefined) throw new Error("There was a round");
  return {
    floor: row(({ floor }) => floor),
    refused: row(({ refused }) => refused),
    ofFloor: of(({ refused, floor }) => refused.cpuUs / floor.cpuUs),
    idle: eachOf(first.idle, (name) => of(({ idle }) => idle[name])),
    storm: eachOf(first.storm, (name) => of(({ storm }) => storm[name])),
  };
}

function summary<Count extends string>({ floor, refused, idle, storm }: Round<Count>): string {
  // The names of what was counted.
  const counted = (Object.keys(storm) as Count[]).map((name) => `${storm[name].toFixed(1)} ${name}/s (idle ${idle[name].toFixed(1)})`);
  return `refused ${refused.cpuUs.toFixed(1)} µs at ${refused.perSecond}/s, floor ${floor.cpuUs.toFixed(1)} µs; ${counted.join(", ")}`;
}
