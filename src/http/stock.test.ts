/** Inventory, adjustments and the editing of drafts over HTTP. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { settleDue } from "../engine/settle.ts";
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
beforeEach(async () => {
  api = await openMemoryApi();
});
afterEach(() => api.close());

const at = (seconds: number) => new Date(api.time.nowMs + seconds * 1000).toISOString();
async function counted(
  units: number,
  stock: number,
): Promise<{ product: string; sale: string; publish: () => ReturnType<MemoryApi["shop"]> }> {
  const made = await api.shop("POST", "/api/v1/products", { name: "Lamp", price_minor: 9900, currency: "CNY", inventory: units });
  const sale = await api.shop("POST", "/api/v1/sales", { product_id: made.data["id"], stock, starts_at: at(0), ends_at: at(3600) });
  const path = `/api/v1/sales/${String(sale.data["id"])}`;
  return { product: `/api/v1/products/${String(made.data["id"])}`, sale: path, publish: () => api.shop("POST", `${path}/publish`) };
}
const inventoryOf = async (product: string) => (await api.ask("GET", `${product}/stock`)).data["inventory"];

test("[A1] publishing takes from the inventory, settling gives back, and all of it is told", async () => {
  const { product, sale, publish } = await counted(7, 5);
  expect((await publish()).data).toMatchObject({ from_inventory: true, settled_at: null });
  const ann = await api.tokenOf("ann");
  const orderId = String((await api.ask("POST", `${sale}/purchases`, { bearer: ann })).data["id"]);
  const inSales = { issued: 5, available: 4, held: 1, sold: 0, withdrawn: 0 };
  expect((await api.ask("GET", `${product}/stock`)).data).toMatchObject({ inventory: 2, sales: 1, in_sales: inSales });
  api.time.nowMs += 3_600_000;
  expect(await settleDue(api.deps)).toMatchObject({ due: 0 });
  await api.shop("POST", `/api/v1/orders/${orderId}/cancel`);
  expect(await settleDue(api.deps)).toEqual({ due: 1, settled: 1, units: 5 });
  expect(await settleDue(api.deps)).toEqual({ due: 0, settled: 0, units: 0 });
  expect(await inventoryOf(product)).toBe(7);
  expect((await api.ask("GET", sale)).data).toMatchObject({ status: "ended", settled_at: at(0), stock: { available: 0, withdrawn: 5 } });
  const { items } = (await api.shop("GET", `${product}/inventory`)).data as { items: object[] };
  expect(items).toMatchObject([
    { kind: "return", units: 5, inventory: 7, reason: "the sale is ended", actor: "system" },
    { kind: "allot", units: 5, inventory: 2 },
    { kind: "count", units: 7, inventory: 7, actor: "one" },
  ]);
  const settlements = (await api.shop("GET", `${sale}/stock-adjustments`)).data;
  expect(settlements).toMatchObject({ total: 1, items: [{ kind: "settle", units_applied: -5 }] });
});

test("[IN3] a sale of more than there is cannot be published, and says how much there is", async () => {
  const { publish } = await counted(4, 5);
  const refused = await publish();
  expect([refused.status, refused.data["field"], refused.data["problem"]]).toEqual([
    422,
    "stock",
    "must be at most 4, the product's free inventory",
  ]);
});

test("[IN8] counting and adjusting by hand, once per key, with a reason", async () => {
  const { product } = await counted(4, 1);
  const change = (json: object, idempotencyKey?: string) => api.ask("POST", `${product}/inventory`, { key: shopKey, json, idempotencyKey });
  const first = await change({ adjust: 6, reason: "a delivery" }, "d1");
  expect([first.status, first.data["inventory"], first.headers.get("idempotency-replayed")]).toEqual([201, 10, null]);
  const again = await change({ adjust: 6, reason: "a delivery" }, "d1");
  expect([again.status, again.data, again.headers.get("idempotency-replayed")]).toEqual([201, first.data, "true"]);
  expect((await change({ adjust: 7, reason: "a delivery" }, "d1")).data["reason"]).toBe("key_reused");
  expect((await change({ adjust: -11, reason: "gone" })).data).toMatchObject({ field: "adjust" });
  expect((await change({ count: -1, reason: "gone" })).status).toBe(422);
  expect((await change({ count: 3, reason: "stocktaking" })).data).toMatchObject({ kind: "count", units: 3, inventory: 3 });
  for (const wrong of [
    { count: 3 },
    { reason: "x" },
    { count: 1, adjust: 1, reason: "x" },
    { adjust: 1, reason: 5 },
    { count: "3", reason: "x" },
  ])
    expect([JSON.stringify(wrong), (await change(wrong)).status]).toEqual([JSON.stringify(wrong), 400]);
  expect((await change({ count: 3, reason: " " })).data).toMatchObject({ field: "reason" });
  expect((await change({ count: null, reason: "kept elsewhere" })).data).toMatchObject({ units: null, inventory: null });
  expect((await api.ask("POST", `${product}/inventory`, { key: otherShopKey, json: { count: 1, reason: "x" } })).status).toBe(404);
});

test("[A6] a live sale gets more units and gives free ones back, with a reason, once per key", async () => {
  const { product, sale, publish } = await counted(10, 6);
  await publish();
  const adjust = (json: object, idempotencyKey?: string) =>
    api.ask("POST", `${sale}/stock-adjustments`, { key: shopKey, json, idempotencyKey });
  const more = await adjust({ units: 3, reason: "demand" }, "a1");
  expect([more.status, more.data]).toMatchObject([
    201,
    { adjustment: { units_asked: 3, units_applied: 3, reason: "demand", actor: "one" }, sale: { stock: { issued: 9, available: 9 } } },
  ]);
  const again = await adjust({ units: 3, reason: "demand" }, "a1");
  expect([again.data["adjustment"], again.headers.get("idempotency-replayed")]).toEqual([more.data["adjustment"], "true"]);
  expect(await inventoryOf(product)).toBe(1);
  expect((await adjust({ units: 3, reason: "demand" }, "a2")).data).toMatchObject({
    field: "units",
    problem: "must be at most 1, the product's free inventory",
  });
  expect((await adjust({ units: 4, reason: "demand" }, "a1")).data["reason"]).toBe("key_reused");
  expect((await adjust({ units: -100, reason: "broken" })).data).toMatchObject({ adjustment: { units_asked: -100, units_applied: -9 } });
  expect((await adjust({ units: -1, reason: "broken" })).data).toMatchObject({ adjustment: { units_applied: 0 } });
  expect(await inventoryOf(product)).toBe(10);
  for (const wrong of [{ units: 1 }, { units: "1", reason: "x" }, { units: 0.5, reason: "x" }, { units: 1, reason: "x", more: 1 }])
    expect([JSON.stringify(wrong), (await adjust(wrong)).status]).toEqual([JSON.stringify(wrong), 400]);
  for (const wrong of [
    { units: 0, reason: "x" },
    { units: 2_000_000_000, reason: "x" },
    { units: 1, reason: "" },
  ])
    expect([JSON.stringify(wrong), (await adjust(wrong)).status]).toEqual([JSON.stringify(wrong), 422]);
  await api.shop("POST", `${sale}/cancel`);
  const late = await adjust({ units: 1, reason: "x" });
  expect([late.status, late.data["reason"], late.data["status"]]).toEqual([409, "switch_not_allowed", "cancelled"]);
});

test("[PU26] a draft is edited by version or ETag, a published sale is not", async () => {
  const { sale, publish } = await counted(10, 6);
  const patch = (json: object, headers?: Record<string, string>) =>
    api.ask("PATCH", sale, { key: shopKey, json, ...(headers && { headers }) });
  const read = await api.ask("GET", sale, { key: shopKey });
  expect([read.headers.get("etag"), read.data["version"]]).toEqual(['W/"0.draft"', 0]);
  const edited = await patch({ stock: 4, price_minor: 5, limit_group: "g", version: 0 });
  expect([edited.status, edited.headers.get("etag")]).toEqual([200, 'W/"1.draft"']);
  expect(edited.data).toMatchObject({ stock: { planned: 4 }, price_minor: 5, limit_group: "g", version: 1 });
  expect((await patch({ stock: 3, version: 0 })).data).toMatchObject({ reason: "version_differs", version: 1 });
  expect((await patch({ stock: 4, version: 0 })).status).toBe(200);
  expect((await patch({ stock: 3 }, { "if-match": 'W/"1.draft"' })).data["version"]).toBe(2);
  expect((await patch({ stock: 2 }, { "if-match": 'W/"1.draft"' })).data).toMatchObject({ reason: "precondition_failed", version: 2 });
  expect((await patch({ limit_group: null, ends_at: at(60) })).data).toMatchObject({ limit_group: null, ends_at: at(60) });
  for (const [json, field] of [
    [{ stock: 0 }, "stock"],
    [{ ends_at: at(-60) }, "ends_at"],
    [{ product_id: "1" }, "product_id"],
    [{ seller: "x" }, "seller"],
  ] as const)
    expect((await patch(json)).data["field"]).toBe(field);
  const elsewhere = await api.ask("PATCH", sale, { key: otherShopKey, json: { stock: 1 } });
  expect(elsewhere.status).toBe(404);
  await publish();
  expect((await patch({ stock: 9 })).data).toMatchObject({ reason: "switch_not_allowed", status: "live" });
});

test("[PU25] a sale's ETag stands for all but the time, so that a page asks cheaply", async () => {
  const { saleId } = await api.openSale({ nowMs: api.time.nowMs, endsIn: 60 });
  const path = `/api/v1/sales/${saleId}`;
  const get = (tag?: string | null) => api.ask("GET", path, tag == null ? {} : { headers: { "if-none-match": tag } });
  const tag = (await get()).headers.get("etag");
  expect([tag, (await get(tag)).status]).toEqual(['W/"1.live"', 304]);
  await api.ask("POST", `${path}/purchases`, { key: shopKey, userId: "ann" });
  const next = await get(tag);
  expect([next.status, next.headers.get("etag")]).toEqual([200, 'W/"2.live"']);
  api.time.nowMs += 60_000;
  expect((await get('W/"2.live"')).headers.get("etag")).toBe('W/"2.ended"');
});

test("[IN7] the public list has every shop's published sales, staff sees its own, drafts among them", async () => {
  const make = async (key: string, publish: boolean) => {
    const product = await api.ask("POST", "/api/v1/products", { key, json: { name: "Lamp", price_minor: 1, currency: "CNY" } });
    const json = { product_id: product.data["id"], stock: 1, starts_at: at(60), ends_at: at(120) };
    const id = String((await api.ask("POST", "/api/v1/sales", { key, json })).data["id"]);
    if (publish) await api.ask("POST", `/api/v1/sales/${id}/publish`, { key });
    return id;
  };
  const [mine, theirs] = [await make(shopKey, true), await make(otherShopKey, true)];
  const [myDraft, theirDraft] = [await make(shopKey, false), await make(otherShopKey, false)];
  const list = async (query: string, call: Call = {}) => {
    const { items } = (await api.ask("GET", `/api/v1/sales${query}`, call)).data as { items: { id: string }[] };
    return items.map(({ id }) => id);
  };
  expect(await list("")).toEqual([theirs, mine]);
  expect(await list("?seller=other")).toEqual([theirs]);
  expect(await list("?seller=nobody")).toEqual([]);
  expect(await list("", { key: shopKey })).toEqual([myDraft, mine]);
  expect(await list("?seller=other", { key: shopKey })).toEqual([theirs]);
  expect(await list("?status=draft", { key: otherShopKey })).toEqual([theirDraft]);
  expect((await api.ask("GET", `/api/v1/sales/${theirDraft}`, { key: shopKey })).status).toBe(404);
  expect((await api.ask("GET", `/api/v1/sales/${myDraft}/stock-adjustments`, { key: otherShopKey })).status).toBe(404);
});
