/** A purchase from every side: who may, how often, what a repeat gets, what the refusals say. */
import { expect, test } from "bun:test";
import type { Answer } from "../../harness/shop.ts";
import type { UnderTest } from "../server-under-test.ts";

export function purchaseCases({ shop, mode, soon }: UnderTest): void {
  test("[B2, B4] a purchase is 201 with its whole shape; the repeat has the same bytes and says so", async () => {
    const saleId = await shop.liveSale({ stock: 5, price_minor: 1_250, currency: "CNY" });
    const body = { quantity: 1, metadata: { cart: "c-1", gift: true } };
    const first = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", key: "k1", body });
    expect(first.status).toBe(201);
    expect(first.data).toMatchObject({
      sale_id: saleId,
      quantity: 1,
      price_minor: 1_250,
      amount_minor: 1_250,
      currency: "CNY",
      state: "reserved",
      metadata: body.metadata,
    });
    expect(String(first.data["id"])).toMatch(/^[1-9]\d{0,18}$/);
    // Where a cache accepts the time to pay begins when the ledger has the order, a moment later.
    const onTheWayMs = Date.parse(String(first.data["pay_by"])) - Date.parse(String(first.data["accepted_at"])) - 900_000;
    expect(onTheWayMs).toBeGreaterThanOrEqual(0);
    expect(onTheWayMs).toBeLessThan(mode === "queued" ? 10_000 : 1);
    expect(first.headers.get("idempotency-replayed")).not.toBe("true");
    expect(first.headers.get("x-request-id")).toBeTruthy();
    const again = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", key: "k1", body });
    expect([again.status, again.text, again.headers.get("idempotency-replayed")]).toEqual([201, first.text, "true"]);
    const asked = await shop.get(`/api/v1/purchases/${String(first.data["id"])}`, { buyer: "ann" });
    expect(asked.data).toMatchObject({ id: first.data["id"], state: "reserved", metadata: body.metadata });
  });

  test("[I8] another payload under an accepted key is 422; another buyer under the same key is another purchase", async () => {
    const saleId = await shop.liveSale({ stock: 5, per_buyer_limit: 3 });
    const first = await shop.buy(saleId, "ann", { key: "k" });
    const other = await shop.buy(saleId, "ann", { key: "k", quantity: 2 });
    expect([other.status, other.code, other.reason]).toEqual([422, 1008, "key_reused"]);
    const metadata = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", key: "k", body: { quantity: 1, metadata: {} } });
    expect([metadata.status, metadata.reason]).toEqual([422, "key_reused"]);
    const bob = await shop.buy(saleId, "bob", { key: "k" });
    expect(bob.status).toBe(201);
    expect(bob.data["id"]).not.toBe(first.data["id"]);
  });

  test("[A5, I3] the limit holds over purchases, quotas raise it, cancelled units count no more", async () => {
    const productId = await shop.product();
    const quota = await shop.ask("PUT", `/api/v1/products/${productId}/quotas/vip`, { body: { units: 3 } });
    expect([quota.status, quota.data]).toEqual([200, { product_id: productId, user_id: "vip", units: 3 }]);
    const saleId = await shop.liveSale({ product_id: productId, stock: 10 });
    const first = await shop.buy(saleId, "ann");
    const second = await shop.buy(saleId, "ann");
    expect([second.status, second.code, second.data["reason"], second.data["limit"]]).toEqual([409, 1007, "limit_reached", 1]);
    expect((await shop.buy(saleId, "vip", { quantity: 3 })).status).toBe(201);
    expect((await shop.buy(saleId, "vip")).reason).toBe("limit_reached");
    const cancelled = await shop.post(`/api/v1/orders/${String(first.data["id"])}/cancel`, { buyer: "ann" });
    expect([cancelled.status, cancelled.data["state"]]).toEqual([200, "cancelled"]);
    const bought = ({ status }: Answer) => status === 201;
    expect((await soon(() => shop.buy(saleId, "ann"), bought)).status).toBe(201);
    expect(await shop.stock(saleId)).toMatchObject({ issued: 10, available: 6, held: 4, sold: 0, withdrawn: 0 });
  });

  test("[A5] a limit group counts a buyer's units over its sales", async () => {
    const group = `variants-${crypto.randomUUID().slice(0, 8)}`;
    const red = await shop.liveSale({ stock: 5, limit_group: group });
    const blue = await shop.liveSale({ stock: 5, limit_group: group });
    expect((await shop.buy(red, "ann")).status).toBe(201);
    expect((await shop.buy(blue, "ann")).reason).toBe("limit_reached");
    expect((await shop.buy(blue, "bob")).status).toBe(201);
  });

  test("[B3] all taken says how many may return; sold out is another answer", async () => {
    const saleId = await shop.liveSale({ stock: 1 });
    const order = await shop.buy(saleId, "ann");
    const taken = await shop.buy(saleId, "bob");
    expect([taken.status, taken.code, taken.reason, taken.data["held"]]).toEqual([409, 1005, "all_taken", 1]);
    expect(typeof taken.data["todo"]).toBe("string");
    expect((await shop.payExternally(order.data)).status).toBe(201);
    const soldOut = await soon(
      () => shop.buy(saleId, "bob"),
      ({ reason }) => reason === "sold_out",
    );
    expect([soldOut.status, soldOut.code, soldOut.reason]).toEqual([409, 1006, "sold_out"]);
  });

  test("more units than there are is refused as a whole, fewer are sold", async () => {
    const saleId = await shop.liveSale({ stock: 3, per_buyer_limit: 10 });
    expect((await shop.buy(saleId, "ann", { quantity: 4 })).status).toBe(409);
    expect((await shop.buy(saleId, "ann", { quantity: 3 })).status).toBe(201);
  });

  test("[B5] a purchase is found by its key, and only by its buyer", async () => {
    const saleId = await shop.liveSale();
    const order = await shop.buy(saleId, "ann", { key: "find me/50%" });
    const path = `/api/v1/sales/${saleId}/purchases/by-key/${encodeURIComponent("find me/50%")}`;
    expect((await shop.get(path, { buyer: "ann" })).data["id"]).toBe(order.data["id"]);
    expect((await shop.get(path, { buyer: "bob" })).status).toBe(404);
  });

  test("[E3] a bearer token buys for its buyer alone, and X-User-Id beside it means nothing", async () => {
    const saleId = await shop.liveSale({ stock: 5 });
    const minted = await shop.post("/api/v1/tokens", { body: { user_id: "ann", expires_in_seconds: 60 } });
    expect([minted.status, minted.data["token_type"]]).toEqual([201, "Bearer"]);
    const headers = { authorization: `Bearer ${String(minted.data["token"])}`, "x-user-id": "bob" };
    const bought = await shop.post(`/api/v1/sales/${saleId}/purchases`, { anonymous: true, headers, body: {} });
    expect(bought.status).toBe(201);
    const id = String(bought.data["id"]);
    expect((await shop.get(`/api/v1/orders/${id}`, { buyer: "ann" })).status).toBe(200);
    expect((await shop.get(`/api/v1/orders/${id}`, { buyer: "bob" })).status).toBe(404);
    expect((await shop.get(`/api/v1/orders/${id}`, { anonymous: true, headers })).status).toBe(200);
    const forged = { authorization: `${headers.authorization.slice(0, -2)}xx` };
    expect((await shop.get(`/api/v1/orders/${id}`, { anonymous: true, headers: forged })).status).toBe(401);
  });

  test("nobody, a wrong key and a lone X-User-Id may not buy", async () => {
    const saleId = await shop.liveSale();
    const path = `/api/v1/sales/${saleId}/purchases`;
    for (const headers of [{}, { "x-user-id": "ann" }, { "x-api-key": "wrong-key-0123456789abcdef0123456789", "x-user-id": "ann" }])
      expect((await shop.post(path, { anonymous: true, headers: headers as Record<string, string>, body: { quantity: 1 } })).status).toBe(
        401,
      );
    expect((await shop.stock(saleId))["held"]).toBe(0);
  });

  test("[B4] Prefer: respond-async answers 201 at once where the ledger decides, and 202 before it is asked where a cache does", async () => {
    const saleId = await shop.liveSale();
    const answer = await shop.post(`/api/v1/sales/${saleId}/purchases`, {
      buyer: "ann",
      headers: { prefer: "respond-async" },
      body: { quantity: 1 },
    });
    expect(answer.status).toBe(mode === "queued" ? 202 : 201);
    const order = () => shop.get(`/api/v1/orders/${String(answer.data["id"])}`, { buyer: "ann" });
    expect((await soon(order, ({ data }) => data["state"] === "reserved")).data["state"]).toBe("reserved");
  });

  test("[B1, I1] 300 buyers at the same time get exactly the 20 units there are", async () => {
    const saleId = await shop.liveSale({ stock: 20 });
    const answers = await Promise.all(Array.from({ length: 300 }, (_, buyer) => shop.buy(saleId, `b${buyer}`, { key: "k" })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.filter(({ reason }) => reason === "all_taken")).toHaveLength(280);
    expect(await shop.stock(saleId)).toMatchObject({ available: 0, held: 20, sold: 0 });
  });
}
