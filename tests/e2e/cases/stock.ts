/** Products with an inventory: from the first count over a sale to its settling, which the server does by itself. */
import { expect, test } from "bun:test";
import { idOf } from "../../harness/shop.ts";
import { waitFor } from "../../harness/wait.ts";
import type { UnderTest } from "../server-under-test.ts";

const at = (ms: number) => new Date(Date.now() + ms).toISOString();

export function stockCases({ shop, soon }: UnderTest): void {
  test("[A1] a sale takes its units out of the inventory, and what it did not sell is back soon after it ended", async () => {
    const id = await shop.product({ inventory: 20 });
    const product = `/api/v1/products/${id}`;
    const free = async () => (await shop.get(`${product}/stock`, { anonymous: true })).data["inventory"];
    const saleId = await shop.liveSale({ product_id: id, stock: 10, ends_at: at(1_500) });
    expect(await free()).toBe(10);
    const order = await shop.buy(saleId, "ann");
    await shop.payExternally(order.data);
    await shop.buy(saleId, "bob").then(({ data }) => shop.post(`/api/v1/orders/${String(data["id"])}/cancel`, { buyer: "bob" }));
    await waitFor("what was not sold is back", async () => (await free()) === 19, { withinMs: 15_000 });
    const read = () => shop.get(`/api/v1/sales/${saleId}`, { anonymous: true });
    const sale = (await soon(read, ({ data }) => data["settled_at"] !== null)).data;
    expect(sale).toMatchObject({
      status: "ended",
      from_inventory: true,
      settled_at: expect.any(String),
      stock: { available: 0, sold: 1, withdrawn: 9 },
    });
    await shop.post(`/api/v1/orders/${String(order.data["id"])}/refunds`, { body: { return_stock: true } });
    await waitFor("what was given back is back", async () => (await free()) === 20, { withinMs: 15_000 });
  });

  test("[A6] a live sale gets more units and gives some back; the same key again has one effect", async () => {
    const id = await shop.product({ inventory: 12 });
    const saleId = await shop.liveSale({ product_id: id, stock: 5 });
    const adjust = (units: number, key: string) =>
      shop.post(`/api/v1/sales/${saleId}/stock-adjustments`, { key, body: { units, reason: "as counted" } });
    const answers = await Promise.all([1, 2, 3].map(() => adjust(4, "more")));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await shop.stock(saleId)).toMatchObject({ issued: 9, available: 9 });
    expect((await adjust(4, "even more")).reason).toBe("invalid");
    expect((await adjust(-9, "less")).status).toBe(201);
    const { data } = await shop.get(`/api/v1/products/${id}`, { anonymous: true });
    expect(data["inventory"]).toBe(12);
  });

  test("[A1] a product changes by version, is read again only when it changed, and is deleted when nothing sells it", async () => {
    const id = await shop.product();
    const path = `/api/v1/products/${id}`;
    const tag = (await shop.get(path)).headers.get("etag") ?? "";
    expect((await shop.get(path, { headers: { "if-none-match": tag } })).status).toBe(304);
    const change = (name: string) => shop.ask("PATCH", path, { headers: { "if-match": tag }, body: { name } });
    const both = await Promise.all([change("one"), change("two")]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect((await shop.get(path, { headers: { "if-none-match": tag } })).status).toBe(200);
    const saleId = await shop.liveSale({ product_id: id });
    expect((await shop.ask("DELETE", path)).reason).toBe("product_in_use");
    await shop.post(`/api/v1/sales/${saleId}/cancel`);
    expect([(await shop.ask("DELETE", path)).status, (await shop.get(path)).status]).toEqual([200, 404]);
    const listed = await shop.get(`/api/v1/products?ids=${id}`, { anonymous: true });
    expect(listed.data["total"]).toBe(0);
  });

  test("[A2] a draft is edited until it is published", async () => {
    const saleId = await shop.draft({ stock: 3 });
    const edit = (body: object) => shop.ask("PATCH", `/api/v1/sales/${saleId}`, { body });
    expect(idOf(await edit({ stock: 4, name: "Night sale" }))).toBe(saleId);
    await shop.post(`/api/v1/sales/${saleId}/publish`);
    expect((await edit({ stock: 5 })).reason).toBe("switch_not_allowed");
    expect((await shop.get(`/api/v1/sales/${saleId}`)).data).toMatchObject({ name: "Night sale", stock: { issued: 4 } });
  });
}
