/**
 * `npm run bench -- --mode sql`: settling, a storm on two API processes and refusals once all is taken, on database servers
 * that it starts for itself. Figures are ratios to something measured in the same round; medians over rounds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { diskFacts } from "../../src/adapters/system/disk-facts.ts";
import type { SyncTimes } from "../../src/ports/machine-facts.ts";
import type { EngineFlags } from "../flags.ts";
import { describeMachine } from "../machine.ts";
import { measureSoldOut } from "../sold-out.ts";
import { ensureWrk, generatorCore, serverCore } from "../wrk.ts";
import { counterOf, fillShop, type Api } from "./deployment.ts";
import { engineNames, openEngine, type EngineName } from "./engines.ts";
import { printSqlReport, quoteSqlInReadme, writeSqlReport, type EngineReport, type SqlReport } from "./report.ts";
import { measureSettling } from "./settling.ts";
import { measureStorm } from "./storm.ts";

const sizes = [100, 500, 1_000];
/** An engine has a core of its own only while nobody else has much to do there. */
const engineCore = generatorCore;
const pinned = `Our processes on core ${serverCore}; the database on core ${engineCore}, where the load comes from, too`;

export async function measureSql(flags: EngineFlags): Promise<void> {
  ensureWrk();
  const names = enginesOf(flags.engine);
  const engines: EngineReport[] = [];
  let load = 0;
  for (const name of names) {
    engines.push(await measureEngine(name, flags));
    load = Math.max(load, loadavg()[1] ?? 0);
  }
  const { rounds, seconds, quick } = flags;
  const settings = { rounds, seconds, takes: takesOf(flags), quick };
  const report: SqlReport = { machine: describeMachine(), at: new Date().toISOString(), settings, pinned, load, engines };
  printSqlReport(report);
  if (flags.readme) quoteSqlInReadme(report);
  console.log(`\nWritten to ${writeSqlReport(report)}`);
}

export function enginesOf(wanted: string): readonly EngineName[] {
  const names = engineNames.filter((name) => wanted === "both" || wanted === name);
  if (names.length === 0) throw new Error(`Choose the engine by --engine ${engineNames.join("|")}|both, not "${wanted}"`);
  return names;
}

const takesOf = ({ quick }: EngineFlags): number => (quick ? 2_000 : 30_000);

async function measureEngine(name: EngineName, flags: EngineFlags): Promise<EngineReport> {
  const { rounds, seconds, connections, crowd, quick, say } = flags;
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-bench-"));
  const engine = await openEngine(name);
  try {
    const before = await syncOf(folder);
    const warmUpSeconds = quick ? 1 : 3;
    const common = { rounds, seconds, warmUpSeconds, say };
    say(`settling on ${engine.title}`);
    const cores = { clientCore: serverCore, engineCore };
    const settling = await measureSettling(engine, { sizes, takes: takesOf(flags), rounds, ...cores, say });
    say("a storm on two API processes");
    const shop = await fillShop(await engine.database("shop"), { folder, visitors: quick ? 5_000 : 150_000 });
    const storm = await measureStorm(shop, { ...common, crowd, few: connections });
    say("sold out");
    // Commits that the process asks its ledger for: one for each time its mark ran out.
    const counts = async (api: Api) => ({
      transactions: await engine.transactions(),
      probes: await counterOf(api, "doorbuster_commits_total"),
    });
    const soldOut = await measureSoldOut(shop, { ...common, connections, counts });
    return { title: engine.title, syncs: [before, await syncOf(folder)], settling, storm, soldOut };
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function syncOf(folder: string): Promise<SyncTimes> {
  const { sync } = await diskFacts(folder);
  if (sync === undefined) throw new Error("The disk of temporary folders cannot be synced");
  return sync;
}
