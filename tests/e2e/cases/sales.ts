/** Products and sales: created, listed, switched, and what each status refuses. */
import { expect, test } from "bun:test";
import { idOf } from "../../harness/shop.ts";
import type { UnderTest } from "../server-under-test.ts";

const hour = 3_600_000;
const at = (ms: number) => new Date(Date.now() + ms).toISOString();

export function saleCases({ shop, soon }: UnderTest): void {
  test("[A1] a product is created once: the same again is 200, other fields under its id 409; anybody reads it", async () => {
    const id = String(700_000 + Math.floor(Math.random() * 90_000));
    const body = { id, name: "Phone 手机", price_minor: 899_900, currency: "CNY", seller: "shop", image: "https://example.com/p.png" };
    expect((await shop.post("/api/v1/products", { body })).status).toBe(201);
    expect((await shop.post("/api/v1/products", { body })).status).toBe(200);
    const other = await shop.post("/api/v1/products", { body: { ...body, price_minor: 1 } });
    expect([other.status, other.reason]).toEqual([409, "product_exists"]);
    expect((await shop.get(`/api/v1/products/${id}`, { anonymous: true })).data).toMatchObject(body);
    expect((await shop.get("/api/v1/products/999999999999", { anonymous: true })).reason).toBe("product_unknown");
  });

  test("[A2] the same submission twice under a key makes one sale", async () => {
    const product_id = await shop.product();
    const body = { product_id, stock: 5, starts_at: at(0), ends_at: at(hour) };
    const first = await shop.post("/api/v1/sales", { key: "sale-1", body });
    const again = await shop.post("/api/v1/sales", { key: "sale-1", body });
    expect(first.status).toBe(201);
    expect(idOf(again)).toBe(idOf(first));
    expect(first.data).toMatchObject({ product_id, status: "draft", price_minor: 9_900, per_buyer_limit: 1, pay_window_seconds: 900 });
  });

  test("[A3] a draft is nobody's business, a scheduled sale not open, a paused one shut, an ended or cancelled one gone", async () => {
    const draft = await shop.draft();
    expect((await shop.buy(draft, "ann")).reason).toBe("sale_unknown");
    expect((await shop.get(`/api/v1/sales/${draft}`, { anonymous: true })).status).toBe(404);
    const scheduled = await shop.liveSale({ starts_at: at(hour), ends_at: at(2 * hour) });
    const early = await shop.buy(scheduled, "ann");
    expect([early.status, early.code, early.reason]).toEqual([409, 1001, "not_started"]);
    expect(Date.parse(String(early.data["starts_at"]))).toBeGreaterThan(Date.parse(String(early.data["server_time"])));
    const live = await shop.liveSale({ stock: 1_000 });
    // Until a cache has heard of it strangers may still buy, so each try is another's.
    const byStrangers = (reason: string) =>
      soon(
        () => shop.buy(live, `stranger-${crypto.randomUUID()}`),
        (answer) => answer.reason === reason,
      );
    expect((await shop.post(`/api/v1/sales/${live}/pause`)).data["status"]).toBe("paused");
    expect((await byStrangers("paused")).reason).toBe("paused");
    expect((await shop.post(`/api/v1/sales/${live}/pause`)).status).toBe(200);
    expect((await shop.post(`/api/v1/sales/${live}/resume`)).data["status"]).toBe("live");
    const bought = () => shop.buy(live, "ann");
    expect((await soon(bought, ({ status }) => status === 201)).status).toBe(201);
    expect((await shop.post(`/api/v1/sales/${live}/cancel`)).data["status"]).toBe("cancelled");
    const gone = await byStrangers("sale_cancelled");
    expect([gone.status, gone.code, gone.reason]).toEqual([410, 1004, "sale_cancelled"]);
    expect((await shop.post(`/api/v1/sales/${live}/publish`)).reason).toBe("switch_not_allowed");
  });

  test("[A3] an ended sale refuses, still answers an accepted key, and can be read", async () => {
    const saleId = await shop.liveSale({ ends_at: at(1_500) });
    const order = await shop.buy(saleId, "ann", { key: "k" });
    expect(order.status).toBe(201);
    let refused = await shop.buy(saleId, "bob");
    const untilMs = performance.now() + 10_000;
    while (refused.reason !== "ended" && performance.now() < untilMs)
      refused = await shop.buy(saleId, `bob-${performance.now()}`.replace(".", "-"));
    expect([refused.status, refused.code, refused.reason]).toEqual([410, 1002, "ended"]);
    expect((await shop.buy(saleId, "ann", { key: "k" })).text).toBe(order.text);
    expect((await shop.get(`/api/v1/sales/${saleId}`, { anonymous: true })).data["status"]).toBe("ended");
    expect((await shop.post(`/api/v1/sales/${saleId}/extend`, { body: { ends_at: at(hour) } })).reason).toBe("switch_not_allowed");
  });

  test("[A2, A4] a live sale is extended, never shortened into the past; publishing twice is safe", async () => {
    const saleId = await shop.liveSale({ ends_at: at(hour) });
    const later = at(2 * hour);
    expect((await shop.post(`/api/v1/sales/${saleId}/extend`, { body: { ends_at: later } })).data["ends_at"]).toBe(later);
    expect((await shop.post(`/api/v1/sales/${saleId}/extend`, { body: { ends_at: at(-hour) } })).status).toBe(422);
    expect((await shop.post(`/api/v1/sales/${saleId}/publish`)).status).toBe(200);
    expect((await shop.stock(saleId))["issued"]).toBe(10);
  });

  test("lists: by product and status, in pages; drafts for the shop only", async () => {
    const product_id = await shop.product();
    const live = await shop.liveSale({ product_id });
    const draft = await shop.draft({ product_id });
    const all = await shop.get(`/api/v1/sales?product_id=${product_id}`);
    const public_ = await shop.get(`/api/v1/sales?product_id=${product_id}`, { anonymous: true });
    const ids = (answer: typeof all) => (answer.data["items"] as { id: string }[]).map(({ id }) => id).toSorted();
    expect(ids(all)).toEqual([live, draft].toSorted());
    expect(ids(public_)).toEqual([live]);
    const second = await shop.get(`/api/v1/sales?product_id=${product_id}&page=2&page_size=1`);
    expect(second.data).toMatchObject({ page: 2, page_size: 1, total: 2 });
    expect(ids(await shop.get(`/api/v1/sales?product_id=${product_id}&status=live`))).toEqual([live]);
    for (const query of ["page=0", "page_size=101", "page=x", "status=open", "colour=red"])
      expect((await shop.get(`/api/v1/sales?${query}`)).status).toBe(400);
  });

  test("only the shop manages: buyers and nobody are told so", async () => {
    const saleId = await shop.draft();
    const { data } = await shop.post("/api/v1/tokens", { body: { user_id: "ann" } });
    const bearer = { authorization: `Bearer ${String(data["token"])}` };
    for (const path of ["/api/v1/products", "/api/v1/sales", `/api/v1/sales/${saleId}/publish`, "/api/v1/tokens"]) {
      expect((await shop.post(path, { anonymous: true, body: {} })).status).toBe(401);
      expect((await shop.post(path, { anonymous: true, headers: bearer, body: {} })).status).toBe(403);
    }
  });
}
