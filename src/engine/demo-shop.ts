/**
 * A small shop to try things with: three products, one sale live, one starting in two minutes, one ended. Running it
 * again changes nothing while a demo sale is live, and opens one when none is.
 */
import type { MerchantId } from "../domain/access.ts";
import { parseCurrency, type Money } from "../domain/money.ts";
import { parseProductId, type ProductId } from "../domain/ids.ts";
import type { Product } from "../domain/product.ts";
import { payExtensionsDefault, payWindowDefaultMs, statusOf, type Sale, type SaleDraft } from "../domain/sale.ts";
import { assert } from "../lib/assert.ts";
import type { Records } from "../ports/records.ts";
import { createProduct } from "./products.ts";
import { createSale, switchSale, type SaleDeps } from "./sales.ts";

export type DemoDeps = SaleDeps & { readonly records: Records };
export type DemoShop = { readonly live: Sale; readonly created: readonly Sale[] };

const phone = product("9001", "Nebula X1 phone", 399_900);
const console = product("9002", "Orbit handheld console", 189_900);
const tickets = product("9003", "New Year concert ticket", 48_800);
const minuteMs = 60_000;
const dayMs = 86_400_000;

function product(idText: string, name: string, minor: number): { id: ProductId; name: string; price: Money } {
  const id = parseProductId(idText);
  const currency = parseCurrency("CNY");
  assert(id !== undefined && currency !== undefined, "the demo shop's ids and currency are legal");
  return { id, name, price: { minor, currency } };
}

export async function openDemoShop(deps: DemoDeps, seller: MerchantId): Promise<DemoShop> {
  const nowMs = Math.floor(deps.clock.nowMs());
  const fresh = (await deps.records.productEver(phone.id)) === undefined;
  const created: Sale[] = [];
  if (fresh) {
    for (const { id, name, price } of [phone, console, tickets]) await createProduct(deps, { id, name, price, seller });
    created.push(await open(deps, { ...draftOf(console, 500), startsAtMs: nowMs + 2 * minuteMs, endsAtMs: nowMs + dayMs }));
    created.push(await open(deps, { ...draftOf(tickets, 50), startsAtMs: nowMs - 120 * minuteMs, endsAtMs: nowMs - 60 * minuteMs }));
  }
  const phoneNow = await phoneOf(deps, seller);
  let live = await deps.records.currentSaleOf(phoneNow.id, nowMs);
  if (live === undefined || statusOf(live, nowMs) !== "live") {
    live = await open(deps, { ...draftOf(phoneNow, 100), perBuyerLimit: 2, startsAtMs: nowMs, endsAtMs: nowMs + dayMs });
    created.push(live);
  }
  return { live, created };
}

/** Whoever tries things out may have deleted it, and its id with it. */
async function phoneOf(deps: DemoDeps, seller: MerchantId): Promise<Pick<Product, "id" | "name" | "price">> {
  const known = await deps.records.product(phone.id);
  if (known !== undefined) return known;
  const { items } = await deps.records.products({ seller, nameContains: phone.name }, { offset: 0, limit: 1 });
  if (items[0] !== undefined) return items[0];
  const made = await createProduct(deps, { name: phone.name, price: phone.price, seller });
  if (made.kind !== "added") throw new Error(`Could not create a demo product: ${JSON.stringify(made)}`);
  return made.product;
}

function draftOf(of: Pick<Product, "id" | "name" | "price">, stock: number): Omit<SaleDraft, "startsAtMs" | "endsAtMs"> {
  const { id: productId, name, price } = of;
  const payTime = { payWindowMs: payWindowDefaultMs, payExtensionsMax: payExtensionsDefault };
  return { productId, name, price, stock, perBuyerLimit: 1, refundedUnitsCount: true, ...payTime };
}

async function open(deps: DemoDeps, draft: SaleDraft): Promise<Sale> {
  const made = await createSale(deps, { draft, pastAllowed: true });
  if (made.kind !== "added") throw new Error(`Could not create a demo sale: ${JSON.stringify(made)}`);
  const published = await switchSale(deps, made.sale.id, { kind: "publish", pastAllowed: true });
  if (published.kind !== "switched") throw new Error(`Could not publish a demo sale: ${JSON.stringify(published)}`);
  return published.sale;
}
