/** Development as `npm start` sets it: the earlier service's curl examples run as they stand, but only from this machine. */
import { describe, expect, test } from "bun:test";
import { useServer } from "./server-under-test.ts";

describe("the server in development", () => {
  const { shop, url } = useServer("bun", { DOORBUSTER_ENV: "development" });
  const prewarm =
    '{"product_id":1001,"product_name":"Test Product","price":99.99,"stock":100,"start_time":"2024-01-01T10:00:00Z","end_time":"2024-01-01T12:00:00Z","status":"active"}';
  const purchase = '{"product_id":1001,"user_id":2001,"quantity":1}';

  test("prewarm with its dates of 2024, purchase, statistics, health: without credentials from the loopback address", async () => {
    const warmed = await shop.post("/api/v1/seckill/activity/prewarm", { anonymous: true, raw: prewarm });
    expect(warmed.status).toBe(201);
    expect(warmed.data["status"]).toBe("live");
    expect(warmed.data["warnings"]).toHaveLength(1);
    const bought = await shop.post("/api/v1/seckill/purchase", { anonymous: true, raw: purchase });
    expect(bought.status).toBe(201);
    expect((await shop.get("/api/v1/seckill/stats/1001", { anonymous: true })).data["stock"]).toMatchObject({ issued: 100, held: 1 });
    expect((await shop.get("/api/v1/seckill/purchased/1001/2001", { anonymous: true })).data).toMatchObject({ purchased: true });
    for (const path of ["/health", "/api/v1/system/stats", "/metrics"])
      expect((await shop.get(path, { anonymous: true })).status).toBe(200);
  });

  test("[H3] S1 its README's curl lines run as they stand, in a shell", async () => {
    const lines = `
# 预热活动
curl -X POST http://localhost:8083/api/v1/seckill/activity/prewarm \\
  -H "Content-Type: application/json" \\
  -d '{"product_id":1001,"product_name":"Test Product","price":99.99,"stock":100,"start_time":"2024-01-01T10:00:00Z","end_time":"2024-01-01T12:00:00Z","status":"active"}'

# 秒杀请求
curl -X POST http://localhost:8083/api/v1/seckill/purchase \\
  -H "Content-Type: application/json" \\
  -d '{"product_id":1001,"user_id":2099,"quantity":1}'

curl http://localhost:8083/health
curl http://localhost:8083/api/v1/system/stats`;
    const script = lines.replaceAll("http://localhost:8083", url()).replaceAll("curl ", "curl -sS -w '\\n' ");
    const shell = Bun.spawn(["sh", "-e", "-c", script], { stdout: "pipe", stderr: "pipe", timeout: 20_000 });
    const [out, err, code] = await Promise.all([new Response(shell.stdout).text(), new Response(shell.stderr).text(), shell.exited]);
    expect([code, err]).toEqual([0, ""]);
    const answers = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { code: number; data: Record<string, unknown> });
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(answers[1]?.data).toMatchObject({ product_id: "1001", quantity: 1, state: "reserved" });
  });

  test("[H3] S0's paths let a caller on this machine act for the buyer it names; a window of 2024 is moved, and said", async () => {
    const anonymous = true;
    const body = { name: "秒杀活动", price: 99.99, stock: 10, startTime: "2024-01-01T10:00:00Z", endTime: "2024-01-01T12:00:00Z" };
    const made = await shop.post("/api/activities", { anonymous, body });
    expect([made.status, made.data["status"], made.data["currency"]]).toEqual([201, "live", "CNY"]);
    expect(made.data["warnings"]).toEqual([expect.stringContaining("was moved")]);
    const id = String(made.data["id"]);
    expect((await shop.get(`/api/activities/${id}`, { anonymous })).data["id"]).toBe(id);
    const bought = await shop.post(`/api/seckill/${id}`, { anonymous, body: { userId: 2001, quantity: 1 } });
    expect([bought.status, bought.data["sale_id"]]).toEqual([201, id]);
    expect((await shop.post(`/api/seckill/${id}`, { anonymous, body: { userId: 2001, quantity: 1 } })).reason).toBe("limit_reached");
    expect((await shop.get(`/api/orders/${String(bought.data["id"])}`, { anonymous })).data["state"]).toBe("reserved");
    expect((await shop.get("/api/orders/user/2001", { anonymous })).data["items"]).toContainEqual(
      expect.objectContaining({ id: bought.data["id"] }),
    );
    expect((await shop.post(`/api/seckill/${id}`, { anonymous, body: { quantity: 1 } })).status).toBe(401);
  });

  test("[H3] S3's paths do so, too; S4's header names nobody without a key, on this machine either", async () => {
    const anonymous = true;
    const body = { id: 5001, name: "iPhone 15 Pro", price: 8999.0, stock: 100, start_time: "2024-01-01T10:00:00Z" };
    const made = await shop.post("/products", { anonymous, body });
    expect([made.status, made.data["id"], made.data["price"], made.data["stock"]]).toEqual([201, "5001", 8999, 100]);
    expect(made.data["warnings"]).toHaveLength(1);
    expect((await shop.post("/products", { anonymous, body })).status).toBe(200);
    expect((await shop.get("/product/5001", { anonymous })).data["stock"]).toBe(100);
    expect((await shop.get("/products", { anonymous })).data["items"]).toContainEqual(expect.objectContaining({ id: "5001" }));
    const bought = await shop.post("/seckill", { anonymous, body: { product_id: 5001, quantity: 1, user_id: 2001 } });
    expect(bought.status).toBe(201);
    const order = `/orders/${String(bought.data["id"])}`;
    expect((await shop.get("/orders?user_id=2001", { anonymous })).data["total"]).toBeGreaterThan(0);
    expect((await shop.get(order, { anonymous })).data["status"]).toBe(0);
    expect((await shop.get(`/seckill/${String(bought.data["id"])}`, { anonymous })).data["status"]).toBe("waiting_for_payment");
    expect((await shop.post(`${order}/pay`, { anonymous, body: {} })).status).toBe(201);
    const headers = { "x-user-id": "2002" };
    expect((await shop.post("/seckill", { anonymous, headers, body: { product_id: 5001, quantity: 1 } })).status).toBe(401);
    expect((await shop.get("/orders", { anonymous, headers })).status).toBe(401);
  });

  test("but not through a proxy, from a foreign page, or under a foreign name", async () => {
    const foreign: Record<string, string>[] = [
      { "x-forwarded-for": "203.0.113.9" },
      { forwarded: "for=203.0.113.9" },
      { "x-real-ip": "203.0.113.9" },
      { origin: "https://evil.example" },
      { host: "shop.example" },
    ];
    for (const headers of foreign) {
      for (const [path, raw] of [
        ["/api/v1/seckill/purchase", purchase],
        ["/seckill", purchase],
        ["/api/seckill/1", '{"user_id":2001}'],
        ["/api/activities", "{}"],
        ["/products", "{}"],
      ] as const) {
        const answer = await shop.post(path, { anonymous: true, raw, headers });
        expect([path, headers, answer.status]).toEqual([path, headers, 401]);
      }
      for (const path of ["/api/v1/seckill/purchased/1001/2001", "/api/orders/user/2001", "/orders?user_id=2001", "/api/orders/1"]) {
        const answer = await shop.get(path, { anonymous: true, headers });
        expect([path, headers, answer.status]).toEqual([path, headers, 401]);
      }
    }
    expect(new URL(url()).hostname).toBe("127.0.0.1");
  });

  test("the canonical paths trust nobody on this machine either", async () => {
    const saleId = await shop.liveSale();
    const path = `/api/v1/sales/${saleId}/purchases`;
    expect((await shop.post(path, { anonymous: true, headers: { "x-user-id": "ann" }, body: { quantity: 1 } })).status).toBe(401);
    expect((await shop.post("/api/v1/products", { anonymous: true, body: {} })).status).toBe(401);
  });
});
