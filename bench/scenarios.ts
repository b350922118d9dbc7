/** The stores that servers are measured on, and the requests they are measured with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqliteStore } from "../src/adapters/sql/sqlite-store.ts";
import type { BuyerId, SaleId } from "../src/domain/ids.ts";
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
};

export type WorldPlan = {
  readonly name: string;
  readonly about: string;
  /** Sales of each kind. */
  readonly sales: number;
  /** Buyers who have an order in the first sold-out sale. */
  readonly oldOrders: number;
  /** Buyers who come now, none of whom has an order. */
  readonly buyers: number;
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
    const tokensFile = join(folder, "tokens.txt");
    await writeTokens(tokensFile, { secret: tokenSecret, issuer: store.installation, buyers: fresh, from: old.length });
    return {
      name: plan.name,
      about: plan.about,
      dataDir,
      tokensFile,
      tokens: fresh.length,
      openSale,
      refusedPaths: writePaths(join(folder, "refused.txt"), sold),
      acceptedPaths: writePaths(join(folder, "accepted.txt"), open),
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

function writePaths(path: string, sales: readonly SaleId[]): string {
  writeFileSync(path, `${sales.map((id) => `/api/v1/sales/${id}/purchases`).join("\n")}\n`);
  return path;
}
