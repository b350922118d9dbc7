/** Orders and money over the wire: paid, failed, late, doubled, wrong, refunded, expired; the signed callback. */
import { createHmac } from "node:crypto";
import { expect, test } from "bun:test";
import { callbackSecret } from "../../harness/server-process.ts";
import type { Answer, Shop } from "../../harness/shop.ts";
import { waitFor } from "../../harness/wait.ts";
import type { UnderTest } from "../server-under-test.ts";

type Row = Record<string, unknown>;
const rows = (order: Answer, name: "payments" | "refunds") => order.data[name] as Row[];

async function reserved(shop: Shop, fields: Row = {}): Promise<{ saleId: string; id: string; order: Row }> {
  const saleId = await shop.liveSale({ stock: 5, ...fields });
  const { data } = await shop.buy(saleId, "ann");
  return { saleId, id: String(data["id"]), order: data };
}

const pay = (shop: Shop, id: string, scenario: string) => shop.post(`/api/v1/orders/${id}/payments`, { buyer: "ann", body: { scenario } });
const orderOnce = (shop: Shop, id: string, what: string, seen: (order: Answer) => boolean) =>
  waitFor(what, async () => {
    const order = await shop.get(`/api/v1/orders/${id}`, { buyer: "ann" });
    return seen(order) && order;
  });

