import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../../tests/harness/memory-api.ts";
import { msgBeside } from "./seeds/with-msg.ts";

let api: MemoryApi;
const opened: MemoryApi[] = [];
const open = async (environment: "development" | "production") => {
  api = await openMemoryApi({ options: { environment, version: "test", corsOrigins: [], shop: "shop" } });
  opened.push(api);
};
beforeEach(() => open("development"));
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

const base = "/api/v1/seckill";
const local: Call = { peer: "127.0.0.1", host: "localhost:8083" };
const warm = {
  product_id: 1001,
  product_name: "Test Product",
  price: 99.99,
  stock: 100,
  start_time: "2024-01-01T10:00:00Z",
  end_time: "2024-01-01T12:00:00Z",
  status: "active",
};
const coming = { ...warm, start_time: "2030-01-01T12:00:00Z", end_time: "2030-01-01T13:00:00Z" };
const order = { product_id: 1001, user_id: 2001, quantity: 1 };
const prewarm = (json: object = warm, call: Call = local) => api.ask("POST", `${base}/activity/prewarm`, { ...call, json });
const buy = (json: object = order, call: Call = local) => api.ask("POST", `${base}/purchase`, { ...call, json });

type Example = { method: string; path: string; headers: Record<string, string>; raw: string | undefined };

/** The requests that the page shows, as a shell would send them. */
function examplesOf(page: string): Example[] {
  const blocks = [...page.matchAll(/```(http|bash)\n([\s\S]*?)```/g)];
  return blocks.flatMap(([, kind, text = ""]) =>
    kind === "http"
      ? [httpExample(text)]
      : text
          .replaceAll("\\\n", " ")
          .split("\n")
          .filter((line) => line.startsWith("curl"))
          .map(curlExample),
  );
}
function httpExample(text: string): Example {
  const [head = "", raw] = text.split("\n\n");
  const [line = "", ...headers] = head.trim().split("\n");
  const [method = "", path = ""] = line.split(" ");
  return { method, path, headers: Object.fromEntries(headers.map((header) => header.split(": "))), raw };
}
function curlExample(line: string): Example {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? "");
  const after = (flag: string) => words[words.indexOf(flag) + 1] ?? "";
  const url = words.find((word) => word.startsWith("http://")) ?? "";
  const [name = "", value = ""] = words.includes("-H") ? after("-H").split(": ") : [];
  return {
    method: words.includes("-X") ? after("-X") : "GET",
    path: url.replace("http://localhost:8083", ""),
    headers: name === "" ? {} : { [name]: value },
    raw: words.includes("-d") ? after("-d") : undefined,
  };
}

