/** What operators and pages see: time, health, metrics, statistics of the system, headers on every answer. */
import { expect, test } from "bun:test";
import type { UnderTest } from "../server-under-test.ts";

export function operationCases({ shop }: UnderTest): void {
  test("[A7] the server's time", async () => {
    const { status, data } = await shop.get("/api/v1/time", { anonymous: true });
    expect(status).toBe(200);
    expect(Date.parse(String(data["server_time"]))).toBe(Number(data["server_time_ms"]));
    expect(Math.abs(Number(data["server_time_ms"]) - Date.now())).toBeLessThan(5_000);
  });

  test("[G5] health answers anybody; metrics and system statistics want a key in production", async () => {
    for (const path of ["/livez", "/readyz", "/healthz", "/health"])
      expect([path, (await shop.get(path, { anonymous: true })).status]).toEqual([path, 200]);
    for (const path of ["/metrics", "/api/v1/system/stats"]) {
      expect([path, (await shop.get(path, { anonymous: true })).status]).toEqual([path, 401]);
      expect([path, (await shop.get(path)).status]).toEqual([path, 200]);
    }
  });

  test("[G1] metrics are Prometheus text and count what happened", async () => {
    const saleId = await shop.liveSale({ stock: 1 });
    await shop.buy(saleId, "ann");
    await shop.buy(saleId, "bob");
    const { text, headers } = await shop.get("/metrics");
    expect(headers.get("content-type")).toContain("text/plain");
    expect(text).toMatch(/^# TYPE /m);
    expect(text).toMatch(/all_taken/);
    expect(text).not.toMatch(/ann|bob/);
  });

  test("[H1] every answer carries a request id, is JSON, and may not be sniffed or cached by mistake", async () => {
    const saleId = await shop.liveSale();
    const answers = [
      await shop.get("/api/v1/time", { anonymous: true }),
      await shop.buy(saleId, "ann"),
      await shop.buy(saleId, "ann"),
      await shop.get("/nothing"),
      await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "x", raw: "{" }),
    ];
    const ids = answers.map(({ headers }) => headers.get("x-request-id"));
    expect(ids.every((id) => id !== null && id.length > 0)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { headers } of answers) expect(headers.get("content-type")).toContain("application/json");
    for (const { headers } of answers) expect(headers.get("x-powered-by")).toBeNull();
  });

  test("an origin that was not named gets no CORS permission", async () => {
    const answer = await shop.get("/api/v1/time", { anonymous: true, headers: { origin: "https://evil.example" } });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
}
