/** Wrong requests of every kind: always 4xx with the field named, never 5xx, nothing stored, no inner detail shown. */
import { expect, test } from "bun:test";
import { apiKey } from "../../harness/server-process.ts";
import type { Answer } from "../../harness/shop.ts";
import { sendRaw } from "../raw-socket.ts";
import type { UnderTest } from "../server-under-test.ts";

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const long = (length: number) => "x".repeat(length);

/** Name, body as sent, the field that the answer must name (undefined: whatever). */
const purchaseBodies: readonly [string, string, string | undefined][] = [
  ["not JSON", "{quantity:1}", undefined],
  ["nothing", "", undefined],
  ["cut off", '{"quantity":1', undefined],
  ["two values", '{"quantity":1}{"quantity":1}', undefined],
  ["an array", "[1]", undefined],
  ["null", "null", undefined],
  ["a string", '"1"', undefined],
  ["a string for a number", '{"quantity":"1"}', "quantity"],
  ["a boolean", '{"quantity":true}', "quantity"],
  ["null for a number", '{"quantity":null}', "quantity"],
  ["zero", '{"quantity":0}', "quantity"],
  ["a negative number", '{"quantity":-1}', "quantity"],
  ["a fraction", '{"quantity":1.5}', "quantity"],
  ["a huge number", '{"quantity":1e400}', "quantity"],
  ["a number beyond exactness", '{"quantity":9007199254740993}', "quantity"],
  ["NaN", '{"quantity":NaN}', undefined],
  ["Infinity", '{"quantity":Infinity}', undefined],
  ["hexadecimal", '{"quantity":0x1}', undefined],
  ["a leading zero", '{"quantity":01}', undefined],
  ["a trailing comma", '{"quantity":1,}', undefined],
  ["a comment", '{"quantity":1/*one*/}', undefined],
  ["a duplicate field", '{"quantity":1,"quantity":2}', "quantity"],
  ["a duplicate field by escape", '{"quantity":1,"\\u0071uantity":2}', "quantity"],
  ["an unknown field", '{"quantity":1,"price":1}', "price"],
  ["__proto__", '{"quantity":1,"__proto__":{"admin":true}}', "__proto__"],
  ["__proto__ in metadata", '{"quantity":1,"metadata":{"__proto__":{"a":1}}}', undefined],
  ["constructor", '{"quantity":1,"constructor":{"prototype":{}}}', "constructor"],
  ["metadata that is no object", '{"quantity":1,"metadata":[1]}', "metadata"],
  ["metadata that is text", '{"quantity":1,"metadata":"a"}', "metadata"],
  ["metadata too large", `{"quantity":1,"metadata":{"a":"${long(1_030)}"}}`, "metadata"],
  ["deep nesting", `{"quantity":1,"metadata":{"a":${deep(500)}}}`, undefined],
  ["a bad escape", '{"quantity":1,"metadata":{"a":"\\x41"}}', undefined],
  ["a raw control character", '{"quantity":1,"metadata":{"a":"\u0001"}}', undefined],
  ["a byte order mark", '\uFEFF{"quantity":1}', undefined],
];

const saleBodies: readonly [string, Record<string, unknown>, string][] = [
  ["no stock", { stock: 0 }, "stock"],
  ["negative stock", { stock: -5 }, "stock"],
  ["fractional stock", { stock: 1.5 }, "stock"],
  ["stock without end", { stock: 1e15 }, "stock"],
  ["price zero", { price_minor: 0 }, "price_minor"],
  ["a price with a fraction", { price_minor: 99.99 }, "price_minor"],
  ["an unknown currency's form", { currency: "yuan" }, "currency"],
  ["limit zero", { per_buyer_limit: 0 }, "per_buyer_limit"],
  ["no pay window", { pay_window_seconds: 0 }, "pay_window_seconds"],
  ["an end before its start", { ends_at: "2020-01-01T00:00:00Z" }, "ends_at"],
  ["a start in the past", { starts_at: "2020-01-01T00:00:00Z" }, "starts_at"],
  ["a time without offset", { starts_at: "2030-01-01T00:00:00" }, "starts_at"],
  ["a day that does not exist", { starts_at: "2030-02-30T00:00:00Z" }, "starts_at"],
  ["a time that is a number", { starts_at: 1_900_000_000 }, "starts_at"],
  ["an overlong name", { name: long(201) }, "name"],
  ["a product id that is text", { product_id: "abc" }, "product_id"],
  ["a product id out of bounds", { product_id: "99999999999999999999" }, "product_id"],
  ["a product id with a leading zero", { product_id: "007" }, "product_id"],
  ["an unknown field", { discount: 1 }, "discount"],
];

