/** A shop with something of everything, so that requests meet things and not only their absence. */
import type { Answer, Shop } from "../harness/shop.ts";

/** Things there are, by the name that paths give them. */
export type Stock = Readonly<
  Record<"product_id" | "sale_id" | "order_id" | "purchase_id" | "user_id" | "key" | "provider" | "reason", readonly string[]>
>;

export const buyer = "buyer-17";

export async function stocked(shop: Shop): Promise<Stock> {
  const products: string[] = [];
  const sales: string[] = [];
  const orders: string[] = [];
  for (const [name, units] of [
    ["Lamp", 100_000],
    ["Phone", 1],
  ] as const) {
    const product = idOf(await shop.post("/api/v1/products", { body: { name, price_minor: 9900, currency: "CNY" } }));
    products.push(product);
    const now = Date.now();
    const [starts_at, ends_at] = [now, now + 3_600_000].map((ms) => new Date(ms).toISOString());
    const body = { product_id: product, stock: units, per_buyer_limit: 1000, starts_at, ends_at };
    const sale = idOf(await shop.post("/api/v1/sales", { body }));
    const draft = idOf(await shop.post("/api/v1/sales", { body }));
    sales.push(sale, draft);
    done(await shop.post(`/api/v1/sales/${sale}/publish`));
    orders.push(idOf(await shop.buy(sale, buyer, { key: `first-${name}` })));
  }
  const paid = orders[0] ?? "";
  done(await shop.post(`/api/v1/orders/${paid}/payments`, { body: {}, buyer }));
  return {
    product_id: products,
    sale_id: sales,
    order_id: orders,
    purchase_id: orders,
    user_id: [buyer],
    key: ["first-Lamp"],
    provider: ["simulated"],
    reason: ["sold_out"],
  };
}

/** What succeeded, as it must here. */
export function done(answer: Answer): Answer {
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`The shop could not be stocked: ${answer.status} ${answer.text}`);
  return answer;
}

const idOf = (answer: Answer): string => String(done(answer).data["id"]);
