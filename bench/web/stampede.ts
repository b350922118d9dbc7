/**
 * Everybody loads the page of one sale while nothing can be bought: the database is held as by a disk that stands still,
 * the queue is full, and whoever wants to buy is shed. Meanwhile a browser comes that has nothing yet.
 */
import Database from "better-sqlite3";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { databaseName } from "../../src/adapters/sql/sqlite-connection.ts";
import { median } from "../machine.ts";
import { runWrk, type Load, type Measured } from "../wrk.ts";
import { loadOnPhone } from "./loading.ts";
import type { WebBench } from "./shop.ts";

export type Stampede = {
  readonly wantedPerSecond: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Pages that were answered otherwise than by 200, and connections that broke. */
  readonly failed: number;
  readonly purchases: { readonly perSecond: number; readonly shedShare: number };
  /** As many as wrk gets when it does not wait, nobody buying. */
  readonly mostPerSecond: number;
  /** Who comes meanwhile, on a cheap phone. */
  readonly joins: { readonly paintMs: number; readonly state: string };
};

const pagesPerSecond = 5_000;
const purchasesPerSecond = 2_000;

type Round = { readonly pages: Measured; readonly purchases: Measured; readonly joined: Awaited<ReturnType<typeof loadOnPhone>> };

export async function measureStampede(bench: WebBench): Promise<Stampede> {
  const { world, url, pid, rounds, say, visits } = bench;
  const seconds = bench.quick ? 4 : 8;
  const pathsFile = join(world.dataDir, "pages.txt");
  const saleId = world.openSale;
  writeFileSync(pathsFile, `/en/s/${saleId}\n`);
  const pages: Load = { method: "GET", url, pid, pathsFile, tokensFile: "/dev/null", from: 0, count: 1, key: "", seconds, connections: 64 };
  const buying: Load = { ...pages, method: "POST", pathsFile: world.acceptedPaths, tokensFile: world.tokensFile, count: world.tokens };
  const most = await runWrk({ ...pages, seconds: 3 });
  say(`  wrk gets ${most.perSecond} pages a second, p99 ${most.p99Ms.toFixed(1)} ms`);
  const done: Round[] = [];
  const store = new Database(join(world.dataDir, databaseName));
  // No commit gets through until it ends.
  store.exec("BEGIN IMMEDIATE");
  try {
    for (let round = 0; round < rounds; round++) {
      const storm = () => Promise.all([runWrk({ ...buying, rate: purchasesPerSecond }), runWrk({ ...pages, rate: pagesPerSecond })]);
      const [purchases, measured] = await storm();
      // In a storm of its own, for wrk and the browser have one core: what each waits for the other is not the server's.
      const [, joined] = await Promise.all([storm(), loadOnPhone(visits, saleId)]);
      done.push({ pages: measured, purchases, joined });
      say(`  round ${round + 1}: ${summary({ pages: measured, purchases, joined })}`);
    }
  } finally {
    store.exec("ROLLBACK");
    store.close();
  }
  return stampedeOf(done, most);
}

function stampedeOf(done: readonly Round[], most: Measured): Stampede {
  const of = (pick: (round: Round) => number) => median(done.map(pick));
  return {
    wantedPerSecond: pagesPerSecond,
    perSecond: of(({ pages }) => pages.perSecond),
    cpuUs: most.cpuUsPerRequest,
    p50Ms: of(({ pages }) => pages.p50Ms),
    p99Ms: of(({ pages }) => pages.p99Ms),
    failed: done.reduce((sum, { pages }) => sum + pages.errorStatus + pages.socketErrors, 0),
    purchases: {
      perSecond: of(({ purchases }) => purchases.perSecond),
      shedShare: Math.min(...done.map(({ purchases: { errorStatus, requests } }) => errorStatus / requests)),
    },
    mostPerSecond: most.perSecond,
    joins: { paintMs: of(({ joined }) => joined.paintMs), state: [...new Set(done.map(({ joined }) => joined.state ?? ""))].join(", ") },
  };
}

function summary({ pages, purchases, joined }: Round): string {
  const refused = `${purchases.errorStatus} of ${purchases.requests} purchases shed`;
  return `${pages.perSecond} pages/s, p99 ${pages.p99Ms.toFixed(1)} ms, ${pages.errorStatus} failed; ${refused}; who joins sees ${joined.state} after ${joined.paintMs.toFixed(0)} ms`;
}
