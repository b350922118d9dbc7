/** The stores that servers are measured on, and the requests they are measured with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqliteStore } from "../src/adapters/sql/sqlite-store.ts";
import type { BuyerId, SaleId } from "../src/domain/ids.ts";
import { SeededRandom } from "../src/lib/seeded-random.ts";
import { addBuyers, addOrders, addSales, newFiller, sellOut, writeTokens } from "./fill.ts";

export const apiKey = "bench-server-key-0123456789abcdef-0123456789abcdef";
export const tokenSecret = "bench-token-secret-0123456789abcdef-0123456789abcdef";

export type World = {
  readonly name: string;
  readonly dataDir: string;
  readonly tokensFile: string;
  readonly tokens: number;
  /** Paths of purchases that are refused as sold out, and of purchases that are accepted. */
  readonly refusedPaths: string;
  readonly acceptedPaths: string;
  readonly openSale: SaleId;
  readonly about: string;
  readonly accepts: boolean;
};

export type WorldPlan = {
  readonly name: string;
  readonly about: string;
  /** Sales of each kind. */
  readonly sales: number;
  /** Buyers who have an order in the first sold-out sale, one each. */
  readonly oldOrders: number;
  /** Buyers the store knows, besides those of the old orders. */
  readonly buyers: number;
  /** How many of them come now. They come in the order in which the store met them, or in a random one. */
  readonly visitors: number;
  readonly order: "as met" | "random";
  /** Whether they all want the same sale, or each the next one. */
  readonly storm: "one sale" | "spread over all";
  /** Few buyers cannot make a storm of accepts: a buyer's attempts in a sale are bounded. */
  readonly accepts: boolean;
};

const perBuyerLimit = 10_000;
const openStock = 1_000_000_000;

/** Fills a new store as planned. Slow for a million orders, so each world is built once and its server restarted. */
export async function buildWorld(plan: WorldPlan, root: string): Promise<World> {
  const folder = join(root, plan.name);
  const dataDir = join(folder, "var");
  mkdirSync(dataDir, { recursive: true });
  const store = await openSqliteStore({ dataDir });
  try {
    const filler = newFiller(store);
    const old = await addBuyers(filler, { from: 0, count: Math.max(1, plan.oldOrders) });
    const fresh = await addBuyers(filler, { from: old.length, count: plan.buyers });
    const sold = await addSales(filler, { count: plan.sales, stock: Math.max(1, plan.oldOrders), limit: 1 });
    const open = await addSales(filler, { count: plan.sales, stock: openStock, limit: perBuyerLimit });
    await fillSoldOut(filler, sold, old);
    const [openSale] = open;
    if (openSale === undefined) throw new Error("A world has a sale to buy in");
    const named = fresh.map((buyerId, i) => ({ buyerId, subject: `b${old.length + i}` }));
    const visitors = (plan.order === "random" ? shuffled(named) : named).slice(0, plan.visitors);
    const tokensFile = join(folder, "tokens.txt");
    await writeTokens(tokensFile, { secret: tokenSecret, issuer: store.installation, buyers: visitors });
    const wanted = (sales: readonly SaleId[]) => (plan.storm === "one sale" ? sales.slice(0, 1) : sales);
    return {
      name: plan.name,
      about: plan.about,
      accepts: plan.accepts,
      dataDir,
      tokensFile,
      tokens: visitors.length,
      openSale,
      refusedPaths: writePaths(join(folder, "refused.txt"), wanted(sold)),
      acceptedPaths: writePaths(join(folder, "accepted.txt"), wanted(open)),
    };
  } finally {
    await store.close();
  }
}

/** The first sale is sold out by its old orders, the others by one buyer each. */
async function fillSoldOut(filler: ReturnType<typeof newFiller>, sold: readonly SaleId[], old: readonly BuyerId[]): Promise<void> {
  const [first, ...others] = sold;
  if (first !== undefined) await addOrders(filler, first, old);
  await sellOut(filler, others, old[0]);
}

/** Fisher and Yates, from a fixed seed so that every run has the same order. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const random = new SeededRandom(1);
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    // Both indexes lie within the array.
    [mixed[i], mixed[j]] = [mixed[j] as Item, mixed[i] as Item];
  }
  return mixed;
}

export function writePaths(path: string, sales: readonly SaleId[]): string {
  writeFileSync(path, `${sales.map((id) => `/api/v1/sales/${id}/purchases`).join("\n")}\n`);
  return path;
}
