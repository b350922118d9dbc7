/** The paths of the Seckill Service (S1): aliases that need a server key in production. */
import { expect, test } from "bun:test";
import type { UnderTest } from "../server-under-test.ts";

const base = "/api/v1/seckill";
const at = (ms: number) => new Date(Date.now() + ms).toISOString();
let products = 880_000;

function prewarmBody(fields: Record<string, unknown> = {}) {
  products += 1;
  return {
    product_id: products,
    product_name: "Test Product",
    price: 99.99,
    stock: 100,
    start_time: at(-1_000),
    end_time: at(3_600_000),
    status: "active",
    ...fields,
  };
}

export function seckillPathCases({ shop, mode, soon }: UnderTest): void {
  test("[H3, B4, B6] S1 prewarm, purchase, async purchase, statistics and purchased, as that service promised them", async () => {
    const body = prewarmBody({ stock: 2 });
    const warmed = await shop.post(`${base}/activity/prewarm`, { body });
    expect(warmed.status).toBe(201);
    expect(warmed.data).toMatchObject({ product_id: String(body.product_id), price_minor: 9_999, currency: "CNY", status: "live" });
    expect((await shop.post(`${base}/activity/prewarm`, { body })).status).toBe(200);
    const wish = { product_id: body.product_id, user_id: 2_001, quantity: 1 };
    const bought = await shop.post(`${base}/purchase`, { body: wish });
    expect([bought.status, bought.data["state"]]).toEqual([201, "reserved"]);
    const again = await shop.post(`${base}/purchase`, { body: wish });
    expect([again.status, again.reason]).toEqual([409, "limit_reached"]);
    const other = await shop.post(`${base}/purchase/async`, { body: { ...wish, user_id: "2002" } });
    expect(other.status).toBe(mode === "queued" ? 202 : 201);
    const read = () => shop.get(`${base}/stats/${body.product_id}`, { anonymous: true });
    const statistics = await soon(read, ({ data }) => (data["stock"] as { held: number }).held === 2);
    expect(statistics.data["stock"]).toMatchObject({ issued: 2, available: 0, held: 2 });
    const purchased = await shop.get(`${base}/purchased/${body.product_id}/2001`);
    expect(purchased.data).toMatchObject({ purchased: true, quantity: 1, purchase_ids: [bought.data["id"]] });
    expect((await shop.get(`${base}/purchased/${body.product_id}/2999`)).data).toMatchObject({ purchased: false, quantity: 0 });
    expect((await shop.get(`/api/v1/orders/${String(bought.data["id"])}`, { buyer: "2001" })).status).toBe(200);
  });

  test("a user_id in a body is nobody without a server key, and cannot be another's with a token", async () => {
    const body = prewarmBody();
    await shop.post(`${base}/activity/prewarm`, { body });
    const wish = { product_id: body.product_id, user_id: 7, quantity: 1 };
    expect((await shop.post(`${base}/purchase`, { anonymous: true, body: wish })).status).toBe(401);
    expect((await shop.post(`${base}/activity/prewarm`, { anonymous: true, body })).status).toBe(401);
    expect((await shop.get(`${base}/purchased/${body.product_id}/7`, { anonymous: true })).status).toBe(401);
    const minted = await shop.post("/api/v1/tokens", { body: { user_id: "8" } });
    const headers = { authorization: `Bearer ${String(minted.data["token"])}` };
    expect((await shop.post(`${base}/purchase`, { anonymous: true, headers, body: wish })).status).toBe(403);
    expect((await shop.post(`${base}/purchase`, { anonymous: true, headers, body: { ...wish, user_id: 8 } })).status).toBe(201);
  });

  test("a window that has passed is refused in production, and so is every malformed wish", async () => {
    const past = await shop.post(`${base}/activity/prewarm`, {
      body: prewarmBody({ start_time: "2024-01-01T10:00:00Z", end_time: "2024-01-01T12:00:00Z" }),
    });
    expect(past.status).toBe(422);
    for (const fields of [
      { price: 99.999 },
      { price: -1 },
      { price: "x" },
      { stock: 0 },
      { product_id: -1 },
      { product_id: 1.5 },
      { status: "off" },
      { extra: 1 },
    ]) {
      const answer = await shop.post(`${base}/activity/prewarm`, { body: prewarmBody(fields) });
      expect([fields, answer.status === 400 || answer.status === 422]).toEqual([fields, true]);
    }
    for (const wish of [
      { product_id: 1, user_id: 1, quantity: 0 },
      { product_id: 1, quantity: 1 },
      { user_id: 1, quantity: 1 },
      { product_id: 1, user_id: "a b" },
    ])
      expect((await shop.post(`${base}/purchase`, { body: wish })).status).toBe(400);
    expect((await shop.post(`${base}/purchase`, { body: { product_id: 4_040_404, user_id: 1 } })).status).toBe(404);
  });
}
