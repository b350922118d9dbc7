/** What is too long, too deep, too many or compressed is refused in so many words, on every route that could be tried. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { sendRaw } from "../e2e/raw-socket.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { openDoorstep, type Doorstep } from "../access/personas.ts";
import { shopKey, type Call, type MemoryApi, type Told } from "../harness/memory-api.ts";
import { apiKey, ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { contracts, requestFor } from "../kit/contract-requests.ts";

afterAll(cleanUp);

let step: Doorstep;
let api: MemoryApi;
let saleId: string;
beforeAll(async () => {
  step = await openDoorstep({ kind: "anybody" });
  ({ api } = step);
  ({ saleId } = await api.openSale({ nowMs: api.time.nowMs, stock: 1_000, per_buyer_limit: 100 }));
});
afterAll(() => api.close());

const purchase = (call: Call) => api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "ann", ...call });
const whoMayAll = ["key for the owner", "key", "an account", "admin", "operator", "merchant"] as const;
/** What the first hears whom the door lets in. */
async function askAsWhoMay(method: string, path: string, call: () => Call): Promise<Told> {
  let told: Told | undefined;
  for (const persona of whoMayAll) {
    told = await api.ask(method, path, { ...step.calls[persona], ...call() });
    if (told.status !== 401 && told.status !== 403) return told;
  }
  throw new Error(`nobody may ${method} ${path}: ${told?.text}`);
}
const withBody = contracts.filter(({ body, method }) => body !== undefined && method !== "GET");
const pathOf = (contract: (typeof contracts)[number]) => requestFor(contract, ({ name }, legal) => step.params[name] ?? legal).path;
const isPurchase = (path: string) => /^\/api\/v1\/sales\/\d+\/purchases$/.test(path);

test(`[HO3] on each of the ${withBody.length} routes that take a body: 64 KiB and one byte, 2 KiB and one on the purchase, are too large`, async () => {
  for (const contract of withBody) {
    const path = pathOf(contract);
    const max = isPurchase(path) ? 2_048 : 65_536;
    // With and without the length said before.
    const text = `{"a":"${"x".repeat(max - 7)}"}`;
    const stream = () => new Blob([text]).stream();
    for (const raw of [() => text, stream]) {
      const told = await askAsWhoMay(contract.method, path, () => ({ raw: raw() }));
      expect([contract.path, told.status]).toEqual([contract.path, 413]);
      // The aliases of the purchase have its limit.
      expect([2_048, max]).toContain(Number(told.data["max_bytes"]));
    }
  }
});

test(`[HO3] on each of the ${withBody.length} routes that take a body, a compressed one is refused unread`, async () => {
  const text = Buffer.from(`{"quantity":1${" ".repeat(100)}}`);
  const codings: readonly [string, Uint8Array][] = [
    ["gzip", gzipSync(text)],
    ["br", brotliCompressSync(text)],
    ["deflate", deflateSync(text)],
    ["gzip, gzip", gzipSync(gzipSync(text))],
    ["x-gzip", gzipSync(text)],
    ["zstd", text],
    ["identity, gzip", gzipSync(text)],
  ];
  for (const contract of withBody)
    for (const [coding, bytes] of codings) {
      const call = () => ({ raw: new Uint8Array(bytes), headers: { "content-encoding": coding } });
      const told = await askAsWhoMay(contract.method, pathOf(contract), call);
      expect([contract.path, coding, told.status, told.data["field"]]).toEqual([contract.path, coding, 415, "Content-Encoding"]);
      expect(told.headers.get("accept-encoding")).toBe("identity");
    }
  expect((await purchase({ raw: text.toString(), headers: { "content-encoding": "identity" } })).status).toBe(201);
});

test("[HO3] a bomb of 60 KB that unpacks to 60 MB costs its bytes and no more", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(60_000_000, 0x20)));
  expect(bomb.length).toBeLessThan(65_536);
  const told = await api.ask("POST", "/api/v1/products", { key: shopKey, raw: bomb, headers: { "content-encoding": "gzip" } });
  expect(told.status).toBe(415);
});

