/**
 * `npm run bench -- --mode queued`: what a line costs the cache, refusals once all is taken, purchases from end to end, and
 * a backlog, on engines that it starts for itself. Figures are ratios to something measured in the same run; medians over
 * rounds.
 */
import { loadavg } from "node:os";
import { openRedis } from "../../tests/harness/engines/redis.ts";
import type { EngineFlags } from "../flags.ts";
import { describeMachine } from "../machine.ts";
import { enginesOf, syncOf } from "../sql/main.ts";
import type { EngineName } from "../sql/engines.ts";
import { measureSettling } from "../sql/settling.ts";
import { ensureWrk, generatorCore, serverCore } from "../wrk.ts";
import { measureBacklog } from "./backlog.ts";
import { measureCache } from "./cache-cpu.ts";
import { measureEndToEnd } from "./end-to-end.ts";
import { printQueuedReport, quoteQueuedInReadme, writeQueuedReport, type QueuedEngineReport, type QueuedReport } from "./report.ts";
import { measureQueuedSoldOut } from "./sold-out.ts";
import { withStack, type Stack } from "./stack.ts";

const sizes = [1, 128, 256];
/** Lines in a commit of the settling that a backlog is held against: as many as a worker with a backlog puts into one. */
const settledTogether = 1_000;
const pinned = `Our processes on core ${serverCore}; the load on core ${generatorCore}; cache, broker and database wherever there is room`;

export async function measureQueued(flags: EngineFlags): Promise<void> {
  ensureWrk();
  const { rounds, seconds, quick, crowd, say } = flags;
  const names = enginesOf(flags.engine);
  say("what a line costs the cache");
  const cache = await measureCacheAlone(flags);
  const engines: QueuedEngineReport[] = [];
  let load = loadavg()[0] ?? 0;
  for (const [index, name] of names.entries()) {
    engines.push(await measureEngine(name, { ...flags, isFirst: index === 0 }));
    load = Math.max(load, loadavg()[1] ?? 0);
  }
  const settings = { rounds, seconds, crowd, backlog: backlogOf(flags), quick };
  const report: QueuedReport = { machine: describeMachine(), at: new Date().toISOString(), settings, pinned, load, cache, engines };
  printQueuedReport(report);
  if (flags.readme) quoteQueuedInReadme(report);
  console.log(`\nWritten to ${writeQueuedReport(report)}`);
}

const backlogOf = ({ quick }: Pick<EngineFlags, "quick">): number => (quick ? 2_000 : 100_000);

async function measureCacheAlone({ rounds, quick, crowd, say }: EngineFlags) {
  await using redis = await openRedis({ appendfsync: "always" });
  return await measureCache(redis, { sizes, crowd, lines: quick ? 2_000 : 30_000, rounds, say });
}

function measureEngine(name: EngineName, flags: EngineFlags & { readonly isFirst: boolean }): Promise<QueuedEngineReport> {
  const { rounds, seconds, connections, crowd, quick, isFirst, say } = flags;
  const common = { rounds, seconds, warmUpSeconds: quick ? 1 : 3, say };
  return withStack(name, quick ? 5_000 : 150_000, async (stack: Stack) => {
    const { database, folder } = stack;
    const before = await syncOf(folder);
    // What refuses asks no database.
    if (isFirst) say("sold out");
    const soldOut = isFirst ? await measureQueuedSoldOut(stack, { ...common, connections }) : undefined;
    say(`from end to end on ${database.title}`);
    const endToEnd = await measureEndToEnd(stack, { ...common, crowd });
    say("settling without cache and broker");
    const cores = { clientCore: serverCore, engineCore: generatorCore };
    const takes = quick ? 2_000 : 30_000;
    const [settling] = await measureSettling(database, { sizes: [settledTogether], takes, rounds, ...cores, say });
    if (settling === undefined) throw new Error("Settling was measured");
    say("a backlog");
    const backlog = await measureBacklog(stack, { lines: backlogOf(flags), crowd, say });
    return { title: database.title, syncs: [before, await syncOf(folder)], soldOut, endToEnd, settling, backlog };
  });
}