describe("the examples of the page", () => {
  const examples = examplesOf(readFileSync(join(import.meta.dirname, "../../docs/seckill-paths.md"), "utf8"));

  test("are all there", () =>
    expect(examples.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${base}/activity/prewarm`,
      `POST ${base}/purchase`,
      `POST ${base}/purchase/async`,
      `POST ${base}/activity/prewarm`,
      `POST ${base}/purchase`,
      "GET /api/v1/system/stats",
      "GET /health",
    ]));

  test("[H3] run as they stand on a fresh server, in the README's order of trying out", async () => {
    const expected = [201, 201, 409, 201, 409, 200, 200];
    const statuses: number[] = [];
    for (const { method, path, headers, raw } of examples) statuses.push((await api.ask(method, path, { ...local, headers, raw })).status);
    // The same buyer again is refused: one unit each, as that service has it.
    expect(statuses).toEqual(expected);
  });

  test("the two curl lines alone, too", async () => {
    const curls = examples.slice(3, 5);
    const statuses: number[] = [];
    for (const { method, path, headers, raw } of curls) statuses.push((await api.ask(method, path, { ...local, headers, raw })).status);
    expect(statuses).toEqual([201, 201]);
  });
});

describe("prewarm", () => {
  test("makes product, sale and stock, with the ids and digits given", async () => {
    const told = await prewarm({ ...coming, price: 8999.1 });
    expect(told.status).toBe(201);
    expect(told.data).toMatchObject({
      product_id: "1001",
      name: "Test Product",
      status: "live",
      price_minor: 899910,
      currency: "CNY",
      stock: { available: 100 },
      warnings: [],
    });
    expect((await api.ask("GET", "/api/v1/products/1001")).data).toMatchObject({ id: "1001", name: "Test Product", seller: "shop" });
  });

  test("takes the price digit by digit", async () => {
    const raw = (price: string) => ({ ...local, raw: JSON.stringify(coming).replace("99.99", price) });
    const ask = (price: string) => api.ask("POST", `${base}/activity/prewarm`, raw(price));
    expect((await ask("0.29")).data["price_minor"]).toBe(29);
    expect((await ask("8999.00")).data["price_minor"]).toBe(899_900);
    expect((await ask('"1.1"')).data["price_minor"]).toBe(110);
    const refused = async (price: string, status: number) => {
      const told = await ask(price);
      expect([price, told.status, told.data["field"]]).toEqual([price, status, "price"]);
    };
    for (const price of ["-1", "1e3", '"x"', '""', "true", "null"]) await refused(price, 400);
    // A price, and finer than the currency.
    for (const price of ["0.291", "99.9900000000000001"]) await refused(price, 422);
    expect((await ask("0")).data["field"]).toBe("price");
  });

  test("twice, also at once, gives one sale", async () => {
    for (const fields of [coming, warm]) {
      await open("development");
      const [first, second] = await Promise.all([prewarm(fields), prewarm(fields)]);
      api.time.nowMs += 5_000;
      const third = await prewarm(fields);
      expect([second.data["id"], third.data["id"], third.status]).toEqual([first.data["id"], first.data["id"], 200]);
      expect((await api.ask("GET", "/api/v1/sales?product_id=1001", { key: shopKey })).data["total"]).toBe(1);
    }
  });

  test("with other fields is another sale, and the product keeps its own", async () => {
    const first = await prewarm(coming);
    const second = await prewarm({ ...coming, product_name: "Renamed", price: 1 });
    expect(second.data["id"]).not.toBe(first.data["id"]);
    expect(second.data).toMatchObject({ name: "Renamed", price_minor: 100, warnings: [expect.stringContaining("keeps them")] });
    expect((await api.ask("GET", "/api/v1/products/1001")).data).toMatchObject({ name: "Test Product", price_minor: 9999 });
  });

  test("moves a past window to now with the same length, and says so", async () => {
    const told = await prewarm();
    expect(told.data).toMatchObject({ status: "live", starts_at: "2030-01-01T12:00:00.000Z", ends_at: "2030-01-01T14:00:00.000Z" });
    expect(told.data["warnings"]).toEqual([expect.stringContaining("2030-01-01T12:00:00.000Z until 2030-01-01T14:00:00.000Z")]);
    api.time.nowMs += 7_200_000;
    const later = await prewarm();
    expect([later.status, later.data["id"] === told.data["id"], later.data["status"]]).toEqual([201, false, "live"]);
  });

  test("in production refuses a past window and a caller without a key", async () => {
    await open("production");
    expect((await prewarm(coming)).status).toBe(401);
    const past = await prewarm(warm, { key: shopKey });
    expect([past.status, past.data["field"]]).toEqual([422, "start_time"]);
    expect((await prewarm(coming, { key: shopKey })).status).toBe(201);
    expect((await prewarm(coming, { bearer: await api.tokenOf("2001") })).status).toBe(403);
  });
});

describe("purchase", () => {
  beforeEach(() => prewarm());

  test("is made for the buyer named, once with one key", async () => {
    const first = await buy(order, { ...local, idempotencyKey: "k" });
    expect([first.status, first.data["product_id"], first.data["state"]]).toEqual([201, "1001", "reserved"]);
    const again = await buy(order, { ...local, idempotencyKey: "k" });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect((await api.ask("GET", "/api/v1/orders", { key: shopKey, userId: "2001" })).data["total"]).toBe(1);
    expect((await buy()).data["reason"]).toBe("limit_reached");
    expect((await api.ask("POST", `${base}/purchase/async`, { ...local, json: { ...order, user_id: "2002" } })).status).toBe(201);
  });

  test("answers the bytes of the canonical route", async () => {
    const told = await buy(order, { ...local, idempotencyKey: "k" });
    const canonical = await api.ask("POST", `/api/v1/sales/${String(told.data["sale_id"])}/purchases`, {
      key: shopKey,
      userId: "2001",
      idempotencyKey: "k",
    });
    expect(canonical.text).toBe(told.text);
  });

  const elsewhere: Record<string, Call> = {
    "another peer": { ...local, peer: "192.168.1.7" },
    "another peer in IPv6": { ...local, peer: "::ffff:10.0.0.1" },
    "no peer": { ...local, peer: "" },
    "another host": { ...local, host: "shop.example" },
    "a rebound name": { ...local, headers: { host: "localhost.evil.example" } },
    "X-Forwarded-For": { ...local, headers: { "x-forwarded-for": "127.0.0.1" } },
    "X-Forwarded-Proto": { ...local, headers: { "x-forwarded-proto": "https" } },
    Forwarded: { ...local, headers: { forwarded: "for=127.0.0.1" } },
    Via: { ...local, headers: { via: "1.1 proxy" } },
    "X-Real-IP": { ...local, headers: { "x-real-ip": "127.0.0.1" } },
    "another origin": { ...local, headers: { origin: "https://evil.example" } },
    "another port's origin": { ...local, headers: { origin: "http://localhost:3000" } },
    "no one's origin": { ...local, headers: { origin: "null" } },
    "another site": { ...local, headers: { "sec-fetch-site": "cross-site" } },
    "X-User-Id alone from elsewhere": { userId: "2001" },
  };
  test.each(Object.keys(elsewhere))("without a credential is refused to: %s", async (name) => {
    expect((await buy(order, elsewhere[name])).status).toBe(401);
    expect((await prewarm(warm, elsewhere[name])).status).toBe(401);
    expect((await api.ask("GET", `${base}/purchased/1001/2001`, elsewhere[name])).status).toBe(401);
  });

  test.each([
    ["127.0.0.1", "127.0.0.1:8083"],
    ["::1", "[::1]:8083"],
    ["::ffff:127.0.0.1", "localhost"],
    ["127.9.9.9", "localhost:1"],
  ])("without a credential is allowed from %s at %s", async (peer, host) =>
    expect((await buy(order, { peer, host, headers: { origin: `http://${host}` } })).status).toBe(201),
  );

  test("by a credential is for whom it speaks, in production as in development", async () => {
    for (const environment of ["development", "production"] as const) {
      await open(environment);
      await prewarm(coming, { key: shopKey });
      const bearer = await api.tokenOf("2001");
      expect((await buy(order, local)).status).toBe(environment === "development" ? 201 : 401);
      expect((await buy({ ...order, user_id: 2002 }, { bearer })).status).toBe(403);
      expect((await buy({ ...order, user_id: 2003 }, { key: shopKey })).status).toBe(201);
      expect((await buy({ ...order, user_id: 2004 }, { key: shopKey, userId: "2005" })).status).toBe(400);
      expect((await buy({ ...order, user_id: 2006 }, { ...local, key: "wrong" })).status).toBe(401);
      const own = await buy(order, { bearer });
      expect(own.status).toBe(environment === "development" ? 409 : 201);
      expect((await api.ask("GET", `${base}/purchased/1001/2001`, { bearer })).data["purchased"]).toBe(true);
      expect((await api.ask("GET", `${base}/purchased/1001/2003`, { bearer })).status).toBe(403);
    }
  });

  test.each([
    [{ product_id: 1001.5 }, 400, "product_id"],
    [{ product_id: -1 }, 400, "product_id"],
    [{ product_id: "x" }, 400, "product_id"],
    [{ product_id: null }, 400, "product_id"],
    [{ user_id: "" }, 400, "user_id"],
    [{ user_id: {} }, 400, "user_id"],
    [{ user_id: "x".repeat(65) }, 400, "user_id"],
    [{ user_id: undefined }, 400, "user_id"],
    [{ quantity: 0 }, 400, "quantity"],
    [{ quantity: -1 }, 400, "quantity"],
    [{ quantity: 1.5 }, 400, "quantity"],
    [{ quantity: "1" }, 400, "quantity"],
    [{ colour: "red" }, 400, "colour"],
    [{ product_id: 77 }, 404, "product_id"],
  ])("bad input %j is %p and names %p", async (change, status, field) => {
    const told = await buy({ ...order, ...change });
    expect([told.status, told.data["field"]]).toEqual([status, field]);
  });

  test("a product without a sale, or none at all", async () => {
    await api.shop("POST", "/api/v1/products", { id: "5", name: "Idle", price_minor: 1, currency: "CNY" });
    for (const [id, reason] of [
      ["5", "sale_unknown"],
      ["6", "product_unknown"],
    ]) {
      expect((await buy({ ...order, product_id: Number(id) })).data["reason"]).toBe(reason);
      expect((await api.ask("GET", `${base}/stats/${id}`, local)).data["reason"]).toBe(reason);
    }
  });
});

describe("opening in one call", () => {
  const lamp = { name: "Lamp", price: 9.9, stock: 3 };
  const create = (json: object, call: Call = {}) => api.ask("POST", "/products", { key: shopKey, json, ...call });
  const salesOf = async (id: unknown) => (await api.ask("GET", `/api/v1/sales?product_id=${String(id)}`)).data["total"];

  test("[A2] the same submission twice under a key makes one product and one sale, at whatever time it comes", async () => {
    await open("production");
    const first = await create(lamp, { idempotencyKey: "k" });
    api.time.nowMs += 5_000;
    const again = await create(lamp, { idempotencyKey: "k" });
    expect([first.status, again.status, again.data["id"]]).toEqual([201, 200, first.data["id"]]);
    expect(await salesOf(first.data["id"])).toBe(1);
    const other = await create({ ...lamp, price: 5 }, { idempotencyKey: "k" });
    expect([other.status, other.data["reason"]]).toEqual([422, "key_reused"]);
    const another = await create(lamp);
    expect(another.data["id"]).not.toBe(first.data["id"]);
    const activity = { name: "Lamp", price: 9.9, stock: 3, startTime: "2030-01-01T13:00:00Z", endTime: "2030-01-01T14:00:00Z" };
    const made = await api.ask("POST", "/api/activities", { key: shopKey, idempotencyKey: "a", json: activity });
    const repeat = await api.ask("POST", "/api/activities", { key: shopKey, idempotencyKey: "a", json: activity });
    expect([made.status, repeat.status, repeat.data["id"]]).toEqual([201, 200, made.data["id"]]);
  });

  test("[A2] an id does the same, with or without its start; without stock there is a product alone, in the list like the others", async () => {
    await open("production");
    for (const fields of [{}, { start_time: "2030-01-01T13:00:00Z" }, { end_time: "2030-01-02T13:00:00Z" }]) {
      const id = 500 + Object.keys(fields).join("").length;
      const statuses = [(await create({ id, ...lamp, ...fields })).status, (await create({ id, ...lamp, ...fields })).status];
      expect([statuses, await salesOf(id)]).toEqual([[201, 200], 1]);
    }
    const plain = await create({ id: 900, name: "Shade", price: 1 });
    expect([plain.status, plain.data["stock"], await salesOf(900)]).toEqual([201, null, 0]);
    expect((await create({ id: 900, name: "Shade", price: 1 })).status).toBe(200);
    const { data } = await api.ask("GET", "/products?sort=price,asc&offset=0&limit=1");
    expect(data).toMatchObject({ total: 4, items: [{ id: "900", price: 1 }] });
  });

  test("[E3] takes the right to make products and the right to sell them", async () => {
    for (const [scopes, alone, withStock] of [
      [["products:write"], 201, 403],
      [["sales:write"], 403, 403],
      [["products:write", "sales:write"], 201, 201],
    ] as const) {
      const access = { merchant: "shop", permissions: new Set(scopes) };
      const narrow = await openMemoryApi({ serverKeys: { check: () => ({ id: "narrow", issuer: "shop", access }) } });
      opened.push(narrow);
      const statusOf = async (path: string, json: object) => (await narrow.ask("POST", path, { key: "any", json })).status;
      expect(await statusOf("/products", { name: "Lamp", price: 1 })).toBe(alone);
      expect(await statusOf("/products", lamp)).toBe(withStock);
      expect(await statusOf(`${base}/activity/prewarm`, coming)).toBe(withStock);
    }
  });
});

describe("another shop", () => {
  const theirs: Call = { key: otherShopKey };
  const mine: Call = { key: shopKey };

  test("[E2] cannot open sales of this shop's products, nor see what this shop's product is", async () => {
    await open("production");
    expect((await prewarm(coming, mine)).status).toBe(201);
    const { product_id, product_name: name, start_time, end_time, price, stock } = coming;
    const calls = [
      await prewarm(coming, theirs),
      await api.ask("POST", "/api/activities", { ...theirs, json: { product_id, name, price, stock, start_time, end_time } }),
      await api.ask("POST", "/products", { ...theirs, json: { id: product_id, name, price, stock, start_time, end_time } }),
      await api.ask("POST", "/products", { ...theirs, json: { id: product_id, name, price } }),
    ];
    for (const told of calls) expect([told.status, told.data["reason"]]).toEqual([409, "product_exists"]);
    const fields = calls.map(({ data }) => data["field"]);
    expect(fields).toEqual(["product_id", "product_id", "id", "id"]);
    expect((await api.ask("GET", "/api/v1/sales?product_id=1001")).data["total"]).toBe(1);
  });

  test("[E3] names buyers of its own by the ids that this shop uses, and sees nothing of this shop's", async () => {
    await open("production");
    await prewarm(coming, mine);
    const bought = await buy(order, mine);
    expect(bought.status).toBe(201);
    const id = String(bought.data["id"]);
    for (const path of [`/api/orders/${id}`, `/orders/${id}`, `/seckill/${id}`])
      expect([(await api.ask("GET", path, mine)).status, (await api.ask("GET", path, theirs)).status]).toEqual([200, 404]);
    expect((await api.ask("GET", `${base}/purchased/1001/2001`, theirs)).data["purchased"]).toBe(false);
    expect((await api.ask("GET", "/api/orders/user/2001", theirs)).data["total"]).toBe(0);
    expect((await api.ask("GET", "/orders?user_id=2001", theirs)).data["total"]).toBe(0);
    expect((await api.ask("POST", `/orders/${id}/pay`, theirs)).status).toBe(404);
  });

  test("[E3] a key that may not name buyers names none on these paths", async () => {
    const access = { merchant: "shop", permissions: new Set(["orders:read", "sales:write"] as const) };
    const serverKeys = { check: () => ({ id: "narrow", issuer: "shop", access }) };
    const narrow = await openMemoryApi({ serverKeys });
    opened.push(narrow);
    for (const [method, path, json] of [
      ["POST", `${base}/purchase`, order],
      ["GET", `${base}/purchased/1001/2001`],
      ["GET", "/api/orders/user/2001"],
      ["GET", "/orders?user_id=2001"],
      ["POST", "/seckill", order],
      ["POST", "/api/seckill/1", { user_id: 2001 }],
      ["POST", "/products", { name: "Lamp", price: 1 }],
    ] as const) {
      const told = await narrow.ask(method, path, { key: "any", json });
      expect([path, told.status]).toEqual([path, 403]);
    }
    expect((await narrow.ask("GET", "/orders", { key: "any", userId: "2001" })).status).toBe(403);
  });
});

describe("msg", () => {
  test.each([
    ['{"code":0,"message":"OK","data":{}}', '{"code":0,"message":"OK","msg":"OK","data":{}}'],
    [
      '{"code":4000,"message":"a \\"b\\\\","data":{"message":"x"}}',
      '{"code":4000,"message":"a \\"b\\\\","msg":"a \\"b\\\\","data":{"message":"x"}}',
    ],
    ["", ""],
    ["# HELP", "# HELP"],
  ])("%s becomes %s", (body, expected) => expect(msgBeside({ status: 200, body }).body).toBe(expected));
});

describe("look-ups", () => {
  test("statistics and has purchased", async () => {
    const { data: sale } = await prewarm();
    const has = async () => (await api.ask("GET", `${base}/purchased/1001/2001`, local)).data;
    expect(await has()).toEqual({
      product_id: "1001",
      user_id: "2001",
      sale_id: sale["id"],
      purchased: false,
      quantity: 0,
      purchase_ids: [],
    });
    const { data } = await buy();
    expect(await has()).toMatchObject({ purchased: true, quantity: 1, purchase_ids: [data["id"]] });
    expect((await api.ask("GET", `${base}/stats/1001`)).data).toMatchObject({
      sale_id: sale["id"],
      status: "live",
      buyers: 1,
      purchases: { reserved: 1 },
    });
    await api.shop("POST", `/api/v1/orders/${String(data["id"])}/cancel`);
    expect(await has()).toMatchObject({ purchased: false, quantity: 0 });
    for (const path of [`${base}/stats/x`, `${base}/purchased/x/1`, `${base}/purchased/1001/a%20b`])
      expect((await api.ask("GET", path, local)).status).toBe(400);
  });
});

describe("a key, while the product's current sale changes", () => {
  const key: Call = { key: shopKey, idempotencyKey: "k" };
  const openSaleOf = async (productId: string, seconds: { startsIn: number; endsIn: number }) => {
    const at = (inSeconds: number) => new Date(api.time.nowMs + inSeconds * 1000).toISOString();
    const window = { starts_at: at(seconds.startsIn), ends_at: at(seconds.endsIn) };
    const sale = await api.shop("POST", "/api/v1/sales", { product_id: productId, stock: 5, ...window });
    expect((await api.shop("POST", `/api/v1/sales/${String(sale.data["id"])}/publish`)).status).toBe(200);
  };

  test("[I8] accepted in a sale that has ended since, it gets its answer and not the next sale's refusal", async () => {
    const { productId } = await api.openSale({ nowMs: api.time.nowMs, endsIn: 60 });
    const first = await buy({ product_id: productId, user_id: "ann" }, key);
    expect(first.status).toBe(201);
    await openSaleOf(productId, { startsIn: 600, endsIn: 1200 });
    api.time.nowMs += 120_000;
    expect((await buy({ product_id: productId, user_id: "bob" }, key)).data).toMatchObject({ reason: "not_started" });
    const again = await buy({ product_id: productId, user_id: "ann" }, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    const other = await buy({ product_id: productId, user_id: "ann", quantity: 2 }, key);
    expect([other.status, other.data["reason"]]).toEqual([422, "key_reused"]);
  });

  test("[I8] accepted in a sale that another one overtakes, it buys nothing there", async () => {
    const { productId } = await api.openSale({ nowMs: api.time.nowMs, endsIn: 600 });
    const first = await buy({ product_id: productId, user_id: "ann" }, key);
    await openSaleOf(productId, { startsIn: 0, endsIn: 60 });
    expect((await buy({ product_id: productId, user_id: "ann" }, key)).text).toBe(first.text);
    const fresh = await buy({ product_id: productId, user_id: "ann" }, { ...key, idempotencyKey: "another" });
    expect(fresh.status).toBe(201);
    expect(fresh.data["sale_id"]).not.toBe(first.data["sale_id"]);
  });
});