/** A callback signed as Standard Webhooks says. */
export function callback(
  shop: Shop,
  body: unknown,
  forged: { atSeconds?: number; secret?: string; id?: string; raw?: string } = {},
): Promise<Answer> {
  const raw = forged.raw ?? JSON.stringify(body);
  const id = forged.id ?? `msg_${crypto.randomUUID()}`;
  const timestamp = String(forged.atSeconds ?? Math.floor(Date.now() / 1000));
  const key = Buffer.from((forged.secret ?? callbackSecret).replace("whsec_", ""), "base64");
  const signature = `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${raw}`).digest("base64")}`;
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
  return shop.post("/api/v1/payments/callback/simulated", { anonymous: true, headers, raw });
}

export function moneyCases({ shop, soon }: UnderTest): void {
  test("[D4] success: created, captured by callback, the order is paid, and paying again is refused", async () => {
    const { saleId, id } = await reserved(shop);
    const started = await pay(shop, id, "success");
    expect(started.status).toBe(201);
    expect(started.data).toMatchObject({ order_id: id, provider: "simulated", amount_minor: 9_900, currency: "CNY" });
    const paid = await orderOnce(shop, id, "a paid order", ({ data }) => data["state"] === "paid");
    expect(rows(paid, "payments").map((payment) => payment["state"])).toEqual(["captured"]);
    expect(rows(paid, "refunds")).toEqual([]);
    expect(await shop.stock(saleId)).toMatchObject({ available: 4, held: 0, sold: 1 });
    expect((await pay(shop, id, "success")).reason).toBe("order_not_payable");
    expect((await shop.post(`/api/v1/orders/${id}/cancel`, { buyer: "ann" })).reason).toBe("order_not_cancellable");
  });

  test("[OR11] more time: a minute for each deadline that its buyer names, and the order is paid in it", async () => {
    const { saleId, id, order } = await reserved(shop, { pay_window_seconds: 2, pay_extensions_max: 1 });
    const extend = () => shop.post(`/api/v1/orders/${id}/extend`, { buyer: "ann", body: { pay_by: order["pay_by"] } });
    const answers = [...(await Promise.all([extend(), extend(), extend()])), await extend()];
    const payBy = new Date(Date.parse(String(order["pay_by"])) + 60_000).toISOString();
    for (const { status, data } of answers) expect([status, data["pay_by"], data["extensions_left"]]).toEqual([200, payBy, 0]);
    const other = await shop.buy(saleId, "bob");
    await waitFor("another's order to expire", async () => {
      const { data } = await shop.get(`/api/v1/orders/${String(other.data["id"])}`, { buyer: "bob" });
      return data["state"] === "expired";
    });
    await pay(shop, id, "success");
    await orderOnce(shop, id, "a paid order", ({ data }) => data["state"] === "paid");
    expect(await shop.stock(saleId)).toMatchObject({ available: 4, held: 0, sold: 1 });
  });

  test("an open payment is answered again with 200, and is the same", async () => {
    const { id } = await reserved(shop);
    const first = await pay(shop, id, "abandon");
    const again = await pay(shop, id, "abandon");
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.data["id"]).toBe(first.data["id"]);
  });

  test("failure leaves the order waiting; the second try pays it", async () => {
    const { id } = await reserved(shop);
    await pay(shop, id, "failure");
    await orderOnce(shop, id, "a failed payment", (order) => rows(order, "payments").some((payment) => payment["state"] === "failed"));
    expect(await shop.orderState(id)).toBe("reserved");
    expect((await pay(shop, id, "success")).status).toBe(201);
    await orderOnce(shop, id, "a paid order", ({ data }) => data["state"] === "paid");
  });

  test("[I9] a duplicate callback pays once; a wrong amount pays nothing and comes back whole", async () => {
    const twice = await reserved(shop);
    await pay(shop, twice.id, "duplicate");
    const paid = await orderOnce(shop, twice.id, "a paid order", ({ data }) => data["state"] === "paid");
    expect(rows(paid, "refunds")).toEqual([]);
    const wrong = await reserved(shop);
    await pay(shop, wrong.id, "wrong_amount");
    const refunded = await orderOnce(shop, wrong.id, "a refund that is done", (order) =>
      rows(order, "refunds").some((refund) => refund["state"] === "done"),
    );
    expect(rows(refunded, "refunds")).toMatchObject([{ reason: "wrong_amount", currency: "CNY" }]);
    expect(refunded.data["state"]).toBe("reserved");
  });

  test("[D5] money that comes after the buyer cancelled is refunded, and the buyer sees it", async () => {
    const { saleId, id } = await reserved(shop);
    expect((await pay(shop, id, "delay:1")).status).toBe(201);
    expect((await shop.post(`/api/v1/orders/${id}/cancel`, { buyer: "ann" })).status).toBe(200);
    expect((await shop.stock(saleId))["available"]).toBe(5);
    const order = await orderOnce(shop, id, "a refund that is done", (seen) => rows(seen, "refunds").some(({ state }) => state === "done"));
    expect(order.data["state"]).toBe("cancelled");
    expect(rows(order, "refunds")).toMatchObject([{ reason: "order_closed", amount_minor: 9_900 }]);
    expect((await shop.stock(saleId))["available"]).toBe(5);
  });

  test("[I9] a second capture of a paid order is refunded whole, the first is kept", async () => {
    const { saleId, id } = await reserved(shop);
    await pay(shop, id, "second_capture");
    const order = await orderOnce(shop, id, "a refund that is done", (seen) => rows(seen, "refunds").some(({ state }) => state === "done"));
    expect(order.data["state"]).toBe("paid");
    expect(rows(order, "refunds")).toMatchObject([{ reason: "second_capture", amount_minor: 9_900 }]);
    expect((await shop.stock(saleId))["sold"]).toBe(1);
  });

  test("[B8, D3] an unpaid order expires after its window, never before, and its unit returns", async () => {
    const { saleId, id, order } = await reserved(shop, { stock: 1, pay_window_seconds: 1 });
    const expired = await orderOnce(shop, id, "an expired order", ({ data }) => data["state"] === "expired");
    expect(Date.parse(String(expired.data["changed_at"]))).toBeGreaterThanOrEqual(Date.parse(String(order["pay_by"])));
    expect(await shop.stock(saleId)).toMatchObject({ available: 1, held: 0, sold: 0 });
    expect((await pay(shop, id, "success")).reason).toBe("order_not_payable");
    const bought = () => shop.buy(saleId, "bob");
    expect((await soon(bought, ({ status }) => status === 201)).status).toBe(201);
  });

  test("the shop takes the money itself: once, with its own capture id; a repeat is the same payment", async () => {
    const { id, order } = await reserved(shop);
    const wrong = await shop.payExternally({ ...order, amount_minor: 1 }, `w-${id}`);
    expect([wrong.status, wrong.data["field"]]).toEqual([422, "amount_minor"]);
    const first = await shop.payExternally(order, `c-${id}`);
    const again = await shop.payExternally(order, `c-${id}`);
    expect(first.status).toBe(201);
    expect(again.data["id"]).toBe(first.data["id"]);
    expect(await shop.orderState(id)).toBe("paid");
    const buyerClaims = await shop.post(`/api/v1/orders/${id}/payments`, {
      buyer: "ann",
      body: { provider: "external", capture_id: "x", amount_minor: 9_900, currency: "CNY" },
    });
    expect(buyerClaims.status).toBeGreaterThanOrEqual(400);
  });

  test("the shop refunds a paid order, with its units or without; a repeat is the same refund", async () => {
    const { saleId, id, order } = await reserved(shop);
    await shop.payExternally(order);
    const refund = await shop.post(`/api/v1/orders/${id}/refunds`, { body: { return_stock: true } });
    expect(refund.status).toBe(201);
    expect(refund.data).toMatchObject({ order_id: id, amount_minor: 9_900, reason: "requested_by_shop", return_stock: true });
    const again = await shop.post(`/api/v1/orders/${id}/refunds`, { body: { return_stock: true } });
    expect(again.data["id"]).toBe(refund.data["id"]);
    expect(await shop.stock(saleId)).toMatchObject({ available: 5, held: 0, sold: 0 });
    expect((await shop.buy(saleId, "ann")).reason).toBe("limit_reached");
    const unpaid = await reserved(shop);
    expect((await shop.post(`/api/v1/orders/${unpaid.id}/refunds`, { body: {} })).reason).toBe("order_not_refundable");
  });

  test("a callback that is forged, old, changed or unknown has no effect; a good one has one, however often it comes", async () => {
    const { id } = await reserved(shop);
    const { data: payment } = await pay(shop, id, "abandon");
    const body = { type: "payment.failed", timestamp: new Date().toISOString(), data: { payment_id: payment["id"] } };
    const nowSeconds = Math.floor(Date.now() / 1000);
    const otherSecret = `whsec_${Buffer.from("another-secret-another-secret-32").toString("base64")}`;
    for (const forged of [{ secret: otherSecret }, { atSeconds: nowSeconds - 310 }, { atSeconds: nowSeconds + 310 }]) {
      const answer = await callback(shop, body, forged);
      expect([answer.status, answer.reason]).toEqual([401, "callback_rejected"]);
    }
    const unsigned = await shop.post("/api/v1/payments/callback/simulated", { anonymous: true, body });
    expect(unsigned.status).toBe(401);
    const payments = async () => rows(await shop.get(`/api/v1/orders/${id}`), "payments").map(({ state }) => state);
    expect(await payments()).toEqual(["pending"]);
    expect((await callback(shop, { ...body, data: { payment_id: "1" } })).status).toBe(404);
    expect((await callback(shop, body, { raw: "{" })).status).toBe(400);
    const message = `msg_${crypto.randomUUID()}`;
    for (let times = 0; times < 3; times++) expect((await callback(shop, body, { id: message })).status).toBe(200);
    expect((await callback(shop, body)).status).toBe(200);
    expect(await payments()).toEqual(["failed"]);
    expect(await shop.orderState(id)).toBe("reserved");
  });

  test("[B5, D2] own orders are listed newest first, by state and sale; somebody else's do not exist", async () => {
    const buyer = `lister-${crypto.randomUUID().slice(0, 8)}`;
    const first = await shop.liveSale();
    const second = await shop.liveSale();
    const older = await shop.buy(first, buyer);
    const newer = await shop.buy(second, buyer);
    await shop.payExternally(newer.data);
    const ids = (answer: Answer) => (answer.data["items"] as Row[]).map((item) => item["id"]);
    for (const resource of ["orders", "purchases"]) {
      const all = await shop.get(`/api/v1/${resource}`, { buyer });
      expect([ids(all), all.data["total"]]).toEqual([[newer.data["id"], older.data["id"]], 2]);
      expect(ids(await shop.get(`/api/v1/${resource}?state=paid`, { buyer }))).toEqual([newer.data["id"]]);
      expect(ids(await shop.get(`/api/v1/${resource}?sale_id=${first}`, { buyer }))).toEqual([older.data["id"]]);
      expect(ids(await shop.get(`/api/v1/${resource}?page=2&page_size=1`, { buyer }))).toEqual([older.data["id"]]);
      expect(ids(await shop.get(`/api/v1/${resource}`, { buyer: "somebody-else-entirely" }))).toEqual([]);
      expect((await shop.get(`/api/v1/${resource}/${String(older.data["id"])}`, { buyer: "mallory" })).status).toBe(404);
    }
    expect((await shop.post(`/api/v1/orders/${String(older.data["id"])}/cancel`, { buyer: "mallory" })).status).toBe(404);
    expect((await shop.post(`/api/v1/orders/${String(older.data["id"])}/payments`, { buyer: "mallory", body: {} })).status).toBe(404);
  });

  test("[B6] statistics count buyers and orders by state", async () => {
    const saleId = await shop.liveSale({ stock: 5 });
    const paid = await shop.buy(saleId, "ann");
    const cancelled = await shop.buy(saleId, "bob");
    await shop.buy(saleId, "carl");
    await shop.payExternally(paid.data);
    await shop.post(`/api/v1/orders/${String(cancelled.data["id"])}/cancel`, { buyer: "bob" });
    const { data } = await shop.get(`/api/v1/sales/${saleId}/statistics`, { anonymous: true });
    expect(data).toMatchObject({
      sale_id: saleId,
      status: "live",
      buyers: 3,
      stock: { issued: 5, available: 3, held: 1, sold: 1, withdrawn: 0 },
    });
    expect(data["purchases"]).toMatchObject({ reserved: 1, paid: 1, cancelled: 1 });
  });
}