const nested = (open: string, close: string, levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`;
test("[HO3] JSON nests ten levels and no deeper, in objects and lists, on each route with a body", async () => {
  for (const contract of withBody.filter(({ path }) => !path.includes("callback")))
    for (const levels of [11, 200, 900]) {
      const raw = levels > 300 ? `{"a":${nested("[", "]", levels)}}` : `{"metadata":${nested('{"a":', "}", levels)}}`;
      const told = await askAsWhoMay(contract.method, pathOf(contract), () => ({ raw }));
      expect([contract.path, levels, told.status, String(told.data["problem"])]).toEqual([
        contract.path,
        levels,
        400,
        "must nest at most 10 deep",
      ]);
    }
  expect((await purchase({ raw: `{"metadata":${nested('{"a":', "}", 9)}}` })).status).toBe(201);
  const told = await api.ask("POST", "/api/v1/products", { key: shopKey, raw: nested("[", "]", 32_000) });
  expect(told.status).toBe(400);
});

const paged = contracts.filter(({ query }) => query !== undefined && "page_size" in query.shape);
test(`[HO3] each of the ${paged.length} lists is asked by whole positive numbers within bounds, or refused with the field`, async () => {
  expect(paged.length).toBeGreaterThan(3);
  const odd = [
    "-1",
    "1.5",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "+1",
    "NaN",
    "Infinity",
    "１",
    "",
    "9".repeat(10),
    "9".repeat(400),
    "1,2",
    "null",
    "[]",
    "true",
  ];
  const tooMuch = { page: "1000001", page_size: "101", offset: "100000001", limit: "101" };
  const tooLittle = { page: "0", page_size: "0", limit: "0" };
  for (const contract of paged) {
    const base = pathOf(contract).replace(/\?.*$/, "");
    const ask = (query: string) => askAsWhoMay("GET", `${base}?${query}`, () => ({}));
    for (const name of ["page", "page_size", "offset", "limit"]) {
      for (const value of odd) {
        const told = await ask(`${name}=${encodeURIComponent(value)}`);
        expect([base, name, value, told.status, told.data["field"]]).toEqual([base, name, value, 400, name]);
      }
      expect([name, (await ask(`${name}=1&${name}=2`)).status]).toEqual([name, 400]);
    }
    for (const [name, value] of [...Object.entries(tooMuch), ...Object.entries(tooLittle)])
      expect([base, name, value, (await ask(`${name}=${value}`)).status]).toEqual([base, name, value, 400]);
    expect([base, (await ask("page=1000000&page_size=100")).status]).toEqual([base, 200]);
    expect([base, (await ask("offset=100000000&limit=100")).status]).toEqual([base, 200]);
  }
});

test("[HO3] a quantity is a whole number from 1 to the limit's bound", async () => {
  for (const quantity of ["0", "-1", "1.5", "1e400", "1e21", "-0", "9007199254740993", '"1"', "true", "null", "[1]", "{}", "100000000"])
    expect([quantity, (await purchase({ raw: `{"quantity":${quantity}}` })).status]).toEqual([quantity, 400]);
});

for (const runtime of ["bun", "node"] as const)
  describe(`through the socket, on ${runtime}`, () => {
    let server: ServerProcess;
    let path: string;
    beforeAll(async () => {
      server = await ServerProcess.start({ dataDir: tempFolder().path, runtime });
      path = `/api/v1/sales/${await new Shop(() => server.url).liveSale({ stock: 100, per_buyer_limit: 100 })}/purchases`;
    }, 30_000);
    afterAll(async () => expect(await server.stop()).toBe(0));

    const send = async (text: string) => (await sendRaw(server.url, [text], 300)).statuses;
    const get = (target: string, headers = "") => send(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    const post = (target: string, headers: string, body: string) =>
      send(
        `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ${apiKey}\r\nX-User-Id: ann\r\nContent-Type: application/json\r\n${headers}\r\n${body}`,
      );
    const chunkOf = (size: number) => `${size.toString(16)}\r\n${" ".repeat(size)}\r\n`;

    test("[HO3] headers: 64 of them and 16 KiB, then 431", async () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: a\r\n`).join("");
      expect(await get("/api/v1/time", many(60))).toEqual([200]);
      expect(await get("/api/v1/time", many(65))).toEqual([431]);
      expect(await get("/api/v1/time", many(5_000))).toEqual([431]);
      expect(await post(path, `${many(65)}Content-Length: 14\r\n`, '{"quantity":1}')).toEqual([431]);
      expect(await get("/api/v1/time", `X-A: ${"a".repeat(8_000)}\r\n`)).toEqual([200]);
      expect(await get("/api/v1/time", `X-A: ${"a".repeat(20_000)}\r\n`)).toEqual([431]);
    });

    test("[HO3] a URL of 4 KiB is read, one of 20 KiB is not", async () => {
      expect(await get(`/api/v1/sales?status=live&x=${"a".repeat(4_000)}`)).toEqual([400]);
      expect(await get(`/${"a".repeat(4_000)}`)).toEqual([404]);
      const [status] = await get(`/api/v1/sales?x=${"a".repeat(20_000)}`);
      expect([414, 431]).toContain(status ?? 0);
    });

    test("[HO3] bodies: said too long, grown too long in chunks, longer than said", async () => {
      expect(await post(path, "Content-Length: 2049\r\n", "")).toEqual([413]);
      expect(await post(path, "Transfer-Encoding: chunked\r\n", `${chunkOf(1_500)}${chunkOf(1_500)}0\r\n\r\n`)).toEqual([413]);
      expect(await post("/api/v1/products", "Transfer-Encoding: chunked\r\n", `${chunkOf(60_000)}${chunkOf(60_000)}0\r\n\r\n`)).toEqual([
        413,
      ]);
      expect((await post("/api/v1/products", "Content-Length: 99999999\r\n", "{}"))[0]).toBe(413);
      // The purchase is read to its length; what is behind it is another request's, and none. Node says so first.
      const statuses = await post(path, "Content-Length: 14\r\n", '{"quantity":1}{"quantity":1}');
      expect(["201", "201,400", "400"]).toContain(statuses.join());
    });
  });
