/** Text of a caller is data wherever it comes back, and every answer tells browsers to make nothing of it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openMemoryApi, shopKey, type MemoryApi, type Told } from "../harness/memory-api.ts";
import { contracts, requestFor } from "../kit/contract-requests.ts";
import { xssStrings } from "./xss-strings.ts";

let api: MemoryApi;
beforeAll(async () => {
  api = await openMemoryApi();
});
afterAll(() => api.close());

/** A text as a name may be: of its length, and well-formed. */
const asName = (text: string, i: number) => `${i} ${text}`;
const sale = (productId: unknown, change: Record<string, unknown>) => ({
  product_id: productId,
  stock: 10,
  starts_at: new Date(api.time.nowMs).toISOString(),
  ends_at: new Date(api.time.nowMs + 3_600_000).toISOString(),
  ...change,
});

function expectInert({ headers, text }: Told, what: string): void {
  expect([what, headers.get("content-type")]).toEqual([what, "application/json"]);
  expect([what, headers.get("x-content-type-options")]).toEqual([what, "nosniff"]);
  expect([what, headers.get("content-security-policy")]).toEqual([what, "default-src 'none'; frame-ancestors 'none'"]);
  // It is JSON and nothing around it.
  expect([what, text.startsWith("{") && text.endsWith("}")]).toEqual([what, true]);
  JSON.parse(text);
}

test(`[HO5] ${xssStrings.length} hostile texts (at least 50) as names of products and sales, and as metadata, come back as they were, as data`, async () => {
  expect(new Set(xssStrings).size).toBe(xssStrings.length);
  expect(xssStrings.length).toBeGreaterThanOrEqual(50);
  for (const [i, text] of xssStrings.entries()) {
    const name = asName(text, i);
    const product = await api.shop("POST", "/api/v1/products", { name, price_minor: 100, currency: "CNY" });
    // A name that is no name is refused, and that is an answer like any other.
    expectInert(product, text);
    if (product.status !== 201) expect([text, product.status]).toEqual([text, 422]);
    const productId =
      product.status === 201
        ? product.data["id"]
        : (await api.shop("POST", "/api/v1/products", { name: "plain", price_minor: 100, currency: "CNY" })).data["id"];
    if (product.status === 201) {
      const read = await api.ask("GET", `/api/v1/products/${String(productId)}`);
      expectInert(read, text);
      expect(read.data["name"]).toBe(name);
    }
    const made = await api.shop("POST", "/api/v1/sales", sale(productId, { name: product.status === 201 ? name : "plain" }));
    expectInert(made, text);
    const saleId = String(made.data["id"]);
    await api.shop("POST", `/api/v1/sales/${saleId}/publish`);
    const bought = await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, {
      key: shopKey,
      userId: "ann",
      json: { quantity: 1, metadata: { note: text } },
    });
    expectInert(bought, text);
    expect([text, bought.status]).toEqual([text, 201]);
    expect(bought.data["metadata"]).toEqual({ note: text });
    for (const path of [`/api/v1/orders/${String(bought.data["id"])}`, "/api/v1/orders", "/api/v1/sales"])
      expectInert(await api.ask("GET", path, { key: shopKey, userId: "ann" }), path);
  }
});

test("[HO5] a name is refused or kept whole: nothing is stripped, escaped or mended on the way in", async () => {
  const kept = await Promise.all(
    xssStrings.map(async (text) => await api.shop("POST", "/api/v1/products", { name: text, price_minor: 100, currency: "CNY" })),
  );
  for (const [i, told] of kept.entries()) if (told.status === 201) expect(told.data["name"]).toBe(xssStrings[i]);
  expect(kept.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(50);
});

test(`[HO5] in the path, the query and the headers they come back as data, too`, async () => {
  for (const text of xssStrings) {
    const wellFormed = encodeURIComponent(text);
    for (const path of [
      `/${wellFormed}`,
      `/api/v1/sales/${wellFormed}`,
      `/api/v1/sales?status=${wellFormed}`,
      `/api/v1/sales?${wellFormed}=1`,
    ]) {
      const told = await api.ask("GET", path);
      expect(told.status).toBeGreaterThanOrEqual(400);
      expectInert(told, path);
    }
  }
});

test(`[HO5] on every one of ${contracts.length} routes, answers of each kind carry the headers that keep browsers from it`, async () => {
  for (const contract of contracts) {
    const request = requestFor(contract, (_, legal) => legal);
    for (const call of [{}, { key: shopKey }, { key: shopKey, userId: "ann" }, { bearer: "x" }]) {
      for (const method of [contract.method, "PATCH", "OPTIONS"]) {
        const response = await api.send(
          method,
          request.path,
          method === contract.method && request.body !== undefined ? { ...call, json: request.body } : call,
        );
        await response.body?.cancel();
        const { headers } = response;
        expect([request.path, headers.get("x-content-type-options")]).toEqual([request.path, "nosniff"]);
        expect([request.path, headers.get("content-security-policy")]).toEqual([
          request.path,
          expect.stringMatching(/default-src '(none|self)'.*frame-ancestors 'none'/),
        ]);
      }
    }
  }
});
