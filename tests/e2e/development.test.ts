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

  test("but not through a proxy, from a foreign page, or under a foreign name", async () => {
    const foreign: Record<string, string>[] = [
      { "x-forwarded-for": "203.0.113.9" },
      { forwarded: "for=203.0.113.9" },
      { "x-real-ip": "203.0.113.9" },
      { origin: "https://evil.example" },
      { host: "shop.example" },
    ];
    for (const headers of foreign) {
      const answer = await shop.post("/api/v1/seckill/purchase", { anonymous: true, raw: purchase, headers });
      expect([headers, answer.status]).toEqual([headers, 401]);
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
