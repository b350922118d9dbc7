/**
 * `npm run bench`: the floor, refusals and accepts in one run, server and generator each on a core of its own. Prints a
 * table and writes bench/results/<commit>.json. Figures are ratios to the floor of the same round; medians over rounds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAgainst, type Against } from "./against.ts";
import { measureParts } from "./breakdown.ts";
import { describeMachine, median, residentMbOf } from "./machine.ts";
import { freePort, startOnCore, type Started } from "./processes.ts";
import { printReport, quoteInReadme, writeReport, type Report, type Row, type WorldReport } from "./report.ts";
import { purchase, startFloor } from "./servers.ts";
import { apiKey, buildWorld, tokenSecret, type World, type WorldPlan } from "./scenarios.ts";
import { measureQueued } from "./queued/main.ts";
import { measureSql } from "./sql/main.ts";
import { measureWeb } from "./web/main.ts";
import { ensureWrk, runWrk, type Load, type Measured } from "./wrk.ts";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64" },
    /** For accepts: a commit holds what came in during the one before, so a crowd is what they are made for. */
    crowd: { type: "string", default: "512" },
    /** Small worlds and one short round: whether the bench works, not what the figures are. */
    quick: { type: "boolean", default: false },
    /** Quote the figures in README.md. */
    readme: { type: "boolean", default: false },
    /** Names of the worlds to measure, comma-separated; the first is what the others are compared with. */
    worlds: { type: "string", default: "" },
    /** An earlier commit: what the code since then adds to a refused purchase. */
    against: { type: "string", default: "" },
    /** embedded; sql: several processes on one database; queued: before it a cache that decides and a broker that carries. */
    mode: { type: "string", default: "embedded" },
    /** The shop's pages in a browser, instead of the API. */
    web: { type: "boolean", default: false },
    /** For sql and queued: mariadb, postgres or both. */
    engine: { type: "string", default: "both" },
  },
});
const rounds = flags.quick ? 1 : Number(flags.rounds);
const seconds = flags.quick ? 1 : Number(flags.seconds);
const connections = Number(flags.connections);
const crowd = Number(flags.crowd);
const many = flags.quick ? 10_000 : 1_000_000;
const manySales = flags.quick ? 100 : 10_000;

const visitors = flags.quick ? 20_000 : 300_000;
const plain = { sales: 1, oldOrders: 0, buyers: visitors, visitors, order: "as met", storm: "one sale", accepts: true } as const;
const millions = many.toLocaleString("en");
const thousands = manySales.toLocaleString("en");

/** The first is what the others are compared with. */
const plans: readonly WorldPlan[] = [
  { ...plain, name: "plain", about: "1 sale, 0 old orders" },
  { ...plain, name: "few-buyers", about: "1,000 buyers", buyers: 1_000, visitors: 1_000, accepts: false },
  { ...plain, name: "many-buyers", about: `${millions} buyers, in random order`, buyers: many, order: "random" },
  { ...plain, name: "many-sales", about: `${thousands} sales, a storm on one`, sales: manySales },
  { ...plain, name: "spread", about: `${thousands} sales, a storm on all`, sales: manySales, storm: "spread over all" },
  { ...plain, name: "many-orders", about: `${millions} old orders`, oldOrders: many },
];

type Round = {
  readonly floor: Measured;
  readonly refused: Measured;
  /** With as many connections as accepts have. */
  readonly crowdFloor: Measured;
  readonly buying?: Buying | undefined;
};
type Buying = { readonly accepted: Measured; readonly acceptedByFew: Measured; readonly settledPerSecond: number };

