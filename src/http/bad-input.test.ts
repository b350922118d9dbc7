/** Whatever a caller sends: 4xx with the field named, never 5xx, nothing stored. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openMemoryApi, shopKey, type Call, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
let ids: { saleId: string; productId: string; orderId: string };
let bearer: string;

beforeAll(async () => {
  api = await openMemoryApi();
  const sale = await api.openSale({ nowMs: api.time.nowMs, stock: 100, per_buyer_limit: 100 });
  bearer = await api.tokenOf("ann");
  const order = await api.ask("POST", `/api/v1/sales/${sale.saleId}/purchases`, { bearer });
  ids = { ...sale, orderId: String(order.data["id"]) };
});
afterAll(() => api.close());

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const inPath = (path: string) => path.replace(":sale", ids.saleId).replace(":product", ids.productId).replace(":order", ids.orderId);
const windowed = (change: Record<string, unknown>) => ({
  product_id: ids.productId,
  stock: 1,
  starts_at: "2030-06-01T00:00:00Z",
  ends_at: "2030-06-02T00:00:00Z",
  ...change,
});

async function expectRefused(method: string, path: string, call: Call, status: number, field: string | undefined): Promise<void> {
  const before = JSON.stringify(snapshot());
  const told = await api.ask(method, inPath(path), call);
  expect([told.status, told.data["field"]]).toEqual([status, field]);
  expect(told.code).toBeGreaterThan(0);
  expect(told.data["todo"]).toBeString();
  expect(told.headers.get("x-request-id")).toBeString();
  if (status === 400) expect(told.data["problem"]).toBeString();
  expect(JSON.stringify(snapshot())).toBe(before);
}

function snapshot() {
  const rows: Record<string, unknown> = {};
  for (const [name, table] of Object.entries(api.store.tables))
    rows[name] = Symbol.iterator in Object(table) ? [...(table as Iterable<unknown>)] : table;
  return rows;
}

const purchasePath = "/api/v1/sales/:sale/purchases";
type Bad = readonly [what: string, call: Omit<Call, "bearer">, status: number, field: string];

const badPurchases: readonly Bad[] = [
  ["no JSON", { raw: "{" }, 400, "body"],
  ["words", { raw: "quantity=1" }, 400, "body"],
  ["NaN", { raw: '{"quantity":NaN}' }, 400, "body"],
  ["Infinity", { raw: '{"quantity":Infinity}' }, 400, "body"],
  ["hexadecimal", { raw: '{"quantity":0x1}' }, 400, "body"],
  ["a trailing comma", { raw: '{"quantity":1,}' }, 400, "body"],
  ["a comment", { raw: '{"quantity":1}//' }, 400, "body"],
  ["two documents", { raw: '{"quantity":1}{}' }, 400, "body"],
  ["nothing, declared as JSON", { raw: "" }, 400, "body"],
  ["a byte order mark", { raw: '\ufeff{"quantity":1}' }, 400, "body"],
  ["a byte order mark, with its length", { raw: '\ufeff{"quantity":1}', headers: { "content-length": "17" } }, 400, "body"],
  ["only whitespace", { raw: "  " }, 400, "body"],
  ["a NUL", { raw: '{"quantity":1}\0' }, 400, "body"],
  ["a list", { raw: "[]" }, 400, "body"],
  ["null", { raw: "null" }, 400, "body"],
  ["a number", { raw: "1" }, 400, "body"],
  ["a string", { raw: '"quantity"' }, 400, "body"],
  ["quantity zero", { json: { quantity: 0 } }, 400, "quantity"],
  ["quantity minus zero", { raw: '{"quantity":-0}' }, 400, "quantity"],
  ["quantity negative", { json: { quantity: -1 } }, 400, "quantity"],
  ["quantity fractional", { json: { quantity: 1.5 } }, 400, "quantity"],
  ["quantity barely fractional", { raw: '{"quantity":1.0000000001}' }, 400, "quantity"],
  ["quantity a fraction that a double rounds up", { raw: '{"quantity":0.99999999999999999}' }, 400, "quantity"],
  ["quantity a fraction that a double rounds down", { raw: '{"quantity":1.00000000000000000001}' }, 400, "quantity"],
  ["quantity as text", { json: { quantity: "1" } }, 400, "quantity"],
  ["quantity null", { json: { quantity: null } }, 400, "quantity"],
  ["quantity true", { json: { quantity: true } }, 400, "quantity"],
  ["quantity a list", { json: { quantity: [1] } }, 400, "quantity"],
  ["quantity an object", { json: { quantity: {} } }, 400, "quantity"],
  ["quantity beyond the limit", { json: { quantity: 1_000_001 } }, 400, "quantity"],
  ["quantity beyond exact integers", { raw: '{"quantity":9007199254740993}' }, 400, "quantity"],
  ["quantity 1e400", { raw: '{"quantity":1e400}' }, 400, "quantity"],
  ["quantity -1e400", { raw: '{"quantity":-1e400}' }, 400, "quantity"],
  ["quantity 1e308", { raw: '{"quantity":1e308}' }, 400, "quantity"],
  ["an unknown field", { json: { quantity: 1, colour: "red" } }, 400, "colour"],
  ["a field in other letters", { json: { Quantity: 1 } }, 400, "Quantity"],
  ["somebody else's name", { json: { quantity: 1, user_id: "bob" } }, 400, "user_id"],
  ["a duplicate key", { raw: '{"quantity":1,"quantity":2}' }, 400, "quantity"],
  ["an escaped duplicate key", { raw: '{"quantity":1,"quantit\\u0079":2}' }, 400, "quantity"],
  ["a nested duplicate key", { raw: '{"metadata":{"a":1,"a":2}}' }, 400, "metadata.a"],
  ["__proto__", { raw: '{"__proto__":{"quantity":1}}' }, 400, "__proto__"],
  ["nested __proto__", { raw: '{"metadata":{"__proto__":{}}}' }, 400, "metadata.__proto__"],
  ["constructor", { raw: '{"constructor":{"prototype":{}}}' }, 400, "constructor"],
  ["nested constructor", { raw: '{"metadata":{"a":[{"constructor":1}]}}' }, 400, "metadata.a[0].constructor"],
  ["metadata null", { json: { metadata: null } }, 400, "metadata"],
  ["metadata a list", { json: { metadata: [] } }, 400, "metadata"],
  ["metadata text", { json: { metadata: "x" } }, 400, "metadata"],
  ["metadata overlong", { json: { metadata: { a: "x".repeat(1100) } } }, 400, "metadata"],
  ["metadata overlong in bytes", { json: { metadata: { a: "秒".repeat(400) } } }, 400, "metadata"],
  ["metadata too deep", { raw: `{"metadata":${deep(11)}}` }, 400, "metadata.a.a.a.a.a.a.a.a.a"],
  ["metadata with 1e400", { raw: '{"metadata":{"a":1e400}}' }, 400, "metadata.a"],
  ["metadata with a lone surrogate", { raw: '{"metadata":{"a":"\\ud800"}}' }, 400, "metadata.a"],
  ["metadata with a lone surrogate in a name", { raw: '{"metadata":{"\\udc00":1}}' }, 400, "metadata.\ufffd"],
  ["text/plain", { raw: '{"quantity":1}', contentType: "text/plain" }, 415, "Content-Type"],
  ["a form", { raw: "quantity=1", contentType: "application/x-www-form-urlencoded" }, 415, "Content-Type"],
  ["another charset", { raw: '{"quantity":1}', contentType: "application/json; charset=gbk" }, 415, "Content-Type"],
  ["no content type", { raw: '{"quantity":1}', contentType: null }, 415, "Content-Type"],
  ["a body over 2 KiB", { raw: `{"quantity":1${" ".repeat(2048)}}` }, 413, "body"],
  ["a declared length over 2 KiB", { raw: "{}", headers: { "content-length": "2049" } }, 413, "body"],
  ["a declared length that is none", { raw: "{}", headers: { "content-length": "x" } }, 413, "body"],
  ["an empty key", { headers: { "idempotency-key": "" } }, 400, "Idempotency-Key"],
  ["a key of 129 characters", { idempotencyKey: "k".repeat(129) }, 400, "Idempotency-Key"],
  ["a key beyond ASCII", { idempotencyKey: "schl\u00fcssel" }, 400, "Idempotency-Key"],
  ["a key with a tab", { idempotencyKey: "a\tb" }, 400, "Idempotency-Key"],
];

describe("purchase", () => {
  test.each(badPurchases)("%s", (_, call, status, field) => expectRefused("POST", purchasePath, { ...call, bearer }, status, field));

  test("a body over 2 KiB without Content-Length is cut off where it passes the limit", async () => {
    let sent = 0;
    const raw = new ReadableStream({
      pull(controller) {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
    });
    await expectRefused("POST", purchasePath, { bearer, raw }, 413, "body");
    expect(sent).toBeLessThan(64 * 1024);
  });

  test("bytes that are not UTF-8", () =>
    expectRefused("POST", purchasePath, { bearer, raw: new Uint8Array([0x7b, 0x22, 0xff, 0xfe]) }, 400, "body"));

  test.each(["0", "abc", "-1", "1.5", "01", "9223372036854775808", "99999999999999999999", "1e3", "%00", "１", "1%20", "x".repeat(2000)])(
    "sale id %p",
    (id) => expectRefused("POST", `/api/v1/sales/${id}/purchases`, { bearer }, 400, "sale_id"),
  );
  test("a sale that does not exist", () => expectRefused("POST", "/api/v1/sales/12345/purchases", { bearer }, 404, "sale_id"));

  test("the control: the same request with nothing wrong is accepted, and seen in the store", async () => {
    const before = JSON.stringify(snapshot());
    expect((await api.ask("POST", inPath(purchasePath), { bearer, json: { quantity: 1, metadata: { a: 1 } } })).status).toBe(201);
    expect(
      (await api.ask("POST", inPath(purchasePath), { bearer, raw: "{}", contentType: "Application/JSON; charset=UTF-8" })).status,
    ).toBe(201);
    expect(JSON.stringify(snapshot())).not.toBe(before);
  });
});

const key = shopKey;
const product = { name: "Lamp", price_minor: 100, currency: "CNY" };
const bads: readonly (readonly [what: string, method: string, path: string, call: () => Call, status: number, field: string])[] = [
  ["a body over 64 KiB", "POST", "/api/v1/products", () => ({ key, json: { ...product, name: "x".repeat(65_536) } }), 413, "body"],
  ["a product without a name", "POST", "/api/v1/products", () => ({ key, json: { price_minor: 1, currency: "CNY" } }), 400, "name"],
  ["no body where one is needed", "POST", "/api/v1/products", () => ({ key }), 400, "name"],
  ["a product with an unknown field", "POST", "/api/v1/products", () => ({ key, json: { ...product, stock: 1 } }), 400, "stock"],
  ["a product with an empty name", "POST", "/api/v1/products", () => ({ key, json: { ...product, name: "" } }), 422, "name"],
  [
    "a product with an overlong name",
    "POST",
    "/api/v1/products",
    () => ({ key, json: { ...product, name: "x".repeat(201) } }),
    422,
    "name",
  ],
  ["a product named by spaces", "POST", "/api/v1/products", () => ({ key, json: { ...product, name: "  " } }), 422, "name"],
  ["a seller with a NUL", "POST", "/api/v1/products", () => ({ key, json: { ...product, seller: "a\0" } }), 403, "seller"],
  ["a price as decimal", "POST", "/api/v1/products", () => ({ key, json: { ...product, price_minor: 1.5 } }), 400, "price_minor"],
  ["a price as text", "POST", "/api/v1/products", () => ({ key, json: { ...product, price_minor: "100" } }), 400, "price_minor"],
  ["a price of nothing", "POST", "/api/v1/products", () => ({ key, json: { ...product, price_minor: 0 } }), 422, "price_minor"],
  ["a price beyond all", "POST", "/api/v1/products", () => ({ key, json: { ...product, price_minor: 1e15 } }), 422, "price_minor"],
  ["a price of 1e400", "POST", "/api/v1/products", () => ({ key, raw: '{"price_minor":1e400}' }), 400, "price_minor"],
  ["a currency in small letters", "POST", "/api/v1/products", () => ({ key, json: { ...product, currency: "cny" } }), 400, "currency"],
  ["an id as number", "POST", "/api/v1/products", () => ({ key, json: { ...product, id: 7 } }), 400, "id"],
  ["an id of letters", "POST", "/api/v1/products", () => ({ key, json: { ...product, id: "x" } }), 400, "id"],
  [
    "an image that is a script",
    "POST",
    "/api/v1/products",
    () => ({ key, json: { ...product, image: "javascript:alert(1)" } }),
    422,
    "image",
  ],
  ["a taken id with other fields", "POST", "/api/v1/products", () => ({ key, json: { ...product, id: ids.productId } }), 409, "id"],
  ["a product's bad id", "GET", "/api/v1/products/x", () => ({}), 400, "product_id"],
  ["an unknown product", "GET", "/api/v1/products/77", () => ({}), 404, "product_id"],
  ["a quota for nobody", "PUT", "/api/v1/products/:product/quotas/a%20b", () => ({ key, json: { units: 1 } }), 400, "user_id"],
  ["a negative quota", "PUT", "/api/v1/products/:product/quotas/ann", () => ({ key, json: { units: -1 } }), 422, "units"],
  ["a fractional quota", "PUT", "/api/v1/products/:product/quotas/ann", () => ({ key, json: { units: 0.5 } }), 400, "units"],
  ["a quota of an unknown product", "PUT", "/api/v1/products/77/quotas/ann", () => ({ key, json: { units: 1 } }), 404, "product_id"],
  ["a sale of an unknown product", "POST", "/api/v1/sales", () => ({ key, json: windowed({ product_id: "77" }) }), 404, "product_id"],
  ["a sale without stock", "POST", "/api/v1/sales", () => ({ key, json: windowed({ stock: 0 }) }), 422, "stock"],
  ["a sale with fractional stock", "POST", "/api/v1/sales", () => ({ key, json: windowed({ stock: 1.5 }) }), 400, "stock"],
  ["a sale in the past", "POST", "/api/v1/sales", () => ({ key, json: windowed({ starts_at: "2020-01-01T00:00:00Z" }) }), 422, "starts_at"],
  [
    "a sale that ends before it starts",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ ends_at: "2030-05-01T00:00:00Z" }) }),
    422,
    "ends_at",
  ],
  [
    "a time without offset",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ starts_at: "2030-06-01T00:00:00" }) }),
    400,
    "starts_at",
  ],
  [
    "a date that does not exist",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ starts_at: "2030-02-30T00:00:00Z" }) }),
    400,
    "starts_at",
  ],
  ["a time as number", "POST", "/api/v1/sales", () => ({ key, json: windowed({ starts_at: 1893456000 }) }), 400, "starts_at"],
  ["a limit of zero", "POST", "/api/v1/sales", () => ({ key, json: windowed({ per_buyer_limit: 0 }) }), 422, "per_buyer_limit"],
  [
    "a switch that is no boolean",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ refunded_units_count: "no" }) }),
    400,
    "refunded_units_count",
  ],
  [
    "an overlong limit group",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ limit_group: "x".repeat(65) }) }),
    422,
    "limit_group",
  ],
  [
    "a pay window of no time",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({ pay_window_seconds: 0 }) }),
    422,
    "pay_window_seconds",
  ],
  [
    "a sale under a bad key",
    "POST",
    "/api/v1/sales",
    () => ({ key, json: windowed({}), idempotencyKey: "x".repeat(200) }),
    400,
    "Idempotency-Key",
  ],
  ["publishing with a body", "POST", "/api/v1/sales/:sale/publish", () => ({ key, json: { now: true } }), 400, "now"],
  ["publishing an unknown sale", "POST", "/api/v1/sales/77/publish", () => ({ key }), 404, "sale_id"],
  [
    "extending to an earlier end",
    "POST",
    "/api/v1/sales/:sale/extend",
    () => ({ key, json: { ends_at: "2030-01-01T12:30:00Z" } }),
    422,
    "ends_at",
  ],
  ["extending without an end", "POST", "/api/v1/sales/:sale/extend", () => ({ key, json: {} }), 400, "ends_at"],
  ["a sale's bad id", "GET", "/api/v1/sales/x", () => ({}), 400, "sale_id"],
  ["an unknown sale", "GET", "/api/v1/sales/77", () => ({}), 404, "sale_id"],
  ["statistics of an unknown sale", "GET", "/api/v1/sales/77/statistics", () => ({}), 404, "sale_id"],
  ["page zero", "GET", "/api/v1/sales?page=0", () => ({}), 400, "page"],
  ["page minus one", "GET", "/api/v1/sales?page=-1", () => ({}), 400, "page"],
  ["a page of words", "GET", "/api/v1/sales?page=two", () => ({}), 400, "page"],
  ["a page beyond all", "GET", "/api/v1/sales?page=99999999999999999999", () => ({}), 400, "page"],
  ["page size 101", "GET", "/api/v1/sales?page_size=101", () => ({}), 400, "page_size"],
  ["page size zero", "GET", "/api/v1/sales?page_size=0", () => ({}), 400, "page_size"],
  ["an unknown status", "GET", "/api/v1/sales?status=open", () => ({}), 400, "status"],
  ["a filter by a bad id", "GET", "/api/v1/sales?product_id=x", () => ({}), 400, "product_id"],
  ["an unknown filter", "GET", "/api/v1/sales?colour=red", () => ({}), 400, "colour"],
  ["a filter given twice", "GET", "/api/v1/sales?page=1&page=2", () => ({}), 400, "page"],
  ["__proto__ as a filter", "GET", "/api/v1/sales?__proto__=1", () => ({}), 400, "__proto__"],
  ["an unknown state", "GET", "/api/v1/orders?state=open", () => ({ bearer }), 400, "state"],
  ["a bad sale in a filter", "GET", "/api/v1/purchases?sale_id=0", () => ({ bearer }), 400, "sale_id"],
  ["a purchase's bad id", "GET", "/api/v1/purchases/x", () => ({ bearer }), 400, "purchase_id"],
  ["an unknown purchase", "GET", "/api/v1/purchases/77", () => ({ bearer }), 404, "purchase_id"],
  ["an order's bad id", "GET", "/api/v1/orders/-5", () => ({ bearer }), 400, "order_id"],
  ["an unknown order", "POST", "/api/v1/orders/77/cancel", () => ({ bearer }), 404, "order_id"],
  ["an unknown key", "GET", "/api/v1/sales/:sale/purchases/by-key/none", () => ({ bearer }), 404, "key"],
  ["an overlong key", "GET", `/api/v1/sales/:sale/purchases/by-key/${"k".repeat(129)}`, () => ({ bearer }), 400, "key"],
  ["a token for nobody", "POST", "/api/v1/tokens", () => ({ key, json: { user_id: "" } }), 400, "user_id"],
  ["a token for a name with a line break", "POST", "/api/v1/tokens", () => ({ key, json: { user_id: "a\nb" } }), 400, "user_id"],
  ["a token for an overlong name", "POST", "/api/v1/tokens", () => ({ key, json: { user_id: "x".repeat(65) } }), 400, "user_id"],
  [
    "a token for two hours",
    "POST",
    "/api/v1/tokens",
    () => ({ key, json: { user_id: "a", expires_in_seconds: 7200 } }),
    422,
    "expires_in_seconds",
  ],
  ["an unknown scenario", "POST", "/api/v1/orders/:order/payments", () => ({ bearer, json: { scenario: "steal" } }), 400, "scenario"],
  ["a payment of an unknown order", "POST", "/api/v1/orders/77/payments", () => ({ bearer, json: {} }), 404, "order_id"],
  [
    "an external payment of a wrong amount",
    "POST",
    "/api/v1/orders/:order/payments",
    () => ({ key, json: { provider: "external", capture_id: "c", amount_minor: 1, currency: "CNY" } }),
    422,
    "amount_minor",
  ],
  [
    "an external payment without a capture",
    "POST",
    "/api/v1/orders/:order/payments",
    () => ({ key, json: { provider: "external", amount_minor: 9900, currency: "CNY" } }),
    400,
    "capture_id",
  ],
  ["a payment by another provider", "POST", "/api/v1/orders/:order/payments", () => ({ key, json: { provider: "bank" } }), 400, "provider"],
  ["a refund with a word", "POST", "/api/v1/orders/:order/refunds", () => ({ key, json: { return_stock: "yes" } }), 400, "return_stock"],
  ["a callback of an unknown provider", "POST", "/api/v1/payments/callback/bank", () => ({ raw: "{}" }), 404, "provider"],
  ["an acting name with a space", "GET", "/api/v1/orders", () => ({ key, userId: "a b" }), 400, "X-User-Id"],
];

describe("what is wrong is said, not only where", () => {
  const rows: readonly (readonly [what: string, change: Record<string, unknown>, field: string, problem: string])[] = [
    ["a field left out", { name: undefined }, "name", "is required"],
    ["null for a text", { name: null }, "name", "must be a string"],
    ["a number for a text", { name: 7 }, "name", "must be a string"],
    ["a text for an integer", { price_minor: "100" }, "price_minor", "must be a number"],
    ["a fraction for an integer", { price_minor: 1.5 }, "price_minor", "must be an integer"],
    ["a list for a currency", { currency: ["CNY"] }, "currency", "must be a string"],
  ];
  test.each(rows)("%s", async (_, change, field, problem) => {
    const told = await api.ask("POST", "/api/v1/products", { key, json: { ...product, ...change } });
    expect([told.status, told.data["field"], told.data["problem"]]).toEqual([400, field, problem]);
  });
});

describe("elsewhere", () => {
  test.each(bads)("%s", (_, method, path, call, status, field) => expectRefused(method, path, call(), status, field));

  test("any text at all as a body is answered below 500", async () => {
    const paths = [
      purchasePath,
      "/api/v1/products",
      "/api/v1/sales",
      "/api/v1/tokens",
      "/api/v1/orders/:order/payments",
      "/api/v1/sales/:sale/extend",
    ];
    const shaped = fc.dictionary(
      fc.constantFrom(
        "quantity",
        "metadata",
        "name",
        "price_minor",
        "currency",
        "product_id",
        "stock",
        "user_id",
        "ends_at",
        "scenario",
        "provider",
      ),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.oneof(
          fc.string(),
          fc.json(),
          shaped.map((value) => JSON.stringify(value)),
        ),
        async (path, raw) => {
          const call = path === purchasePath ? { bearer, raw } : { key, raw };
          expect((await api.ask("POST", inPath(path), call)).status).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("any path is answered below 500", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"), fc.webPath(), async (method, path) => {
        expect((await api.ask(method, `/api/v1${path}`, { key })).status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });

  test("nothing of it was a failure of ours", () => expect(api.logged.filter(({ level }) => level === "error")).toEqual([]));
});
