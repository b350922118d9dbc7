/** Products over HTTP: kept once, changed by version, listed, deleted; and the cache in front of them. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { xssStrings } from "../../tests/hostility/xss-strings.ts";
import { productId } from "../../tests/kit/samples.ts";
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
beforeEach(async () => {
  api = await openMemoryApi();
});
afterEach(() => api.close());

const lamp = { name: "Lamp", price_minor: 9900, currency: "CNY" };
const create = (json: object, call: Call = {}) => api.ask("POST", "/api/v1/products", { key: shopKey, json, ...call });
const createdId = async (json: object = lamp, call?: Call) => String((await create(json, call)).data["id"]);
const pathOf = (id: string) => `/api/v1/products/${id}`;
const at = (seconds: number) => new Date(api.time.nowMs + seconds * 1000).toISOString();

describe("creating", () => {
  test("[IN1] the same submission twice is one product, another under its key is refused, and a key is its owner's", async () => {
    const submit = (json: object, key = shopKey) => create(json, { key, idempotencyKey: "form-1" });
    const [first, second] = [await submit({ ...lamp, inventory: 5 }), await submit({ ...lamp, inventory: 5 })];
    expect([first.status, second.status, second.data["id"]]).toEqual([201, 200, first.data["id"]]);
    expect([first.data["inventory"], first.data["version"], first.headers.get("etag")]).toEqual([5, 1, '"1"']);
    const other = await submit({ ...lamp, inventory: 6 });
    expect([other.status, other.data["reason"]]).toEqual([422, "key_reused"]);
    expect((await submit({ ...lamp, inventory: 6 }, otherShopKey)).status).toBe(201);
    const both = await Promise.all([1, 2].map(() => create(lamp, { idempotencyKey: "form-2" })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 201]);
    expect(both[0]?.data["id"]).toBe(both[1]?.data["id"]);
  });

  test("[IN1] a repeat finds its product though it has changed since, and not once it is deleted", async () => {
    const submit = () => create(lamp, { idempotencyKey: "form-3" });
    const id = String((await submit()).data["id"]);
    await api.ask("PATCH", pathOf(id), { key: shopKey, json: { price_minor: 8900 } });
    const again = await submit();
    expect([again.status, again.data["id"], again.data["price_minor"]]).toEqual([200, id, 8900]);
    await api.ask("DELETE", pathOf(id), { key: shopKey });
    const late = await submit();
    expect([late.status, late.data["reason"], late.data["problem"]]).toEqual([
      409,
      "product_exists",
      `belongs to another product: "${id}"`,
    ]);
  });

  test("[PU25] a repeat of a sale finds it though its product, which it left name and price to, has changed since", async () => {
    const id = await createdId();
    const draft = { product_id: id, stock: 3, starts_at: at(60), ends_at: at(120) };
    const submit = (more: object = {}) =>
      api.ask("POST", "/api/v1/sales", { key: shopKey, json: { ...draft, ...more }, idempotencyKey: "sale-1" });
    const first = await submit();
    await api.ask("PATCH", pathOf(id), { key: shopKey, json: { price_minor: 8900, name: "Lampe" } });
    const again = await submit();
    expect([again.status, again.headers.get("idempotency-replayed"), again.data["id"]]).toEqual([201, "true", first.data["id"]]);
    expect(again.data).toMatchObject({ name: "Lamp", price_minor: 9900 });
    // Named is not left out.
    expect((await submit({ price_minor: 9900 })).data["reason"]).toBe("key_reused");
  });

  test("[IN1] another shop's id is taken, and says nothing of whose it is", async () => {
    await create({ ...lamp, id: "1001" });
    const taken = await create({ ...lamp, id: "1001" }, { key: otherShopKey });
    expect([taken.status, taken.data["reason"]]).toEqual([409, "product_exists"]);
    expect(taken.text).not.toContain('"shop"');
  });

  test.each([-1, 1.5, 1_000_000_001, "5"])("[IN8] an inventory of %p is refused", async (inventory) => {
    const answer = await create({ ...lamp, inventory });
    expect([400, 422]).toContain(answer.status);
    expect(answer.data["field"]).toBe("inventory");
  });
});

describe("changing", () => {
  test("[IN2] by If-Match: 412 if it is another by now; by version: 409; without either, whatever is there", async () => {
    const path = pathOf(await createdId());
    const patch = (json: object, ifMatch?: string) =>
      api.ask("PATCH", path, { key: shopKey, json, ...(ifMatch === undefined ? {} : { headers: { "if-match": ifMatch } }) });
    const first = await patch({ name: "Lampe" }, '"1"');
    expect([first.status, first.data["name"], first.data["version"], first.headers.get("etag")]).toEqual([200, "Lampe", 2, '"2"']);
    const late = await patch({ name: "Leuchte" }, '"1"');
    expect([late.status, late.data["reason"], late.data["version"]]).toEqual([412, "precondition_failed", 2]);
    const behind = await patch({ name: "Leuchte", version: 1 });
    expect([behind.status, behind.data["reason"], behind.data["version"]]).toEqual([409, "version_differs", 2]);
    // Its answer was lost: what it wanted is there.
    expect((await patch({ name: "Lampe" }, '"1"')).data["version"]).toBe(2);
    expect((await patch({ price_minor: 5, image: "/lamp.png" })).data).toMatchObject({ price_minor: 5, image: "/lamp.png", version: 3 });
    expect((await patch({ image: null, version: 3 }, '"3"')).data).toMatchObject({ image: null, version: 4 });
    expect((await patch({ name: "X" }, "*")).status).toBe(200);
    for (const wrong of ["1", '"x"', '"1", "2"', '"-1"', '""']) expect((await patch({ name: "Y" }, wrong)).data["field"]).toBe("If-Match");
    expect((await patch({ name: "Y", version: 4 }, '"5"')).status).toBe(400);
  });

  test.each([
    [{ name: "" }, "name"],
    [{ name: "a\u0000b" }, "name"],
    [{ price_minor: 0 }, "price_minor"],
    [{ image: "javascript:alert(1)" }, "image"],
    [{ seller: "other" }, "seller"],
    [{ inventory: 5 }, "inventory"],
    [{ currency: "cny" }, "currency"],
  ])("[IN2] %p is refused", async (json, field) => {
    const answer = await api.ask("PATCH", pathOf(await createdId()), { key: shopKey, json });
    expect([400, 422]).toContain(answer.status);
    expect(answer.data["field"]).toBe(field);
  });

  test("[IN9] a change is read at once, and absent ids, too, when they are made", async () => {
    const id = await createdId();
    expect((await api.ask("GET", pathOf(id))).data["name"]).toBe("Lamp");
    await api.shop("PATCH", pathOf(id), { name: "Lampe" });
    expect((await api.ask("GET", pathOf(id))).data["name"]).toBe("Lampe");
    expect((await api.ask("GET", pathOf("77"))).status).toBe(404);
    await create({ ...lamp, id: "77" });
    expect((await api.ask("GET", pathOf("77"))).status).toBe(200);
    const { store } = api;
    // Behind the cache's back, which shows that there is one.
    store.updateProductNow({ id: productId(id), changes: { name: "Unseen" } });
    expect((await api.ask("GET", pathOf(id))).data["name"]).toBe("Lampe");
  });

  test("[IN9] publishing, adjusting and settling change what is read of the inventory at once", async () => {
    const id = await createdId({ ...lamp, inventory: 9 });
    const inventory = async () => (await api.ask("GET", pathOf(id))).data["inventory"];
    expect(await inventory()).toBe(9);
    const sale = await api.shop("POST", "/api/v1/sales", { product_id: id, stock: 5, starts_at: at(0), ends_at: at(60) });
    const salePath = `/api/v1/sales/${String(sale.data["id"])}`;
    await api.shop("POST", `${salePath}/publish`);
    expect(await inventory()).toBe(4);
    await api.shop("POST", `${salePath}/stock-adjustments`, { units: 3, reason: "more" });
    expect(await inventory()).toBe(1);
    await api.shop("POST", `${salePath}/cancel`);
    expect(await inventory()).toBe(9);
    await api.shop("POST", `${pathOf(id)}/inventory`, { adjust: -9, reason: "sold in the shop" });
    expect(await inventory()).toBe(0);
  });

  test("[IN6] whoever has it is told so, until it changes", async () => {
    const path = pathOf(await createdId());
    const tag = (await api.ask("GET", path)).headers.get("etag") ?? "";
    const again = (etag: string) => api.ask("GET", path, { headers: { "if-none-match": etag } });
    const known = await again(tag);
    expect([known.status, known.text, known.headers.get("etag"), known.headers.get("cache-control")]).toEqual([
      304,
      "",
      tag,
      "private, no-cache",
    ]);
    expect((await again(`W/${tag}, "x"`)).status).toBe(304);
    await api.shop("PATCH", path, { name: "Lampe" });
    expect((await again(tag)).status).toBe(200);
  });
});

describe("listing and deleting", () => {
  test("[IN6] filters, sort and both pagings", async () => {
    for (const [name, price_minor] of [
      ["amp", 300],
      ["Lamp", 100],
      ["Zed", 200],
    ] as const) {
      await create({ name, price_minor, currency: "CNY", inventory: price_minor === 200 ? 0 : 1 });
      api.time.nowMs += 1_000;
    }
    await create({ ...lamp, name: "Theirs" }, { key: otherShopKey });
    const names = async (query: string) => {
      const { status, data } = await api.ask("GET", `/api/v1/products${query}`);
      expect([query, status]).toEqual([query, 200]);
      // The list's shape, which every answer is held to.
      return (data["items"] as { name: string }[]).map(({ name }) => name);
    };
    expect(await names("")).toEqual(["Theirs", "Zed", "Lamp", "amp"]);
    expect(await names("?seller=shop&sort=name,asc")).toEqual(["Lamp", "Zed", "amp"]);
    expect(await names("?sort=price_minor,desc&page=1&page_size=2")).toEqual(["Theirs", "amp"]);
    expect(await names("?sort=price_minor,asc&offset=1&limit=2")).toEqual(["Zed", "amp"]);
    expect(await names("?name=AMP&price_minor_min=200")).toEqual(["amp"]);
    expect(await names("?in_stock=false")).toEqual(["Zed"]);
    const ids = (await api.ask("GET", "/api/v1/products?name=amp")).data["items"] as { id: string }[];
    expect(await names(`?ids=${ids.map(({ id }) => id).join(",")}`)).toEqual(["Lamp", "amp"]);
    const total = (await api.ask("GET", "/api/v1/products?currency=CNY&limit=1")).data;
    expect(total).toMatchObject({ offset: 0, limit: 1, total: 4 });
    for (const wrong of [
      "sort=seller,asc",
      "sort=name;drop",
      "ids=",
      "ids=1,,2",
      "ids=1;2",
      "in_stock=1",
      "page=1&offset=1",
      "colour=red",
      "price_minor_min=-1",
    ])
      expect([wrong, (await api.ask("GET", `/api/v1/products?${wrong}`)).status]).toEqual([wrong, 400]);
    const tooMany = Array.from({ length: 101 }, (_, i) => i + 1).join(",");
    expect((await api.ask("GET", `/api/v1/products?ids=${tooMany}`)).status).toBe(400);
  });

  test(`[IN6] ${xssStrings.length} hostile texts are found by themselves and come back as data`, async () => {
    const path = pathOf(await createdId());
    for (const [i, text] of xssStrings.entries()) {
      const name = `${i} ${text}`;
      const changed = await api.shop("PATCH", path, { name });
      expect([200, 422]).toContain(changed.status);
      const found = await api.ask("GET", `/api/v1/products?name=${encodeURIComponent(name.slice(0, 200))}`);
      expect(found.headers.get("content-type")).toBe("application/json");
      if (changed.status === 200) expect(found.data).toMatchObject({ total: 1, items: [{ name }] });
    }
  });

  test("[IN5] a product with a sale that is not over stays; afterwards it is gone, and its orders stay", async () => {
    const { saleId, productId } = await api.openSale({ nowMs: api.time.nowMs });
    const ann = await api.tokenOf("ann");
    const order = await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer: ann });
    const remove = (call: Call = { key: shopKey }) => api.ask("DELETE", pathOf(productId), call);
    expect((await remove()).data).toMatchObject({ reason: "product_in_use", sale_id: saleId });
    await api.shop("POST", `/api/v1/sales/${saleId}/cancel`);
    expect((await remove({ key: otherShopKey })).status).toBe(404);
    expect((await remove({ key: shopKey, headers: { "if-match": '"9"' } })).status).toBe(412);
    expect((await remove()).status).toBe(200);
    expect([(await remove()).status, (await api.ask("GET", pathOf(productId))).status]).toEqual([404, 404]);
    expect((await api.ask("GET", `${pathOf(productId)}/stock`)).status).toBe(404);
    expect((await api.shop("PATCH", pathOf(productId), { name: "Lampe" })).status).toBe(404);
    const read = await api.ask("GET", `/api/v1/orders/${String(order.data["id"])}`, { bearer: ann });
    expect(read.data).toMatchObject({ product_id: productId, seller: "shop" });
    expect((await api.ask("GET", `/api/v1/orders/${String(order.data["id"])}`, { key: shopKey })).status).toBe(200);
    expect((await api.shop("POST", `/api/v1/sales/${saleId}/cancel`)).status).toBe(200);
    expect((await api.shop("POST", "/api/v1/sales", { product_id: productId, stock: 1, starts_at: at(60), ends_at: at(90) })).status).toBe(
      404,
    );
  });
});
