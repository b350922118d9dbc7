/** What was accepted while no worker ran: how fast one that comes back makes orders of it, and how much memory that takes. */
import { peakMbOf, residentMbOf } from "../machine.ts";
import { counterOf, startDeployment, startProcess, type Api } from "../sql/deployment.ts";
import { runWrk } from "../wrk.ts";
import { acceptedOf, settledOf, until } from "./counts.ts";
import { opened, type Stack } from "./stack.ts";

export type BacklogOptions = {
  readonly lines: number;
  readonly crowd: number;
  readonly say: (text: string) => void;
};
export type Backlog = {
  readonly lines: number;
  readonly settledPerSecond: number;
  /** Lines in a commit. */
  readonly perCommit: number;
  /** Memory of a worker at rest, and the most of the one that dealt with the backlog. */
  readonly restMb: number;
  readonly peakMb: number;
};

const fillSeconds = 2;
const fillRoundsMax = 60;
const answersMaxMs = 10_000;
const drainMaxMs = 300_000;

export async function measureBacklog({ shop, settings }: Stack, { lines, crowd, say }: BacklogOptions): Promise<Backlog> {
  const { apis, worker, stop } = await startDeployment(shop, 1, settings);
  let second: Api | undefined;
  try {
    const [api] = apis;
    if (api === undefined) throw new Error("Somebody accepts");
    await opened(api, shop, shop.acceptedPaths);
    await Bun.sleep(1_000);
    const restMb = residentMbOf(worker.pid);
    await worker.stop();
    const waiting = await fill(api, lines, (round) => {
      const { tokensFile, acceptedPaths: pathsFile, tokens: count } = shop;
      const load = { tokensFile, pathsFile, from: 0, count, connections: crowd, prefer: "respond-async" };
      return runWrk({ ...load, url: api.url, pid: api.pid, seconds: fillSeconds, key: `backlog${round}-` });
    });
    say(`  ${waiting} purchases wait`);
    second = await startProcess(shop, { name: "second-worker", roles: "worker", settings });
    const drained = await drain(second, waiting);
    const backlog = { ...drained, restMb, peakMb: peakMbOf(second.pid) };
    say(`  ${summary(backlog)}`);
    return backlog;
  } finally {
    await second?.stop();
    await stop();
  }
}

async function fill(api: Api, lines: number, ask: (round: number) => Promise<unknown>): Promise<number> {
  const before = (await acceptedOf(api)).queued;
  for (let round = 0; ; round++) {
    await ask(round);
    const accepted = await acceptedAtRest(api);
    // A machine on which that takes for ever has a shorter backlog, which is printed with its length.
    if (accepted - before >= lines || round === fillRoundsMax) return accepted - before;
  }
}

/** Those whose client has left are accepted all the same, a little later. */
async function acceptedAtRest(api: Api): Promise<number> {
  let last = -1;
  await until("all that was asked is answered", answersMaxMs, async () => {
    const { queued } = await acceptedOf(api);
    const isStill = queued === last;
    last = queued;
    if (!isStill) await Bun.sleep(200);
    return isStill;
  });
  return last;
}

async function drain(worker: Api, waiting: number): Promise<Pick<Backlog, "lines" | "settledPerSecond" | "perCommit">> {
  const commits = () => counterOf(worker, 'doorbuster_queue_events_total{event="settling_commit"}');
  // From the first lines that are seen to have settled, so that neither the start nor the first plans count.
  let first: { readonly atMs: number; readonly settled: number; readonly commits: number } | undefined;
  let settled = 0;
  await until("the backlog has settled", drainMaxMs, async () => {
    settled = await settledOf(worker);
    if (settled > 0) first ??= { atMs: performance.now(), settled, commits: await commits() };
    return settled >= waiting;
  });
  if (first === undefined) throw new Error("Something has settled");
  const seconds = (performance.now() - first.atMs) / 1_000;
  const lines = settled - first.settled;
  return { lines: settled, settledPerSecond: lines / seconds, perCommit: lines / ((await commits()) - first.commits) };
}

const summary = ({ lines, settledPerSecond, perCommit, restMb, peakMb }: Backlog): string =>
  `${lines} lines settled at ${Math.round(settledPerSecond)}/s, ${perCommit.toFixed(0)} a commit; ${restMb} MB at rest, ${peakMb} MB at most`;
