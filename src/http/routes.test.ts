/** Each route of docs/api.md does what the page says, and lets in whom it says. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { signWebhook } from "../adapters/payment/webhook-signature.ts";
import { openMemoryApi, otherShopKey, shopKey, webhookSecret, type Call, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
let sale: { saleId: string; productId: string };
let ann: string;
let bob: string;

const start = async () => {
  api = await openMemoryApi();
  sale = await api.openSale({ nowMs: api.time.nowMs, stock: 10, per_buyer_limit: 5 });
  [ann, bob] = await Promise.all([api.tokenOf("ann"), api.tokenOf("bob")]);
};
const buy = async (bearer = ann, call: Call = {}) => {
  const told = await api.ask("POST", `/api/v1/sales/${sale.saleId}/purchases`, { bearer, ...call });
  expect(told.status).toBe(201);
  return String(told.data["id"]);
};
const buyIn = async ({ saleId }: { saleId: string }) =>
  String((await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer: ann })).data["id"]);
const callback = (
  type: string,
  data: Record<string, unknown>,
  change: { id?: string; body?: string; secret?: Uint8Array; nowMs?: number } = {},
) => {
  const body = JSON.stringify({ type, timestamp: new Date(api.time.nowMs).toISOString(), data });
  const signed = { id: change.id ?? "msg_1", body: Buffer.from(body), nowMs: change.nowMs ?? api.time.nowMs };
  const headers = signWebhook([change.secret ?? webhookSecret], signed);
  return api.ask("POST", "/api/v1/payments/callback/simulated", { raw: change.body ?? body, headers });
};

describe("products, quotas, tokens", () => {
  beforeEach(start);

  test("a product is kept under its id; the same again is the same", async () => {
    const product = { id: "1001", name: "Lamp", price_minor: 5, currency: "JPY", seller: "shop", image: "/lamp.png" };
    const made = await api.shop("POST", "/api/v1/products", product);
    expect([made.status, made.data]).toEqual([201, { ...product, inventory: null, version: 1, created_at: "2030-01-01T12:00:00.000Z" }]);
    expect((await api.shop("POST", "/api/v1/products", product)).status).toBe(200);
    expect((await api.ask("GET", "/api/v1/products/1001")).data).toEqual(made.data);
  });

  test("[I3] a quota lets its buyer have more, in sales published after it", async () => {
    const path = `/api/v1/products/${sale.productId}/quotas/ann`;
    expect((await api.shop("PUT", path, { units: 7 })).data).toEqual({ product_id: sale.productId, user_id: "ann", units: 7 });
    const made = await api.shop("POST", "/api/v1/sales", {
      product_id: sale.productId,
      stock: 10,
      starts_at: "2030-01-01T12:00:00Z",
      ends_at: "2030-01-01T13:00:00Z",
    });
    const purchases = `/api/v1/sales/${String(made.data["id"])}/purchases`;
    await api.shop("POST", `/api/v1/sales/${String(made.data["id"])}/publish`);
    expect((await api.ask("POST", purchases, { bearer: ann, json: { quantity: 7 } })).status).toBe(201);
    expect((await api.ask("POST", purchases, { bearer: bob, json: { quantity: 2 } })).data["limit"]).toBe(1);
    expect((await api.shop("DELETE", path)).data).toEqual({ product_id: sale.productId, user_id: "ann", units: null });
  });

  test("a token is a bearer token for so long", async () => {
    const told = await api.shop("POST", "/api/v1/tokens", { user_id: "ann", expires_in_seconds: 60 });
    expect(told.data).toEqual({ token: expect.any(String), token_type: "Bearer", expires_at: "2030-01-01T12:01:00.000Z" });
    const orders = () => api.ask("GET", "/api/v1/orders", { bearer: String(told.data["token"]) });
    expect((await orders()).status).toBe(200);
    api.time.nowMs += 60_000;
    expect((await orders()).status).toBe(401);
  });
});

describe("sales", () => {
  beforeEach(start);
  const draft = () => ({ product_id: sale.productId, stock: 3, starts_at: "2030-01-01T20:30:00+08:00", ends_at: "2030-01-01T13:00:00Z" });

  test("a draft takes what is left out from its product, and is the shop's alone until published", async () => {
    const made = await api.shop("POST", "/api/v1/sales", draft());
    expect(made.status).toBe(201);
    expect(made.data).toEqual({
      id: expect.any(String),
      product_id: sale.productId,
      seller: "shop",
      name: "Lamp",
      status: "draft",
      answer: "not_published",
      price_minor: 9900,
      currency: "CNY",
      per_buyer_limit: 1,
      limit_group: null,
      refunded_units_count: true,
      pay_window_seconds: 900,
      pay_extensions_max: 10,
      starts_at: "2030-01-01T12:30:00.000Z",
      ends_at: "2030-01-01T13:00:00.000Z",
      stock: { issued: 0, available: 0, held: 0, sold: 0, withdrawn: 0, planned: 3 },
      from_inventory: false,
      settled_at: null,
      version: 0,
      created_at: "2030-01-01T12:00:00.000Z",
      server_time: "2030-01-01T12:00:00.000Z",
    });
    const path = `/api/v1/sales/${String(made.data["id"])}`;
    const total = async (call?: Call) => (await api.ask("GET", "/api/v1/sales", call)).data["total"];
    expect((await api.ask("GET", path)).status).toBe(404);
    expect((await api.ask("GET", path, { key: shopKey })).status).toBe(200);
    expect([await total(), await total({ key: shopKey }), await total({ bearer: ann })]).toEqual([1, 2, 1]);
    await api.shop("POST", `${path}/publish`);
    expect((await api.ask("GET", path)).data).toMatchObject({ status: "scheduled", stock: { issued: 3, available: 3 } });
  });

  test("the same submission twice is one sale", async () => {
    const submit = (json: object) => api.ask("POST", "/api/v1/sales", { key: shopKey, idempotencyKey: "form-1", json });
    const [first, second] = [await submit(draft()), await submit(draft())];
    expect([second.status, second.data["id"], second.headers.get("idempotency-replayed")]).toEqual([201, first.data["id"], "true"]);
    const other = await submit({ ...draft(), stock: 4 });
    expect([other.status, other.data["reason"]]).toEqual([422, "key_reused"]);
  });

  test("switches may be repeated, and say why they cannot be", async () => {
    const post = (name: string, json?: unknown) => api.shop("POST", `/api/v1/sales/${sale.saleId}/${name}`, json);
    const status = async (name: string, json?: unknown) => (await post(name, json)).data["status"];
    expect([await status("publish"), await status("pause"), await status("pause"), await status("resume"), await status("resume")]).toEqual(
      ["live", "paused", "paused", "live", "live"],
    );
    expect((await post("extend", { ends_at: "2030-01-01T14:00:00Z" })).data["ends_at"]).toBe("2030-01-01T14:00:00.000Z");
    expect([await status("cancel"), await status("cancel")]).toEqual(["cancelled", "cancelled"]);
    const refused = await post("publish");
    expect([refused.status, refused.data["reason"], refused.data["status"]]).toEqual([409, "switch_not_allowed", "cancelled"]);
  });

  test("lists are paged and filtered", async () => {
    for (let i = 0; i < 4; i++) await api.openSale({ nowMs: api.time.nowMs, startsIn: 60 });
    const { data } = await api.ask("GET", "/api/v1/sales?status=scheduled&page=2&page_size=3");
    expect([data["page"], data["page_size"], data["total"]]).toEqual([2, 3, 4]);
    expect(data["items"]).toHaveLength(1);
    expect((await api.ask("GET", `/api/v1/sales?product_id=${sale.productId}`)).data["total"]).toBe(1);
  });

  test("statistics count purchases by state", async () => {
    await buy();
    const cancelled = await buy(bob);
    await api.ask("POST", `/api/v1/purchases/${cancelled}/cancel`, { bearer: bob });
    const { data } = await api.ask("GET", `/api/v1/sales/${sale.saleId}/statistics`);
    expect(data).toEqual({
      sale_id: sale.saleId,
      status: "live",
      answer: "on_sale",
      buyers: 2,
      server_time: "2030-01-01T12:00:00.000Z",
      stock: { issued: 10, available: 9, held: 1, sold: 0, withdrawn: 0, planned: 10 },
      purchases: { reserved: 1, paid: 0, cancelled: 1, expired: 0, closed: 0 },
    });
  });
});

describe("orders and money", () => {
  beforeEach(start);
  const external = { provider: "external", capture_id: "till-1", amount_minor: 9900, currency: "CNY" };

  test("a purchase is read by id, by key, and in its buyer's list", async () => {
    const id = await buy(ann, { idempotencyKey: "a key/1", json: { metadata: { a: 1 } } });
    const read = (await api.ask("GET", `/api/v1/purchases/${id}`, { bearer: ann })).data;
    expect(read).toMatchObject({ id, state: "reserved", hold_until: read["pay_by"], changed_at: read["accepted_at"], metadata: { a: 1 } });
    const byKey = await api.ask("GET", `/api/v1/sales/${sale.saleId}/purchases/by-key/${encodeURIComponent("a key/1")}`, { bearer: ann });
    expect(byKey.data).toEqual(read);
    for (const path of ["/api/v1/purchases", "/api/v1/orders", `/api/v1/orders?sale_id=${sale.saleId}&state=reserved`])
      expect((await api.ask("GET", path, { bearer: ann })).data).toEqual({ items: [read], page: 1, page_size: 20, total: 1 });
    expect((await api.ask("GET", "/api/v1/orders?state=paid", { bearer: ann })).data["total"]).toBe(0);
    expect((await api.ask("GET", `/api/v1/orders/${id}`, { bearer: ann })).data).toEqual({
      ...read,
      seller: "shop",
      extensions_used: 0,
      extensions_left: 10,
      refunded: false,
      payments: [],
      refunds: [],
    });
  });

  test("[B6] a buyer reads whether it has bought in a sale; what it gave back does not count", async () => {
    const path = `/api/v1/sales/${sale.saleId}/purchased`;
    const told = async (call: Call) => (await api.ask("GET", path, call)).data;
    expect(await told({ bearer: ann })).toEqual({ sale_id: sale.saleId, purchased: false, quantity: 0, purchase_ids: [] });
    const [first, second] = [await buy(ann, { json: { quantity: 2 } }), await buy(ann)];
    const both = { sale_id: sale.saleId, purchased: true, quantity: 3, purchase_ids: [second, first] };
    for (const call of [{ bearer: ann }, { key: shopKey, userId: "ann" }]) expect(await told(call)).toEqual(both);
    expect((await told({ bearer: bob }))["purchased"]).toBe(false);
    await api.ask("POST", `/api/v1/orders/${first}/cancel`, { bearer: ann });
    expect(await told({ bearer: ann })).toEqual({ ...both, quantity: 1, purchase_ids: [second] });
    expect((await api.ask("GET", "/api/v1/sales/77/purchased", { bearer: ann })).data["reason"]).toBe("sale_unknown");
  });

  test("[I2] a buyer cancels, the shop closes; both give the units back once", async () => {
    const [mine, theirs] = [await buy(), await buy(bob)];
    const cancel = (call: Call, id: string) => api.ask("POST", `/api/v1/orders/${id}/cancel`, call);
    expect((await cancel({ bearer: ann }, mine)).data["state"]).toBe("cancelled");
    expect((await cancel({ bearer: ann }, mine)).status).toBe(200);
    expect((await cancel({ key: shopKey }, theirs)).data["state"]).toBe("closed");
    expect((await api.ask("GET", `/api/v1/sales/${sale.saleId}`)).data["stock"]).toMatchObject({ available: 10, held: 0 });
    const paid = await buy();
    await api.shop("POST", `/api/v1/orders/${paid}/payments`, external);
    const refused = await cancel({ bearer: ann }, paid);
    expect([refused.status, refused.data["reason"], refused.data["state"]]).toEqual([409, "order_not_cancellable", "paid"]);
  });

  test("[OR11] [OR12] a buyer is given a minute more for each deadline that it names, as often as the sale gives", async () => {
    const id = await buyIn(await api.openSale({ nowMs: api.time.nowMs, pay_extensions_max: 2 }));
    const extend = (payBy: unknown, call: Call = { bearer: ann }) =>
      api.ask("POST", `/api/v1/orders/${id}/extend`, { ...call, json: { pay_by: payBy } });
    const first = await extend("2030-01-01T12:15:00Z");
    const extended = { state: "reserved", pay_by: "2030-01-01T12:16:00.000Z", hold_until: "2030-01-01T12:16:00.000Z" };
    expect([first.status, first.data]).toEqual([200, expect.objectContaining({ ...extended, extensions_used: 1, extensions_left: 1 })]);
    expect((await extend("2030-01-01T20:15:00+08:00")).text).toBe(first.text);
    const byShop = { key: shopKey, userId: "ann" };
    expect((await extend("2030-01-01T12:16:00Z", byShop)).data).toMatchObject({ extensions_used: 2, extensions_left: 0 });
    const more = await extend("2030-01-01T12:17:00Z");
    expect([more.status, more.data["reason"], more.data["limit"]]).toEqual([409, "extensions_used_up", 2]);
    const never = await extend("2030-01-01T12:18:00Z");
    expect([never.status, never.data["reason"], never.data["field"]]).toEqual([422, "invalid", "pay_by"]);
    expect((await extend("2030-01-01T12:17:00Z", { bearer: bob })).status).toBe(404);
    await api.ask("POST", `/api/v1/orders/${id}/cancel`, { bearer: ann });
    const over = await extend("2030-01-01T12:17:00Z");
    expect([over.status, over.data["reason"], over.data["state"]]).toEqual([409, "order_not_extendable", "cancelled"]);
    const repeat = (await extend("2030-01-01T12:15:00Z")).data;
    expect(repeat).toMatchObject({ state: "cancelled", extensions_used: 2, extensions_left: 0 });
  });

  test("[OR12] a sale says how often, ten times unless told, none if told so", async () => {
    const made = async (change: object) =>
      (await api.openSale({ nowMs: api.time.nowMs, ...change }).then(({ saleId }) => api.ask("GET", `/api/v1/sales/${saleId}`))).data;
    expect((await made({}))["pay_extensions_max"]).toBe(10);
    const none = await api.openSale({ nowMs: api.time.nowMs, pay_extensions_max: 0 });
    expect((await api.ask("GET", `/api/v1/sales/${none.saleId}`)).data["pay_extensions_max"]).toBe(0);
    const id = await buyIn(none);
    const told = await api.ask("POST", `/api/v1/orders/${id}/extend`, { bearer: ann, json: { pay_by: "2030-01-01T12:15:00Z" } });
    expect([told.status, told.data["reason"], told.data["limit"]]).toEqual([409, "extensions_used_up", 0]);
  });

  test("[I9] a payment is started once, captured by its callback, refunded by the shop", async () => {
    const id = await buy();
    const pay = () => api.ask("POST", `/api/v1/orders/${id}/payments`, { bearer: ann, json: { scenario: "abandon" } });
    const started = await pay();
    expect(started.status).toBe(201);
    expect(started.data).toMatchObject({ order_id: id, provider: "simulated", amount_minor: 9900, currency: "CNY", state: "pending" });
    const again = await pay();
    expect([again.status, again.data["id"]]).toEqual([200, started.data["id"]]);
    const money = { payment_id: started.data["id"], capture_id: "cap-1", amount_minor: 9900, currency: "CNY" };
    expect((await callback("payment.captured", money)).data).toEqual({ repeated: false });
    expect((await callback("payment.captured", money)).data).toEqual({ repeated: true });
    const order = (await api.ask("GET", `/api/v1/orders/${id}`, { bearer: ann })).data;
    expect(order).toMatchObject({ state: "paid", payments: [{ state: "captured" }], refunds: [] });
    const refund = await api.shop("POST", `/api/v1/orders/${id}/refunds`, { return_stock: true });
    expect(refund.status).toBe(201);
    expect(refund.data).toMatchObject({
      order_id: id,
      amount_minor: 9900,
      reason: "requested_by_shop",
      return_stock: true,
      state: "requested",
    });
    expect((await api.shop("POST", `/api/v1/orders/${id}/refunds`)).status).toBe(200);
    expect((await api.ask("GET", `/api/v1/orders/${id}`, { bearer: ann })).data).toMatchObject({
      refunded: true,
      refunds: [{ id: refund.data["id"] }],
    });
  });

  test("the shop's own money pays an order, once", async () => {
    const id = await buy();
    const path = `/api/v1/orders/${id}/payments`;
    expect((await api.shop("POST", path, external)).status).toBe(201);
    expect((await api.shop("POST", path, external)).status).toBe(200);
    expect((await api.shop("POST", path, { ...external, capture_id: "till-2" })).data["reason"]).toBe("order_not_payable");
    const other = await api.shop("POST", `/api/v1/orders/${await buy()}/payments`, external);
    expect([other.status, other.data["field"]]).toEqual([422, "capture_id"]);
  });

  test("an order past its deadline takes no payment, an unpaid one no refund", async () => {
    const id = await buy();
    expect((await api.shop("POST", `/api/v1/orders/${id}/refunds`)).data).toMatchObject({
      reason: "order_not_refundable",
      state: "reserved",
    });
    api.time.nowMs += 900_000;
    const late = await api.ask("POST", `/api/v1/orders/${id}/payments`, { key: shopKey, userId: "ann", json: {} });
    expect([late.status, late.data["reason"]]).toEqual([409, "order_not_payable"]);
  });

  test("callbacks are believed by their signature alone", async () => {
    const id = await buy();
    const started = await api.ask("POST", `/api/v1/orders/${id}/payments`, { bearer: ann, json: { scenario: "abandon" } });
    const money = { payment_id: started.data["id"], capture_id: "cap-1", amount_minor: 9900, currency: "CNY" };
    const bad = [
      callback("payment.captured", money, { secret: new Uint8Array(32).fill(1) }),
      callback("payment.captured", money, { body: JSON.stringify({ type: "payment.captured", data: money }) }),
      callback("payment.captured", money, { nowMs: api.time.nowMs - 301_000 }),
      callback("payment.captured", money, { nowMs: api.time.nowMs + 302_000 }),
      api.ask("POST", "/api/v1/payments/callback/simulated", { json: { type: "payment.captured", data: money }, key: shopKey }),
    ];
    for (const told of await Promise.all(bad)) expect([told.status, told.data["reason"]]).toEqual([401, "callback_rejected"]);
    expect((await api.ask("GET", `/api/v1/orders/${id}`, { bearer: ann })).data["state"]).toBe("reserved");
    expect((await callback("payment.captured", { ...money, payment_id: "77" })).status).toBe(404);
    expect((await callback("payment.lost", money)).data["field"]).toBe("type");
    expect((await callback("payment.captured", { payment_id: "77" })).status).toBe(400);
    expect((await callback("payment.failed", { payment_id: started.data["id"] })).status).toBe(200);
    expect((await api.ask("GET", `/api/v1/orders/${id}`, { bearer: ann })).data["payments"]).toMatchObject([{ state: "failed" }]);
  });
});

describe("who may", () => {
  beforeAll(start);
  afterAll(() => api.close());
  const shopOnly = [
    ["POST", "/api/v1/tokens"],
    ["POST", "/api/v1/products"],
    ["PATCH", "/api/v1/products/1"],
    ["DELETE", "/api/v1/products/1"],
    ["POST", "/api/v1/products/1/inventory"],
    ["GET", "/api/v1/products/1/inventory"],
    ["PUT", "/api/v1/products/1/quotas/a"],
    ["DELETE", "/api/v1/products/1/quotas/a"],
    ["POST", "/api/v1/sales"],
    ["PATCH", "/api/v1/sales/1"],
    ["POST", "/api/v1/sales/1/stock-adjustments"],
    ["GET", "/api/v1/sales/1/stock-adjustments"],
    ["POST", "/api/v1/sales/1/publish"],
    ["POST", "/api/v1/sales/1/pause"],
    ["POST", "/api/v1/sales/1/resume"],
    ["POST", "/api/v1/sales/1/cancel"],
    ["POST", "/api/v1/sales/1/extend"],
    ["POST", "/api/v1/orders/1/refunds"],
    ["GET", "/metrics"],
    ["GET", "/api/v1/system/stats"],
    ["GET", "/api/v1/exports/orders.csv"],
    ["GET", "/api/v1/exports/ledger.csv"],
  ] as const;
  const buyerOnly = [
    ["POST", "/api/v1/sales/1/purchases"],
    ["GET", "/api/v1/purchases"],
    ["GET", "/api/v1/orders"],
    ["GET", "/api/v1/sales/1/purchases/by-key/k"],
    ["GET", "/api/v1/sales/1/purchased"],
    ["GET", "/api/v1/purchases/events"],
    ["POST", "/api/v1/purchases/events/ticket"],
  ] as const;
  const viewers = [
    ["GET", "/api/v1/purchases/1"],
    ["GET", "/api/v1/orders/1"],
    ["POST", "/api/v1/purchases/1/cancel"],
    ["POST", "/api/v1/orders/1/cancel"],
    ["POST", "/api/v1/orders/1/payments"],
  ] as const;
  const statusOf = async (method: string, path: string, call: Call) => {
    const { status, body } = await api.send(method, path, call);
    // Some would go on for ever.
    await body?.cancel();
    return status;
  };

  test.each(shopOnly)("%s %s is for the shop", async (method, path) => {
    expect(await statusOf(method, path, {})).toBe(401);
    expect(await statusOf(method, path, { userId: "ann" })).toBe(401);
    expect(await statusOf(method, path, { bearer: ann })).toBe(403);
    expect([401, 403]).not.toContain(await statusOf(method, path, { key: shopKey }));
  });

  test.each(buyerOnly)("%s %s is for a buyer, or a key in a buyer's name", async (method, path) => {
    for (const call of [{}, { userId: "ann" }, { key: shopKey }]) expect(await statusOf(method, path, call)).toBe(401);
    for (const call of [{ bearer: ann }, { key: shopKey, userId: "ann" }])
      expect([401, 403]).not.toContain(await statusOf(method, path, call));
  });

  test.each(viewers)("%s %s is for whom it concerns", async (method, path) => {
    for (const call of [{}, { userId: "ann" }]) expect(await statusOf(method, path, call)).toBe(401);
    for (const call of [{ bearer: ann }, { key: shopKey }, { key: shopKey, userId: "ann" }])
      expect(await statusOf(method, path, call)).toBe(404);
  });

  const wrong: readonly Call[] = [
    { bearer: "x" },
    { bearer: "" },
    { headers: { authorization: "Basic eDp5" } },
    { headers: { authorization: "Bearer" } },
    { key: "wrong" },
    { key: "" },
    { key: "wrong", userId: "ann" },
    { key: shopKey, bearer: "x" },
  ];
  test.each(wrong)("a wrong credential is an error and not nobody (%#)", async (call) => {
    for (const [method, path] of [...shopOnly, ...buyerOnly, ...viewers])
      expect([path, await statusOf(method, path, call)]).toEqual([path, 401]);
    expect(await statusOf("GET", "/api/v1/sales", call)).toBe(401);
  });

  test("a token and a key at once are refused, whatever they are worth", async () => {
    for (const [method, path] of buyerOnly) expect(await statusOf(method, path, { key: shopKey, bearer: ann, userId: "ann" })).toBe(401);
  });

  test("probes answer whatever credentials they bring", async () => {
    for (const path of ["/livez", "/readyz", "/healthz", "/health"]) expect(await statusOf("GET", path, { bearer: "old" })).toBe(200);
  });

  test("a 401 says how to be somebody", async () => {
    expect((await api.ask("GET", "/api/v1/orders")).headers.get("www-authenticate")).toBe("Bearer");
  });

  test("somebody else's purchase does not exist, in any way", async () => {
    const id = await buy(ann, { idempotencyKey: "mine" });
    for (const call of [{ bearer: bob }, { key: shopKey, userId: "bob" }, { key: otherShopKey, userId: "ann" }]) {
      const ask = async (method: string, path: string, json?: unknown) => (await api.ask(method, path, { ...call, json })).status;
      expect(await ask("GET", `/api/v1/purchases/${id}`)).toBe(404);
      expect(await ask("GET", `/api/v1/orders/${id}`)).toBe(404);
      expect(await ask("POST", `/api/v1/orders/${id}/cancel`)).toBe(404);
      expect(await ask("POST", `/api/v1/orders/${id}/payments`, {})).toBe(404);
      expect(await ask("GET", `/api/v1/sales/${sale.saleId}/purchases/by-key/mine`)).toBe(404);
      expect((await api.ask("GET", "/api/v1/orders", call)).data["total"]).toBe(0);
    }
    for (const call of [{ bearer: ann }, { key: shopKey, userId: "ann" }, { key: shopKey }])
      expect((await api.ask("GET", `/api/v1/orders/${id}`, call)).status).toBe(200);
    expect(
      await statusOf("POST", `/api/v1/orders/${id}/payments`, {
        bearer: ann,
        json: { provider: "external", capture_id: "c", amount_minor: 9900, currency: "CNY" },
      }),
    ).toBe(403);
  });
});
