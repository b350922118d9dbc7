/** The paths of the Elysia service (its task list, "API 路由整合"), by server key and by token, as in production. */
import { expect, test } from "bun:test";
import type { UnderTest } from "../server-under-test.ts";

const at = (ms: number) => new Date(Date.now() + ms).toISOString();
const activity = (fields: Record<string, unknown> = {}) => ({
  name: "Spring phone",
  price: 3999.5,
  stock: 2,
  startTime: at(-1_000),
  endTime: at(3_600_000),
  ...fields,
});

export function activityPathCases({ shop }: UnderTest): void {
  const opened = async (fields?: Record<string, unknown>) => {
    const answer = await shop.post("/api/activities", { body: activity(fields) });
    expect(answer.status).toBe(201);
    return String(answer.data["id"]);
  };

  test("[H3] S0 `POST /api/activities - 创建活动`: the sale is created, published and its stock issued in one call", async () => {
    const made = await shop.post("/api/activities", { body: activity() });
    expect(made.status).toBe(201);
    expect(made.data).toMatchObject({ name: "Spring phone", status: "live", price_minor: 399_950, currency: "CNY", warnings: [] });
    expect(made.data["stock"]).toMatchObject({ issued: 2, available: 2 });
    const snake = {
      name: "Spring phone",
      price: "3999.50",
      stock: 2,
      start_time: at(-1_000),
      end_time: at(3_600_000),
      product_id: 660_001,
    };
    const first = await shop.post("/api/activities", { body: snake });
    const again = await shop.post("/api/activities", { body: snake });
    expect([first.status, again.status, again.data["id"] === first.data["id"]]).toEqual([201, 200, true]);
    expect(first.data["product_id"]).toBe("660001");
    expect((await shop.post("/api/activities", { anonymous: true, body: activity() })).status).toBe(401);
  });

  test("[H3] S0 `POST /api/activities`: the window must lie ahead, and what is malformed is named", async () => {
    const past = await shop.post("/api/activities", {
      body: activity({ startTime: "2024-01-01T10:00:00Z", endTime: "2024-01-01T12:00:00Z" }),
    });
    expect([past.status, past.data["field"]]).toEqual([422, "start_time"]);
    for (const [fields, field] of [
      [{ price: 1.999 }, "price"],
      [{ price: -1 }, "price"],
      [{ stock: 0 }, "stock"],
      [{ name: "" }, "name"],
      [{ start_time: at(0) }, "start_time"],
      [{ colour: "red" }, "colour"],
    ] as const) {
      const answer = await shop.post("/api/activities", { body: activity(fields) });
      expect([fields, answer.status === 400 || answer.status === 422, answer.data["field"]]).toEqual([fields, true, field]);
    }
  });

  test("[H3] S0 `GET /api/activities/:id - 查询活动`: anybody reads it, as the canonical path has it", async () => {
    const id = await opened();
    const read = await shop.get(`/api/activities/${id}`, { anonymous: true });
    expect([read.status, read.data["id"], read.data["status"]]).toEqual([200, id, "live"]);
    expect(Object.keys(read.data)).toEqual(Object.keys((await shop.get(`/api/v1/sales/${id}`)).data));
    expect((await shop.get("/api/activities/1", { anonymous: true })).reason).toBe("sale_unknown");
  });

  test("[H3] S0 `POST /api/seckill/:activityId - 参与秒杀`: one per buyer, never more than there is", async () => {
    const id = await opened({ stock: 1 });
    const first = await shop.post(`/api/seckill/${id}`, { buyer: "2001", key: "k", body: { quantity: 1 } });
    expect([first.status, first.data["state"], first.data["sale_id"]]).toEqual([201, "reserved", id]);
    const again = await shop.post(`/api/seckill/${id}`, { buyer: "2001", key: "k", body: { quantity: 1 } });
    expect(again.text).toBe(first.text);
    expect((await shop.post(`/api/seckill/${id}`, { buyer: "2001", body: {} })).reason).toBe("limit_reached");
    expect((await shop.post(`/api/seckill/${id}`, { body: { userId: 2002, quantity: 1 } })).reason).toBe("all_taken");
    expect((await shop.post(`/api/seckill/${id}`, { anonymous: true, body: { userId: 2002 } })).status).toBe(401);
    expect((await shop.post(`/api/seckill/${id}`, { body: { quantity: 1 } })).status).toBe(401);
    expect((await shop.post(`/api/seckill/${id}`, { buyer: "2001", body: { user_id: 2002 } })).status).toBe(400);
  });

  test("[H3] S0 `GET /api/orders/:orderId - 查询订单`: to its buyer and its shop, to nobody else", async () => {
    const id = await opened();
    const bought = await shop.post(`/api/seckill/${id}`, { buyer: "2001", body: { quantity: 1 } });
    const path = `/api/orders/${String(bought.data["id"])}`;
    for (const ask of [{ buyer: "2001" }, {}]) {
      const order = await shop.get(path, ask);
      expect([order.status, order.data["state"], order.data["payments"]]).toEqual([200, "reserved", []]);
    }
    expect((await shop.get(path, { buyer: "2002" })).status).toBe(404);
    expect((await shop.get(path, { anonymous: true })).status).toBe(401);
  });

  test("[H3] S0 `GET /api/orders/user/:userId - 用户订单列表`: the buyer itself or a server key only", async () => {
    const buyer = `s0-${Math.floor(performance.now() * 1000)}`;
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const bought = await shop.post(`/api/seckill/${await opened()}`, { buyer, body: {} });
      ids.unshift(String(bought.data["id"]));
    }
    const path = `/api/orders/user/${buyer}`;
    const idsOf = ({ data }: { data: Record<string, unknown> }) => (data["items"] as { id: string }[]).map(({ id }) => id);
    const listed = await shop.get(path);
    expect([listed.status, idsOf(listed), listed.data["total"]]).toEqual([200, ids, 3]);
    const second = await shop.get(`${path}?offset=1&limit=1&state=reserved`);
    expect([idsOf(second), second.data["offset"], second.data["limit"]]).toEqual([[ids[1]], 1, 1]);
    const token = await shop.post("/api/v1/tokens", { body: { user_id: buyer } });
    const own = { anonymous: true, headers: { authorization: `Bearer ${String(token.data["token"])}` } };
    expect(idsOf(await shop.get(path, own))).toEqual(ids);
    expect((await shop.get("/api/orders/user/somebody-else", own)).status).toBe(403);
    expect((await shop.get(path, { anonymous: true })).status).toBe(401);
    expect((await shop.get(path, { anonymous: true, headers: { "x-user-id": buyer } })).status).toBe(401);
  });
}
