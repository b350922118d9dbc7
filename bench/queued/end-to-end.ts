/**
 * One API process and one worker, real HTTP, one hot product: how many purchases a second are accepted (202 after the
 * broker's confirm), and, at half of that, how long it takes from there to the order.
 */
import { median } from "../machine.ts";
import { startDeployment, type Deployment } from "../sql/deployment.ts";
import { runWrk } from "../wrk.ts";
import { acceptedOf, lagSince, settledOf, until, type Lag } from "./counts.ts";
import { opened, type Stack } from "./stack.ts";

export type EndToEndOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly crowd: number;
  readonly say: (text: string) => void;
};

export type Full = {
  readonly connections: number;
  /** Answers of 202. */
  readonly perSecond: number;
  /** CPU of the API process. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Lines that became orders meanwhile. */
  readonly settledPerSecond: number;
};
export type Half = {
  readonly perSecond: number;
  readonly lag: Lag;
};
/** What a buyer hears who waits for the order: 201. */
export type Waiting = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number; readonly share: number };
export type EndToEnd = { readonly full: Full; readonly half: Half; readonly waiting: Waiting };

const settleMaxMs = 120_000;
const acceptedMin = 0.5;

export async function measureEndToEnd(stack: Stack, options: EndToEndOptions): Promise<EndToEnd> {
  const { rounds, say } = options;
  const deployment = await startDeployment(stack.shop, 1, stack.settings);
  try {
    await opened(apiOf(deployment), stack.shop, stack.shop.acceptedPaths);
    await ask(stack, deployment, options, { key: "warm-", prefer: async, seconds: options.warmUpSeconds });
    await atRest(deployment);
    const done: EndToEnd[] = [];
    for (let round = 0; round < rounds; round++) {
      const full = await measureFull(stack, deployment, options, round);
      const rate = Math.round(full.perSecond / 2);
      const half = await measureHalf(stack, deployment, options, { round, rate });
      const waiting = await measureWaiting(stack, deployment, options, { round, rate });
      const measured = { full, half, waiting };
      say(`  round ${round + 1}: ${summary(measured)}`);
      done.push(measured);
    }
    return endToEndOf(done);
  } finally {
    await deployment.stop();
  }
}

const async = "respond-async";
type Asked = { readonly key: string; readonly prefer?: string; readonly rate?: number; readonly seconds?: number };
type Part = { readonly round: number; readonly rate: number };

function apiOf({ apis: [api] }: Deployment) {
  if (api === undefined) throw new Error("Somebody accepts");
  return api;
}

function ask({ shop }: Stack, deployment: Deployment, { seconds, crowd }: EndToEndOptions, asked: Asked) {
  const { url, pid } = apiOf(deployment);
  const { tokensFile, acceptedPaths: pathsFile, tokens: count } = shop;
  return runWrk({ url, pid, tokensFile, pathsFile, from: 0, count, connections: crowd, seconds, ...asked });
}

async function measureFull(stack: Stack, deployment: Deployment, options: EndToEndOptions, round: number): Promise<Full> {
  const { worker } = deployment;
  const before = await settledOf(worker);
  const begun = performance.now();
  const measured = await ask(stack, deployment, options, { key: `full${round}-`, prefer: async });
  const settledPerSecond = ((await settledOf(worker)) - before) / ((performance.now() - begun) / 1_000);
  const { requests, errorStatus, perSecond, cpuUsPerRequest: cpuUs, p50Ms, p99Ms } = measured;
  const accepted = (requests - errorStatus) / requests;
  // On a machine that has no time for us nothing at all is answered.
  if (!(accepted >= acceptedMin)) throw new Error(`${errorStatus} of ${requests} purchases were not accepted`);
  await atRest(deployment);
  return { connections: options.crowd, perSecond: perSecond * accepted, cpuUs, p50Ms, p99Ms, settledPerSecond };
}

async function measureHalf(stack: Stack, deployment: Deployment, options: EndToEndOptions, { round, rate }: Part): Promise<Half> {
  const sinceMs = Date.now();
  const { perSecond, errorStatus, requests } = await ask(stack, deployment, options, { key: `half${round}-`, prefer: async, rate });
  if (errorStatus > 0) options.say(`  ${errorStatus} of ${requests} purchases at half load were not accepted`);
  await atRest(deployment);
  return { perSecond, lag: await lagSince(stack, sinceMs) };
}

async function measureWaiting(stack: Stack, deployment: Deployment, options: EndToEndOptions, { round, rate }: Part): Promise<Waiting> {
  const before = await acceptedOf(apiOf(deployment));
  const { perSecond, p50Ms, p99Ms } = await ask(stack, deployment, options, { key: `waiting${round}-`, rate });
  await atRest(deployment);
  const after = await acceptedOf(apiOf(deployment));
  const ordered = after.ordered - before.ordered;
  return { perSecond, p50Ms, p99Ms, share: ordered / (ordered + after.queued - before.queued) };
}

/** Until all that was accepted has settled; whose client has left is accepted all the same, a little later. */
async function atRest(deployment: Deployment): Promise<void> {
  let last = -1;
  await until("the worker has settled what was accepted", settleMaxMs, async () => {
    const { queued, ordered } = await acceptedOf(apiOf(deployment));
    const isStill = queued + ordered === last;
    last = queued + ordered;
    if (!isStill) await Bun.sleep(200);
    return isStill && (await settledOf(deployment.worker)) >= last;
  });
}

function endToEndOf(done: readonly EndToEnd[]): EndToEnd {
  const of = (pick: (one: EndToEnd) => number) => median(done.map(pick));
  return {
    full: {
      connections: of(({ full }) => full.connections),
      perSecond: of(({ full }) => full.perSecond),
      cpuUs: of(({ full }) => full.cpuUs),
      p50Ms: of(({ full }) => full.p50Ms),
      p99Ms: of(({ full }) => full.p99Ms),
      settledPerSecond: of(({ full }) => full.settledPerSecond),
    },
    half: {
      perSecond: of(({ half }) => half.perSecond),
      lag: {
        orders: of(({ half }) => half.lag.orders),
        p50Ms: of(({ half }) => half.lag.p50Ms),
        p99Ms: of(({ half }) => half.lag.p99Ms),
        maxMs: of(({ half }) => half.lag.maxMs),
      },
    },
    waiting: {
      perSecond: of(({ waiting }) => waiting.perSecond),
      p50Ms: of(({ waiting }) => waiting.p50Ms),
      p99Ms: of(({ waiting }) => waiting.p99Ms),
      share: of(({ waiting }) => waiting.share),
    },
  };
}

const summary = ({ full, half, waiting }: EndToEnd): string =>
  `full ${Math.round(full.perSecond)}/s (p99 ${full.p99Ms.toFixed(0)} ms, ${full.cpuUs.toFixed(1)} µs, ${Math.round(full.settledPerSecond)} settled/s); ` +
  `at ${Math.round(half.perSecond)}/s settled after ${half.lag.p50Ms} ms, p99 ${half.lag.p99Ms}, at most ${half.lag.maxMs}; ` +
  `201 at ${Math.round(waiting.perSecond)}/s after ${waiting.p50Ms.toFixed(0)} ms, p99 ${waiting.p99Ms.toFixed(0)} (${(100 * waiting.share).toFixed(1)} % in time)`;
