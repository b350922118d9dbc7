/**
 * The paths of the two shops: S3's list of interfaces ("接口清单"), and S4's interfaces ("接口设计"), which have no paths of
 * their own and answer under S3's, with the buyer's id in a header.
 */
import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { callbackSecret } from "../../harness/server-process.ts";
import type { Answer } from "../../harness/shop.ts";
import { waitFor } from "../../harness/wait.ts";
import type { UnderTest } from "../server-under-test.ts";

const at = (ms: number) => new Date(Date.now() + ms).toISOString();
let products = 770_000;
const itemsOf = ({ data }: Answer) => data["items"] as Record<string, unknown>[];
const envelopeOf = ({ text }: Answer) => JSON.parse(text) as { code: number; msg?: string; message?: string };

export function shopPathCases({ shop }: UnderTest): void {
  const product = async (fields: Record<string, unknown> = {}) => {
    products += 1;
    const body = { id: products, name: "Brass lamp", price: 129.9, stock: 5, start_time: at(-1_000), image: "/lamp.png", ...fields };
    const answer = await shop.post("/products", { body });
    expect(answer.status).toBe(201);
    return { id: products, answer };
  };
  const bearer = async (userId: string) => {
    const token = await shop.post("/api/v1/tokens", { body: { user_id: userId } });
    return { anonymous: true, headers: { authorization: `Bearer ${String(token.data["token"])}` } };
  };

  test("[H3] S3 `统一响应：{ code, msg, data }`: msg says what message says, in answers and in refusals", async () => {
    const { id } = await product();
    for (const answer of [
      await shop.get(`/product/${id}`, { anonymous: true }),
      await shop.get("/product/1", { anonymous: true }),
      await shop.post("/seckill", { anonymous: true, body: {} }),
      await shop.post("/seckill", { buyer: "1", body: { product_id: id } }),
      await shop.get("/orders", { buyer: "1" }),
    ]) {
      const { code, msg, message } = envelopeOf(answer);
      expect([typeof code, msg]).toEqual(["number", message]);
    }
    expect(envelopeOf(await shop.get(`/api/v1/products/${id}`)).msg).toBeUndefined();
  });

  test("[H3] S3 `POST /products`（鉴权）: product, stock and start in one call, once per id; in production the start lies ahead", async () => {
    const { id, answer } = await product();
    expect(answer.data).toMatchObject({ id: String(id), name: "Brass lamp", price: 129.9, stock: 5, image: "/lamp.png", warnings: [] });
    const plain = await shop.post("/products", { body: { id: id + 500, name: "No sale yet", price: 5 } });
    expect([plain.status, plain.data["stock"], plain.data["start_time"]]).toEqual([201, null, null]);
    const past = await shop.post("/products", { body: { id: 1, name: "x", price: 1, stock: 1, start_time: "2024-01-01T10:00:00Z" } });
    expect([past.status, past.data["field"]]).toEqual([422, "start_time"]);
    for (const [fields, field] of [
      [{ price: 0 }, "price"],
      [{ price: 1.234 }, "price"],
      [{ stock: 0 }, "stock"],
      [{ name: "" }, "name"],
    ] as const) {
      const refused = await shop.post("/products", { body: { name: "x", price: 1, stock: 1, ...fields } });
      expect([refused.status === 400 || refused.status === 422, refused.data["field"]]).toEqual([true, field]);
    }
    expect((await shop.post("/products", { anonymous: true, body: { name: "x", price: 1 } })).status).toBe(401);
    expect((await shop.post("/products", { ...(await bearer("9")), body: { name: "x", price: 1 } })).status).toBe(403);
  });

  test("[H3] S3 `GET /products`, S4 商品查询接口 (偏移量, 查询数量): name, price, image and seller, by page, by place and sorted", async () => {
    const [dear, cheap] = [await product({ price: 900_000.5 }), await product({ price: 0.01 })];
    const first = async (query: string) => (await shop.get(`/products?${query}`, { anonymous: true })).data;
    expect(await first("offset=0&limit=1")).toMatchObject({
      offset: 0,
      limit: 1,
      items: [{ id: String(cheap.id), price: 0.01, stock: 5 }],
    });
    expect(await first("offset=1&limit=1")).toMatchObject({
      items: [{ id: String(dear.id), name: "Brass lamp", image: "/lamp.png", seller: "shop" }],
    });
    expect(await first("page=1&page_size=1&sort=price,desc")).toMatchObject({ page: 1, page_size: 1, items: [{ id: String(dear.id) }] });
    expect(Number((await first("limit=100"))["total"])).toBeGreaterThanOrEqual(2);
    for (const query of ["sort=colour", "offset=0&page=1", "limit=101"])
      expect((await shop.get(`/products?${query}`, { anonymous: true })).status).toBe(400);
  });

  test("[H3] S3 `GET /product/:id`, S4 查询商品信息: name, price, image and seller, the stock and the start", async () => {
    const { id } = await product();
    const read = await shop.get(`/product/${id}`, { anonymous: true });
    expect(read.status).toBe(200);
    expect(read.data).toMatchObject({ name: "Brass lamp", price: 129.9, image: "/lamp.png", seller: "shop", stock: 5 });
    expect(Date.parse(String(read.data["start_time"]))).toBeLessThan(Date.now());
    expect((await shop.get("/product/123456789", { anonymous: true })).reason).toBe("product_unknown");
  });

  test("[H3] S3 `POST /seckill`（鉴权）: `{product_id, quantity}` by token; a repeat of the key is the same purchase", async () => {
    const { id } = await product({ stock: 1 });
    const ann = await bearer("3001");
    const body = { product_id: id, quantity: 1 };
    const first = await shop.post("/seckill", { ...ann, key: "k", body });
    expect([first.status, first.data["product_id"], first.data["state"]]).toEqual([201, String(id), "reserved"]);
    expect((await shop.post("/seckill", { ...ann, key: "k", body })).text).toBe(first.text);
    expect((await shop.post("/seckill", { ...(await bearer("3002")), body })).reason).toBe("all_taken");
    expect((await shop.post("/seckill", { anonymous: true, body })).status).toBe(401);
    expect((await shop.post("/seckill", { ...ann, body: { ...body, user_id: 3002 } })).status).toBe(403);
    expect((await shop.post("/seckill", { ...ann, body: { product_id: 4_040_404 } })).reason).toBe("product_unknown");
  });

  test("[H3, E1] S3 `POST /register`, `POST /login`, `GET /profile`: `{username, password}`, then buying with the token that was got", async () => {
    const username = `s3-${Math.floor(performance.now() * 1000)}`;
    const body = { username, password: "kettle under the moon" };
    const registered = await shop.post("/register", { anonymous: true, body });
    expect([registered.status, registered.data["username"], registered.data["role"]]).toEqual([201, username, "buyer"]);
    expect(registered.text).not.toInclude(body.password);
    expect((await shop.post("/register", { anonymous: true, body })).reason).toBe("username_taken");
    expect((await shop.post("/register", { anonymous: true, body: { username: "x", password: "short" } })).status).toBe(422);
    const wrong = await shop.post("/login", { anonymous: true, body: { ...body, password: "kettle under the sun" } });
    expect([wrong.status, envelopeOf(wrong).msg === envelopeOf(wrong).message]).toEqual([401, true]);
    const login = await shop.post("/login", { anonymous: true, body });
    expect([login.status, typeof login.data["token"], typeof login.data["refresh_token"]]).toEqual([200, "string", "string"]);
    const own = { anonymous: true, headers: { authorization: `Bearer ${String(login.data["token"])}` } };
    const profile = await shop.get("/profile", own);
    expect([profile.status, profile.data]).toEqual([200, registered.data]);
    expect((await shop.get("/profile", { anonymous: true })).status).toBe(401);
    const { id } = await product();
    const bought = await shop.post("/seckill", { ...own, body: { product_id: id, quantity: 1 } });
    expect(bought.status).toBe(201);
    const { data } = await shop.get("/orders", own);
    expect(data["items"]).toMatchObject([{ id: bought.data["id"], user_id: registered.data["id"], status: 0 }]);
  });

  test("[H3] S4 秒杀接口: product and quantity, the buyer in a header, which counts with a server key alone; 返回数据：秒杀id", async () => {
    const { id } = await product();
    const body = { product_id: id, quantity: 1 };
    const bought = await shop.post("/seckill", { headers: { "x-user-id": "4001" }, body });
    expect([bought.status, bought.code, typeof bought.data["id"]]).toEqual([201, 0, "string"]);
    expect((await shop.post("/seckill", { anonymous: true, headers: { "x-user-id": "4001" }, body })).status).toBe(401);
    expect((await shop.post("/seckill", { body })).status).toBe(401);
  });

  test("[H3] S4 秒杀查询接口: 等待支付, 支付成功, 秒杀主动取消 by the reservation's id, to its buyer alone", async () => {
    const { id } = await product();
    const buy = async (buyer: string) => String((await shop.post("/seckill", { buyer, body: { product_id: id } })).data["id"]);
    const [open, paid, cancelled] = [await buy("4101"), await buy("4102"), await buy("4103")];
    const order = await shop.get(`/api/v1/orders/${paid}`);
    expect((await shop.payExternally(order.data)).status).toBe(201);
    expect((await shop.post(`/api/v1/orders/${cancelled}/cancel`, { buyer: "4103" })).status).toBe(200);
    for (const [reservation, buyer, status] of [
      [open, "4101", "waiting_for_payment"],
      [paid, "4102", "paid"],
      [cancelled, "4103", "cancelled_by_buyer"],
    ] as const) {
      const told = await shop.get(`/seckill/${reservation}`, { buyer });
      expect(told.data).toEqual({ seckill_id: reservation, order_id: reservation, product_id: String(id), quantity: 1, status });
    }
    expect((await shop.get(`/seckill/${open}`, { buyer: "4102" })).status).toBe(404);
    expect((await shop.get(`/seckill/${open}`, { anonymous: true })).status).toBe(401);
  });

  test("[H3] S4 秒杀超时取消: a reservation whose time is up is told so", async () => {
    const sale = await shop.liveSale({ pay_window_seconds: 1 });
    const bought = await shop.buy(sale, "4201");
    const statusNow = async () => (await shop.get(`/seckill/${String(bought.data["id"])}`, { buyer: "4201" })).data["status"];
    await waitFor("the reservation's end", async () => (await statusNow()) === "timed_out", { withinMs: 15_000 });
  });

  test("[H3] S3 `GET /orders`（分页/状态）, S4 查询订单列表 (偏移量, 查询数量): own orders by page, by place and by status", async () => {
    const buyer = `s34-${Math.floor(performance.now() * 1000)}`;
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { id } = await product();
      ids.unshift(String((await shop.post("/seckill", { buyer, body: { product_id: id, quantity: 1 } })).data["id"]));
    }
    const [, , oldest = ""] = ids;
    await shop.post(`/api/v1/orders/${oldest}/cancel`, { buyer });
    const listed = await shop.get("/orders", { buyer });
    expect([itemsOf(listed).map(({ id }) => id), listed.data["total"], listed.data["page"]]).toEqual([ids, 3, 1]);
    expect(itemsOf(listed)[0]).toMatchObject({
      order_num: ids[0],
      user_id: buyer,
      quantity: 1,
      price: 129.9,
      status: 0,
      state: "reserved",
    });
    const idsOf = async (query: string) => itemsOf(await shop.get(`/orders?${query}`, { buyer })).map(({ id }) => id);
    expect(await idsOf("offset=1&limit=1")).toEqual(ids.slice(1, 2));
    expect(await idsOf("page=2&page_size=2")).toEqual(ids.slice(2));
    expect(await idsOf("status=2")).toEqual([oldest]);
    expect(await idsOf("status=0")).toEqual(ids.slice(0, 2));
    expect(await idsOf("status=1")).toEqual([]);
    expect(await idsOf("state=cancelled")).toEqual([oldest]);
    expect((await shop.get(`/orders?user_id=${buyer}`)).data["total"]).toBe(3);
    expect((await shop.get(`/orders?user_id=${buyer}`, await bearer("4301"))).status).toBe(403);
    expect((await shop.get("/orders?page=1&offset=0", { buyer })).status).toBe(400);
    expect((await shop.get("/orders", { anonymous: true })).status).toBe(401);
  });

  test("[H3] S3 `GET /orders/:id`, `POST /orders/:id/pay`: the order becomes 已支付 by the provider's callback", async () => {
    const { id } = await product();
    const ann = await bearer("3101");
    const order = String((await shop.post("/seckill", { ...ann, body: { product_id: id } })).data["id"]);
    const read = await shop.get(`/orders/${order}`, ann);
    expect(read.data).toMatchObject({ id: order, order_num: order, user_id: "3101", product_id: String(id), status: 0, seller: "shop" });
    const started = await shop.post(`/orders/${order}/pay`, { ...ann, body: { scenario: "success" } });
    expect([started.status, started.data["order_id"], started.data["amount_minor"]]).toEqual([201, order, 12_990]);
    await waitFor("the payment", async () => (await shop.get(`/orders/${order}`, ann)).data["status"] === 1);
    expect((await shop.post(`/orders/${order}/pay`, { ...ann, body: {} })).reason).toBe("order_not_payable");
    expect((await shop.get(`/orders/${order}`, await bearer("3102"))).status).toBe(404);
    expect((await shop.post(`/orders/${order}/pay`, { anonymous: true, body: {} })).status).toBe(401);
  });

  test("[H3] S3 支付回调 `POST /payment/callback`（签名校验）: applied once when signed, refused when not", async () => {
    const { id } = await product();
    const order = String((await shop.post("/seckill", { buyer: "3201", body: { product_id: id } })).data["id"]);
    // The provider keeps still, so that this callback is the first.
    const started = await shop.post(`/orders/${order}/pay`, { buyer: "3201", body: { scenario: "abandon" } });
    const data = { payment_id: started.data["id"] };
    const body = JSON.stringify({ type: "payment.failed", timestamp: at(0), data });
    const signed = new Date();
    const headers = {
      "webhook-id": `msg_${order}`,
      "webhook-timestamp": String(Math.floor(signed.getTime() / 1000)),
      "webhook-signature": new Webhook(callbackSecret).sign(`msg_${order}`, signed, body),
    };
    const forged = { ...headers, "webhook-signature": "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    expect((await shop.post("/payment/callback", { anonymous: true, raw: body, headers: forged })).status).toBe(401);
    for (const repeated of [false, true])
      expect((await shop.post("/payment/callback", { anonymous: true, raw: body, headers })).data).toEqual({ repeated });
    const { data: read } = await shop.get(`/orders/${order}`, { buyer: "3201" });
    expect([read["status"], (read["payments"] as { state: string }[])[0]?.state]).toEqual([0, "failed"]);
  });
}
