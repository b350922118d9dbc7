/** Puts buyers, sales and old orders into a store before a server opens it, through the same ledger the server uses. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { createTokens, tokenKeyOf } from "../src/adapters/auth/tokens.ts";
import { SystemEntropy } from "../src/adapters/system/system-entropy.ts";
import { IdMint } from "../src/domain/id-mint.ts";
import { parseProductId, type BuyerId, type PurchaseId, type SaleId } from "../src/domain/ids.ts";
import type { Take } from "../src/domain/movement.ts";
import type { Catalogue } from "../src/ports/catalogue.ts";
import type { SaleGroup, StockLedger } from "../src/ports/stock-ledger.ts";
import { parseCurrency } from "../src/domain/money.ts";

const chunk = 5_000;
const hourMs = 3_600_000;

/** Any store's. */
type Filled = { readonly catalogue: Catalogue; readonly ledger: StockLedger; readonly idFloor: string };
export type Filler = { readonly store: Filled; readonly ids: IdMint };

export function newFiller(store: Filled): Filler {
  return { store, ids: new IdMint({ nowMs: Date.now, random: Math.random, floor: store.idFloor }) };
}

/** Interns the buyers named b<from>… and gives their ids. */
export async function addBuyers({ store }: Filler, { from, count }: { from: number; count: number }): Promise<BuyerId[]> {
  const buyers: BuyerId[] = [];
  for (let done = 0; done < count; done += chunk) {
    const names = Array.from({ length: Math.min(chunk, count - done) }, (_, i) => ({ issuer: "shop", subject: `b${from + done + i}` }));
    buyers.push(...(await store.catalogue.internBuyers(names)));
  }
  return buyers;
}

/** Published, live sales of one product. */
export async function addSales({ store, ids }: Filler, sales: { count: number; stock: number; limit: number }): Promise<SaleId[]> {
  const nowMs = Date.now();
  const productId = parseProductId("1001");
  const currency = parseCurrency("CNY");
  if (productId === undefined || currency === undefined) throw new Error("The bench's product is legal");
  const price = { minor: 99_900, currency };
  await store.catalogue.addProduct({ id: productId, name: "Bench product", price, seller: "shop", createdAtMs: nowMs });
  const added: SaleId[] = [];
  for (let i = 0; i < sales.count; i++) {
    // Minted here, so it is a sale's id.
    const id = ids.mint() as SaleId;
    const draft = {
      productId,
      name: `Bench ${i}`,
      price,
      stock: sales.stock,
      perBuyerLimit: sales.limit,
      refundedUnitsCount: true,
      payWindowMs: 24 * hourMs,
      payExtensionsMax: 0,
      startsAtMs: nowMs - 1_000,
      endsAtMs: nowMs + 24 * hourMs,
    };
    await store.catalogue.addSale({ id, draft, createdAtMs: nowMs });
    added.push(id);
  }
  for (let from = 0; from < added.length; from += chunk) {
    const groups = added
      .slice(from, from + chunk)
      .map((saleId) => ({ saleId, movements: [{ kind: "switch", change: { kind: "publish" } }] as const }));
    await committed(store, groups);
  }
  return added;
}

/** One order for each of `buyers`, reserved and waiting for payment. */
export async function addOrders(filler: Filler, saleId: SaleId, buyers: readonly BuyerId[]): Promise<void> {
  for (let from = 0; from < buyers.length; from += chunk) {
    const movements = buyers.slice(from, from + chunk).map((buyerId) => takeBy(filler, buyerId));
    await committed(filler.store, [{ saleId, movements }]);
  }
}

/** Takes the only unit of each sale. */
export async function sellOut(filler: Filler, sales: readonly SaleId[], buyerId: BuyerId | undefined): Promise<void> {
  if (buyerId === undefined) return;
  for (let from = 0; from < sales.length; from += chunk) {
    const groups = sales.slice(from, from + chunk).map((saleId) => ({ saleId, movements: [takeBy(filler, buyerId)] }));
    await committed(filler.store, groups);
  }
}

function takeBy({ ids }: Filler, buyerId: BuyerId): Take {
  // Minted here, so it is a purchase's id.
  const purchaseId = ids.mint() as PurchaseId;
  return { kind: "take", purchaseId, buyerId, key: `old-${purchaseId}`, quantity: 1 };
}

async function committed(store: Filled, groups: readonly SaleGroup[]): Promise<void> {
  const result = await store.ledger.commit({ nowMs: Date.now(), groups });
  if (result.kind !== "committed") throw new Error(`The store did not take the bench's data: ${JSON.stringify(result)}`);
}

/** Bearer tokens for the buyers, one a line, good for an hour. */
export async function writeTokens(
  path: string,
  options: { secret: string; issuer: string; buyers: readonly { buyerId: BuyerId; subject: string }[] },
): Promise<void> {
  const tokens = createTokens({ keys: [tokenKeyOf(options.secret)], issuer: options.issuer, entropy: new SystemEntropy() });
  const file = createWriteStream(path);
  const nowMs = Date.now();
  for (const { buyerId, subject } of options.buyers) {
    const token = tokens.mint({ buyer: { issuer: "shop", subject }, buyerId, nowMs, lifetimeMs: hourMs });
    if (!file.write(`${token}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}