async function main(): Promise<void> {
  ensureWrk();
  const root = mkdtempSync(join(tmpdir(), "doorbuster-bench-"));
  try {
    const worlds: WorldReport[] = [];
    for (const plan of plans.filter(({ name }) => flags.worlds === "" || flags.worlds.split(",").includes(name))) {
      say(`filling "${plan.name}": ${plan.about}`);
      worlds.push(await measureWorld(await buildWorld(plan, root)));
    }
    const against = await measureEarlier(root);
    say("timing the parts");
    const parts = await measureParts(root);
    const report: Report = {
      machine: describeMachine(),
      at: new Date().toISOString(),
      settings: { rounds, seconds, connections, crowd, quick: flags.quick },
      worlds,
      against,
      parts,
    };
    printReport(report);
    if (flags.readme) quoteInReadme(report);
    console.log(`\nWritten to ${writeReport(report)}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measureEarlier(root: string): Promise<Against | undefined> {
  const [plan] = plans;
  if (flags.against === "" || plan === undefined) return undefined;
  const answerOf = async (url: string, world: World) => (await purchase(url, world.refusedPaths, world)).text();
  const manyRounds = flags.quick ? 1 : Math.max(5, rounds);
  return measureAgainst({ commit: flags.against, plan, root, rounds: manyRounds, seconds, connections, answerOf, say });
}

/** Rounds of floor, refusals, accepts; then what the server weighs and how fast it comes back. */
async function measureWorld(world: World): Promise<WorldReport> {
  const done: Round[] = [];
  let memoryMb = 0;
  let server = await startServer(world);
  try {
    const floor = await startFloor(server, world);
    try {
      await warmUp(server, floor, world);
      for (let round = 0; round < rounds; round++) {
        done.push(await measureRound(server, floor, world, round));
        say(`  round ${round + 1}: ${summary(done.at(-1))}`);
      }
    } finally {
      await floor.stop();
    }
    memoryMb = residentMbOf(server.pid);
    await server.stop();
    const again = await restart(world);
    server = again.server;
    const { firstAcceptMs } = again;
    return { name: world.name, about: world.about, ...rowsOf(done), memoryMb, firstAcceptMs };
  } finally {
    await server.stop();
  }
}

async function measureRound(server: Started, floor: Started, world: World, round: number): Promise<Round> {
  const common = { tokensFile: world.tokensFile, seconds, connections };
  const share = Math.floor(world.tokens / rounds);
  const part = { from: round * share, count: share };
  const refused = { ...common, ...part, pathsFile: world.refusedPaths, key: "" };
  const floorMeasured = await runWrk({ ...refused, url: floor.url, pid: floor.pid });
  const refusedMeasured = await runWrk({ ...refused, url: server.url, pid: server.pid });
  const crowdFloor = await runWrk({ ...refused, connections: crowd, url: floor.url, pid: floor.pid });
  if (refusedMeasured.errorStatus !== refusedMeasured.requests) throw new Error(`Some purchases in "${world.name}" were not refused`);
  const buying = world.accepts ? await measureBuying(server, world, { ...common, ...part, round }) : undefined;
  return { floor: floorMeasured, refused: refusedMeasured, crowdFloor, buying };
}

type Part = Pick<Load, "tokensFile" | "seconds" | "connections" | "from" | "count"> & { readonly round: number };

async function measureBuying(server: Started, world: World, { round, ...part }: Part): Promise<Buying> {
  const load = { ...part, pathsFile: world.acceptedPaths, url: server.url, pid: server.pid };
  const acceptedByFew = await runWrk({ ...load, key: `few${round}-` });
  const before = await ordersOf(server, world);
  const begun = performance.now();
  const accepted = await runWrk({ ...load, connections: crowd, key: `crowd${round}-` });
  const settled = (await ordersOf(server, world)) - before;
  const elapsed = (performance.now() - begun) / 1000;
  for (const { errorStatus, requests } of [accepted, acceptedByFew])
    if (errorStatus > 0) throw new Error(`${errorStatus} of ${requests} purchases in "${world.name}" were not accepted`);
  return { accepted, acceptedByFew, settledPerSecond: settled / elapsed };
}

function rowsOf(done: readonly Round[]): Pick<WorldReport, "floor" | "refused" | "buying"> {
  type Pair = { readonly measured: Measured; readonly floor: Measured };
  const row = (pairs: readonly Pair[]): Row => ({
    perSecond: median(pairs.map(({ measured }) => measured.perSecond)),
    cpuUs: median(pairs.map(({ measured }) => measured.cpuUsPerRequest)),
    ofFloor: median(pairs.map(({ measured, floor }) => measured.cpuUsPerRequest / floor.cpuUsPerRequest)),
    p50Ms: median(pairs.map(({ measured }) => measured.p50Ms)),
    p99Ms: median(pairs.map(({ measured }) => measured.p99Ms)),
    p99OfFloor: median(pairs.map(({ measured, floor }) => measured.p99Ms / floor.p99Ms)),
  });
  const bought = done.flatMap(({ buying, floor, crowdFloor }) => (buying === undefined ? [] : [{ ...buying, floor, crowdFloor }]));
  return {
    floor: row(done.map(({ floor }) => ({ measured: floor, floor }))),
    refused: row(done.map(({ refused, floor }) => ({ measured: refused, floor }))),
    buying:
      bought.length === 0
        ? undefined
        : {
            accepted: row(bought.map(({ accepted, crowdFloor }) => ({ measured: accepted, floor: crowdFloor }))),
            acceptedByFew: row(bought.map(({ acceptedByFew, floor }) => ({ measured: acceptedByFew, floor }))),
            settledPerSecond: median(bought.map(({ settledPerSecond }) => settledPerSecond)),
          },
  };
}

async function warmUp(server: Started, floor: Started, world: World): Promise<void> {
  // Long enough for the compilers to have seen everything: a storm lasts minutes.
  const common = {
    tokensFile: world.tokensFile,
    from: 0,
    count: Math.min(20_000, world.tokens),
    seconds: flags.quick ? 1 : 3,
    connections,
  };
  await runWrk({ ...common, pathsFile: world.refusedPaths, key: "", url: floor.url, pid: floor.pid });
  await runWrk({ ...common, pathsFile: world.refusedPaths, key: "", url: server.url, pid: server.pid });
  if (world.accepts) await runWrk({ ...common, pathsFile: world.acceptedPaths, key: "warm-", url: server.url, pid: server.pid });
}

const isReady = async (url: string) => (await fetch(`${url}/readyz`)).ok;

async function startServer(world: World, ready = isReady): Promise<Started> {
  const port = await freePort();
  const env = {
    DOORBUSTER_HTTP_PORT: String(port),
    DOORBUSTER_DATA_DIR: world.dataDir,
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_TOKEN_SECRET: tokenSecret,
    DOORBUSTER_LOG_LEVEL: "warn",
  };
  return startOnCore("../src/main.ts", ["serve"], { env, port, ready });
}

/** Starts the server on the store as it stands and waits for its first 201, from the start of the process. */
async function restart(world: World): Promise<{ server: Started; firstAcceptMs: number }> {
  const begun = performance.now();
  const server = await startServer(world, async (url) => (await purchase(url, world.acceptedPaths, world)).status === 201);
  return { server, firstAcceptMs: performance.now() - begun };
}

async function ordersOf(server: Started, world: World): Promise<number> {
  const answer = await fetch(`${server.url}/api/v1/sales/${world.openSale}/statistics`);
  // The shape is docs/api.md's statistics.
  const { data } = (await answer.json()) as { data: { purchases: { reserved?: number } } };
  return data.purchases.reserved ?? 0;
}

function summary(round: Round | undefined): string {
  if (round === undefined) return "";
  const us = ({ cpuUsPerRequest }: Measured) => `${cpuUsPerRequest.toFixed(1)} µs`;
  const { floor, crowdFloor, refused, buying } = round;
  const bought = buying && `, accepted ${us(buying.accepted)} at ${buying.accepted.perSecond}/s (${us(buying.acceptedByFew)} by few)`;
  return `floor ${us(floor)} (crowd ${us(crowdFloor)}), refused ${us(refused)}${bought ?? ""}`;
}
const say = (text: string) => console.error(text);

const { engine, quick, readme } = flags;
const shared = { engine, rounds, seconds, connections, crowd, quick, readme, say };
switch (flags.web ? "web" : flags.mode) {
  case "web":
    await measureWeb(shared);
    break;
  case "embedded":
    await main();
    break;
  case "sql":
    await measureSql(shared);
    break;
  case "queued":
    await measureQueued(shared);
    break;
  default:
    throw new Error(`Choose the mode by --mode embedded|sql|queued, not "${flags.mode}"`);
}