function expectRefused(answer: Answer, field: string | undefined): void {
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.code).toBeGreaterThan(0);
  expect(typeof answer.data["todo"]).toBe("string");
  if (field !== undefined) expect(answer.data["field"]).toBe(field);
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d|SQLITE|at Object\.|SELECT /);
}

export function badInputCases({ shop, url }: UnderTest): void {
  test("bad purchase bodies: 4xx, the field named, nothing stored", async () => {
    const saleId = await shop.liveSale({ stock: 100, per_buyer_limit: 100 });
    for (const [name, raw, field] of purchaseBodies) {
      const answer = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", key: `bad-${name.replaceAll(" ", "-")}`, raw });
      try {
        expectRefused(answer, field);
      } catch (error) {
        throw new Error(`${name}: ${answer.status} ${answer.text}`, { cause: error });
      }
    }
    expect(await shop.stock(saleId)).toMatchObject({ available: 100, held: 0, sold: 0 });
  });

  test("bad UTF-8 and lone surrogates never become a purchase's metadata unnoticed", async () => {
    const saleId = await shop.liveSale({ stock: 100, per_buyer_limit: 100 });
    const bytes = Buffer.concat([Buffer.from('{"quantity":1,"metadata":{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}')]);
    const answer = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", key: "utf8", raw: new Uint8Array(bytes) });
    expectRefused(answer, undefined);
    const surrogate = await shop.post(`/api/v1/sales/${saleId}/purchases`, {
      buyer: "ann",
      key: "sur",
      raw: '{"quantity":1,"metadata":{"a":"\\ud800"}}',
    });
    expect(surrogate.status).toBeLessThan(500);
  });

  test("bad sales: 4xx, the field named, nothing stored", async () => {
    const product_id = await shop.product();
    const nowMs = Date.now();
    const good = { product_id, stock: 5, starts_at: new Date(nowMs).toISOString(), ends_at: new Date(nowMs + 3_600_000).toISOString() };
    for (const [name, fields, field] of saleBodies) {
      const answer = await shop.post("/api/v1/sales", { body: { ...good, ...fields } });
      try {
        expectRefused(answer, field);
      } catch (error) {
        throw new Error(`${name}: ${answer.status} ${answer.text}`, { cause: error });
      }
    }
    for (const name of Object.keys(good)) {
      const answer = await shop.post("/api/v1/sales", { body: { ...good, [name]: undefined } });
      expectRefused(answer, name);
    }
    expect((await shop.get(`/api/v1/sales?product_id=${product_id}`)).data["total"]).toBe(0);
    expect((await shop.post("/api/v1/sales", { body: { ...good, product_id: "424242424242" } })).reason).toBe("product_unknown");
  });

  test("sizes: 2 KiB on purchase, 64 KiB elsewhere, said before the whole body is read", async () => {
    const saleId = await shop.liveSale();
    const padded = (bytes: number) => `{"quantity":1${" ".repeat(bytes - 14)}}`;
    const large = await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", raw: padded(2_049) });
    expect([large.status, large.reason, large.data["max_bytes"]]).toEqual([413, "too_large", 2_048]);
    expect((await shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer: "ann", raw: padded(2_048) })).status).toBe(201);
    const elsewhere = await shop.post("/api/v1/products", { raw: `{"name":"${long(66_000)}"}` });
    expect([elsewhere.status, elsewhere.data["max_bytes"]]).toEqual([413, 65_536]);
  });

  test("headers: keys, buyers and media types that are no such thing", async () => {
    const saleId = await shop.liveSale();
    const path = `/api/v1/sales/${saleId}/purchases`;
    const body = { quantity: 1 };
    expectRefused(await shop.post(path, { buyer: "ann", key: long(129), body }), "Idempotency-Key");
    expectRefused(await shop.post(path, { buyer: "ann", key: "caf\u00e9", body }), "Idempotency-Key");
    expectRefused(await shop.post(path, { buyer: long(65), body }), "X-User-Id");
    expectRefused(await shop.post(path, { buyer: "a b", body }), "X-User-Id");
    const plain = await shop.post(path, { buyer: "ann", headers: { "content-type": "text/plain" }, raw: '{"quantity":1}' });
    expect([plain.status, plain.reason]).toEqual([415, "unsupported_media_type"]);
    expect(
      (await shop.post(path, { buyer: "ann", headers: { "content-type": "application/json; charset=utf-8" }, raw: '{"quantity":1}' }))
        .status,
    ).toBe(201);
    expect((await shop.post(path, { body })).status).toBeGreaterThanOrEqual(400);
  });

  test("paths: ids that are none, methods that are none, places that are none", async () => {
    for (const id of ["abc", "0", "-1", "1.0", "%00", "99999999999999999999", "1'--", long(500), "..%2f..%2fetc"]) {
      for (const path of [`/api/v1/sales/${id}`, `/api/v1/orders/${id}`, `/api/v1/purchases/${id}`, `/api/v1/products/${id}`]) {
        const answer = await shop.get(path, { buyer: "ann" });
        expect([path, answer.status === 404 || answer.status === 400]).toEqual([path, true]);
      }
      const bought = await shop.post(`/api/v1/sales/${id}/purchases`, { buyer: "ann", body: { quantity: 1 } });
      expect([id, bought.status === 404 || bought.status === 400]).toEqual([id, true]);
    }
    const missing = await shop.get("/api/v1/nothing-here");
    expect([missing.status, missing.reason]).toEqual([404, "path_unknown"]);
    const method = await shop.ask("DELETE", "/api/v1/time");
    expect([method.status, method.reason]).toEqual([405, "method_not_allowed"]);
    expect(method.headers.get("allow")).toContain("GET");
  });

  test("broken HTTP on the wire: no two answers to one request, no crash, and the next client is served", async () => {
    const saleId = await shop.liveSale({ stock: 50, per_buyer_limit: 50 });
    const head = `POST /api/v1/sales/${saleId}/purchases HTTP/1.1\r\nHost: x\r\nX-API-Key: ${apiKey}\r\nX-User-Id: raw\r\nContent-Type: application/json\r\n`;
    const inner = `GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n`;
    const broken: readonly [string, string][] = [
      ["garbage", "\u0000\u0001\u0002\u0003\r\n\r\n"],
      ["no version", "GET /\r\n\r\n"],
      ["an unknown version", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
      ["both length and chunks", `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`],
      ["two lengths", `${head}Content-Length: 14\r\nContent-Length: 40\r\n\r\n{"quantity":1}${inner}`],
      ["a negative length", `${head}Content-Length: -1\r\n\r\n${inner}`],
      ["a length with a sign", `${head}Content-Length: +14\r\n\r\n{"quantity":1}`],
      ["a length that is hexadecimal", `${head}Content-Length: 0xe\r\n\r\n{"quantity":1}`],
      ["a chunk size that is none", `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{"quantity":1}\r\n0\r\n\r\n`],
      ["an unknown coding", `${head}Transfer-Encoding: cow\r\n\r\n${inner}`],
      ["a space before the colon", `GET /api/v1/time HTTP/1.1\r\nHost : x\r\n\r\n`],
      ["a header with a NUL", `GET /api/v1/time HTTP/1.1\r\nHost: x\r\nX-A: a\u0000b\r\n\r\n`],
      ["a header without end", `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${long(100_000)}\r\n\r\n`],
      ["a path without end", `GET /${long(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ];
    for (const [name, bytes] of broken) {
      const answer = await sendRaw(url(), [bytes], 300);
      expect([name, answer.statuses.every((status) => status < 500 || status === 501 || status === 505)]).toEqual([name, true]);
      expect([name, answer.statuses.length <= 1]).toEqual([name, true]);
      expect([name, answer.statuses.some((status) => status === 201)]).toEqual([name, false]);
    }
    expect((await shop.get("/livez")).status).toBe(200);
    expect((await shop.stock(saleId))["held"]).toBe(0);
  });

  test("a body that never comes whole buys nothing; a body in pieces does", async () => {
    const saleId = await shop.liveSale({ stock: 5, per_buyer_limit: 5 });
    const head = `POST /api/v1/sales/${saleId}/purchases HTTP/1.1\r\nHost: x\r\nX-API-Key: ${apiKey}\r\nX-User-Id: slow\r\nContent-Type: application/json\r\n`;
    const cut = await sendRaw(url(), [`${head}Content-Length: 14\r\n\r\n{"quan`], 300);
    expect(cut.statuses.includes(201)).toBe(false);
    const chunked = await sendRaw(url(), [
      `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{"qua\r\n`,
      `9\r\nntity":1}\r\n0\r\n\r\n`,
    ]);
    expect(chunked.statuses).toEqual([201]);
    expect((await shop.stock(saleId))["held"]).toBe(1);
  });

  test("a pipeline gets its answers in order, each once", async () => {
    const one = "GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await sendRaw(url(), [one + one + one]);
    expect(answer.statuses).toEqual([200, 200, 200]);
  });
}
