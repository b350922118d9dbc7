/** Live push through the whole API, below the socket, with time that stands still until it is moved. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../../../tests/harness/memory-api.ts";
import { EventReader } from "../../../tests/kit/event-reader.ts";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { TokenHolder } from "../../ports/tokens.ts";
import type { HttpDeps } from "../deps.ts";

const startMs = Date.UTC(2030, 0, 1, 12);
const purchases = "/api/v1/purchases/events";
let time: ManualTime;
let api: MemoryApi;
let revoked: (holder: TokenHolder) => boolean;

async function start(change: Partial<HttpDeps> = {}): Promise<void> {
  time = new ManualTime(startMs);
  revoked = () => false;
  api = await openMemoryApi({ clock: time, tasks: time, revocations: { isRevoked: (holder) => revoked(holder) }, ...change });
}
beforeEach(() => start());
afterEach(() => api.close());

async function watch(path: string, call: Call = {}) {
  const response = await api.send("GET", path, call);
  if (response.body === null) throw new Error("no body");
  return { response, reader: new EventReader(response.body) };
}
const openSale = (fields: Record<string, unknown> = {}) => api.openSale({ nowMs: time.nowMs(), ...fields });
const stockPath = (saleId: string) => `/api/v1/sales/${saleId}/events`;
const buy = (saleId: string, bearer: string) => api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer, json: { quantity: 1 } });
const stock = (reader: EventReader) =>
  reader.named("stock").map(({ data }) => [data["answer"], data["available"], data["held"], data["sold"]]);
const metric = async (name: string) => {
  const { text } = await api.ask("GET", "/metrics", { key: shopKey });
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
};

describe("[H5] a sale's stock", () => {
  test("[LP2] is told to anybody, with the headers of a stream", async () => {
    const { saleId } = await openSale({ stock: 2 });
    const { response, reader } = await watch(stockPath(saleId));
    await turns();
    expect(response.status).toBe(200);
    const headers = Object.fromEntries(
      ["content-type", "cache-control", "x-accel-buffering"].map((name) => [name, response.headers.get(name)]),
    );
    expect(headers).toEqual({ "content-type": "text/event-stream", "cache-control": "no-store, no-transform", "x-accel-buffering": "no" });
    expect(response.headers.get("x-request-id")).toMatch(/\S/);
    expect(stock(reader)).toEqual([["on_sale", 2, 0, 0]]);
  });

  test("[B3] [LP1] tells all taken from sold out, as the refusal, the sale and its statistics do", async () => {
    const { saleId } = await openSale({ stock: 1 });
    const [ann, bob] = [await api.tokenOf("ann"), await api.tokenOf("bob")];
    const { reader } = await watch(stockPath(saleId));
    const bought = await buy(saleId, ann);
    await time.advance(1_000);
    const everywhere = async () => {
      const refused = await buy(saleId, bob);
      const sale = await api.ask("GET", `/api/v1/sales/${saleId}`);
      const statistics = await api.ask("GET", `/api/v1/sales/${saleId}/statistics`);
      return [refused.data["reason"], sale.data["answer"], statistics.data["answer"], reader.named("stock").at(-1)?.data["answer"]];
    };
    expect(await everywhere()).toEqual(["all_taken", "all_taken", "all_taken", "all_taken"]);
    const external = { provider: "external", capture_id: "till-1", amount_minor: 9900, currency: "CNY" };
    await api.shop("POST", `/api/v1/orders/${String(bought.data["id"])}/payments`, external);
    await time.advance(1_000);
    expect(await everywhere()).toEqual(["sold_out", "sold_out", "sold_out", "sold_out"]);
    expect(stock(reader)).toEqual([
      ["on_sale", 1, 0, 0],
      ["all_taken", 0, 1, 0],
      ["sold_out", 0, 0, 1],
    ]);
  });

  test("is told of a pause and of what follows", async () => {
    const { saleId } = await openSale();
    const { reader } = await watch(stockPath(saleId));
    for (const change of ["pause", "resume", "cancel"]) {
      await api.shop("POST", `/api/v1/sales/${saleId}/${change}`);
      await time.advance(1_000);
    }
    expect(reader.named("stock").map(({ data }) => data["answer"])).toEqual(["on_sale", "paused", "on_sale", "sale_cancelled"]);
  });

  test("of a draft is for its own shop's staff, for as long as they may see it", async () => {
    const product = await api.shop("POST", "/api/v1/products", { name: "Lamp", price_minor: 9900, currency: "CNY" });
    const window = { starts_at: "2030-01-01T13:00:00Z", ends_at: "2030-01-01T14:00:00Z" };
    const made = await api.shop("POST", "/api/v1/sales", { product_id: product.data["id"], stock: 3, ...window });
    const path = stockPath(String(made.data["id"]));
    expect((await api.ask("GET", path)).data["reason"]).toBe("sale_unknown");
    expect((await api.ask("GET", path, { bearer: await api.tokenOf("ann") })).data["reason"]).toBe("sale_unknown");
    expect((await api.ask("GET", path, { key: otherShopKey })).data["reason"]).toBe("sale_unknown");
    const { reader } = await watch(path, { key: shopKey });
    await turns();
    expect(reader.named("stock").map(({ data }) => data["answer"])).toEqual(["not_published"]);
  });

  test("[LP5] is told by its state's name, and not again to whoever knows it", async () => {
    const { saleId } = await openSale();
    const first = await watch(stockPath(saleId));
    await turns();
    const id = String(first.reader.events[0]?.id);
    const again = await watch(stockPath(saleId), { headers: { "last-event-id": id } });
    await turns();
    expect([again.reader.events, again.reader.comments]).toEqual([[], [": nothing new"]]);
  });

  test("of an unknown sale is 404, of a malformed id 400, to HEAD only headers", async () => {
    const { saleId } = await openSale();
    expect((await api.ask("GET", stockPath("999999"))).status).toBe(404);
    expect((await api.ask("GET", stockPath("x"))).status).toBe(400);
    const head = await api.send("HEAD", stockPath(saleId));
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, "text/event-stream", ""]);
    expect((await api.send("OPTIONS", stockPath(saleId))).headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    expect((await api.ask("POST", stockPath(saleId))).status).toBe(405);
    expect(await metric("doorbuster_streams_open")).toBe(0);
  });
});

describe("[C5] a buyer's purchases", () => {
  test("[LP9] are told to their buyer alone, from acceptance to refund", async () => {
    const { saleId } = await openSale({ stock: 5 });
    const [ann, bob] = [await api.tokenOf("ann"), await api.tokenOf("bob")];
    const [own, other] = [await watch(purchases, { bearer: ann }), await watch(purchases, { bearer: bob })];
    const { data } = await buy(saleId, ann);
    await turns();
    const id = String(data["id"]);
    const external = { provider: "external", capture_id: "till-1", amount_minor: 9900, currency: "CNY" };
    await api.shop("POST", `/api/v1/orders/${id}/payments`, external);
    await turns();
    await api.shop("POST", `/api/v1/orders/${id}/refunds`);
    await turns();
    expect(own.reader.events.map(({ event, data: told }) => [event, told["id"], told["state"], told["refunded"]])).toEqual([
      ["ready", undefined, undefined, undefined],
      ["purchase", id, "reserved", false],
      ["purchase", id, "paid", false],
      ["purchase", id, "paid", true],
    ]);
    expect(other.reader.events.map(({ event }) => event)).toEqual(["ready"]);
  });

  test("[LP9] [OR11] more time to pay is told once, however often it is asked for", async () => {
    const { saleId } = await openSale();
    const ann = await api.tokenOf("ann");
    const own = await watch(purchases, { bearer: ann });
    const { data } = await buy(saleId, ann);
    await turns();
    for (let asked = 0; asked < 3; asked++)
      await api.ask("POST", `/api/v1/orders/${String(data["id"])}/extend`, { bearer: ann, json: { pay_by: data["pay_by"] } });
    await turns();
    const told = own.reader.named("purchase").map((event) => event.data);
    expect(told.map(({ state, changed_at: changedAt }) => [state, changedAt])).toEqual(Array(2).fill(["reserved", data["accepted_at"]]));
    const deadlines = told.map(({ pay_by: payBy, hold_until: holdUntil }) => [payBy, holdUntil].map((at) => Date.parse(String(at))));
    const first = Date.parse(String(data["pay_by"]));
    expect(deadlines).toEqual([
      [first, first],
      [first + 60_000, first + 60_000],
    ]);
  });

  test("a repeat of a key is no news", async () => {
    const { saleId } = await openSale();
    const ann = await api.tokenOf("ann");
    const { reader } = await watch(purchases, { bearer: ann });
    const path = `/api/v1/sales/${saleId}/purchases`;
    for (let i = 0; i < 3; i++)
      expect((await api.ask("POST", path, { bearer: ann, idempotencyKey: "k", json: { quantity: 1 } })).status).toBe(201);
    await turns();
    expect(reader.named("purchase")).toHaveLength(1);
  });

  test("[LP5] with Last-Event-ID, what changed meanwhile is told", async () => {
    const { saleId } = await openSale({ per_buyer_limit: 3 });
    const ann = await api.tokenOf("ann");
    const first = await buy(saleId, ann);
    const before = await watch(purchases, { bearer: ann });
    await turns();
    const since = String(before.reader.named("purchase")[0]?.id);
    await before.reader.leave();
    await time.advance(10);
    await api.ask("POST", `/api/v1/purchases/${String(first.data["id"])}/cancel`, { bearer: ann });
    const fresh = await watch(purchases, { bearer: ann });
    const resumed = await watch(purchases, { bearer: ann, headers: { "last-event-id": since } });
    await turns();
    expect(fresh.reader.named("purchase")).toEqual([]);
    expect(resumed.reader.named("purchase").map(({ data }) => data["state"])).toEqual(["cancelled"]);
  });

  test("are for a server key that names the buyer, also one who has never been here", async () => {
    const { saleId } = await openSale();
    const { reader } = await watch(purchases, { key: shopKey, userId: "newcomer" });
    await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "newcomer", json: { quantity: 1 } });
    await turns();
    expect(reader.named("purchase")).toHaveLength(1);
    expect((await api.ask("GET", purchases, { key: shopKey })).status).toBe(401);
  });

  test("[LP15] of one shop's buyer are not those of another shop's buyer of the same name", async () => {
    const { saleId } = await openSale();
    const { reader } = await watch(purchases, { key: otherShopKey, userId: "ann" });
    await buy(saleId, await api.tokenOf("ann"));
    await turns();
    expect(reader.named("purchase")).toEqual([]);
  });

  test("nobody and whoever has a wrong credential is told so, and takes no place", async () => {
    for (const call of [{}, { bearer: "x" }, { key: "x" }, { headers: { cookie: "doorbuster_events=x" } }])
      expect((await api.ask("GET", purchases, call)).status).toBe(401);
    expect(await metric("doorbuster_streams_open")).toBe(0);
  });

  test("[LP14] a store that cannot read them answers 503, and gives the place back", async () => {
    const { store } = api;
    const gone = () => Promise.reject(new StoreUnavailable("unavailable", "down, as planned"));
    const records = new Proxy(store, { get: (of, name) => (name === "purchasesOf" ? gone : Reflect.get(of, name)) });
    await start({ records });
    expect((await api.ask("GET", purchases, { bearer: await api.tokenOf("ann") })).status).toBe(503);
    expect([await metric("doorbuster_streams_open"), api.changes.watched]).toEqual([0, 0]);
  });
});

describe("[LP10] a stream ends", () => {
  const lastWord = (reader: EventReader) => [reader.events.at(-1)?.event, reader.isOver];

  test("when its token's time is over", async () => {
    const { data } = await api.shop("POST", "/api/v1/tokens", { user_id: "ann", expires_in_seconds: 60 });
    const { reader } = await watch(purchases, { bearer: String(data["token"]) });
    await time.advance(59_000);
    expect(lastWord(reader)).toEqual(["ready", false]);
    await time.advance(2_000);
    expect(lastWord(reader)).toEqual(["auth_expired", true]);
  });

  test("when its token is revoked, within a second and before any further word", async () => {
    const { saleId } = await openSale();
    const ann = await api.tokenOf("ann");
    const { reader } = await watch(purchases, { bearer: ann });
    const { reader: bobs } = await watch(purchases, { bearer: await api.tokenOf("bob") });
    await turns();
    revoked = ({ buyer }) => buyer.subject === "ann";
    // The shop buys in ann's name at once; her revoked stream must not tell.
    await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "ann", json: { quantity: 1 } });
    await turns();
    expect(reader.events.map(({ event }) => event)).toEqual(["ready", "auth_expired"]);
    await time.advance(2_000);
    expect([lastWord(reader), lastWord(bobs)]).toEqual([
      ["auth_expired", true],
      ["ready", false],
    ]);
    expect((await api.ask("GET", purchases, { bearer: ann })).status).toBe(401);
  });

  test("control: a token that nobody revoked hears the same word", async () => {
    const { saleId } = await openSale();
    const { reader } = await watch(purchases, { bearer: await api.tokenOf("ann") });
    await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "ann", json: { quantity: 1 } });
    await turns();
    expect(reader.events.map(({ event }) => event)).toEqual(["ready", "purchase"]);
  });

  test("[LP13] when the server stops, and no new one opens", async () => {
    let draining = false;
    await start({ isDraining: () => draining });
    const { saleId } = await openSale();
    const readers = [await watch(stockPath(saleId)), await watch(purchases, { bearer: await api.tokenOf("ann") })];
    await turns();
    draining = true;
    const refused = await api.ask("GET", stockPath(saleId));
    expect([refused.status, refused.data["reason"], refused.headers.get("retry-after")]).toEqual([503, "draining", "1"]);
    api.app.endStreams();
    await turns();
    for (const { reader } of readers) expect(lastWord(reader)).toEqual(["draining", true]);
    expect([time.timers, api.changes.watched]).toEqual([0, 0]);
  });
});

describe("[LP11] a ticket", () => {
  const ticketOf = async (bearer: string) => {
    const made = await api.ask("POST", `${purchases}/ticket`, { bearer });
    const cookie = made.headers.get("set-cookie") ?? "";
    return { made, cookie, pair: cookie.split(";")[0] ?? "" };
  };

  test("lets EventSource in, as its buyer", async () => {
    const { saleId } = await openSale();
    const ann = await api.tokenOf("ann");
    const { made, cookie, pair } = await ticketOf(ann);
    expect([made.status, made.data]).toEqual([201, { expires_at: "2030-01-01T12:10:00.000Z" }]);
    expect(cookie).toMatch(
      /^doorbuster_events=[\w.-]+; Path=\/api\/v1\/purchases\/events; Max-Age=600; HttpOnly; SameSite=Strict; Secure$/,
    );
    const { reader } = await watch(purchases, { headers: { cookie: `a=b; ${pair}; c=d` } });
    await buy(saleId, ann);
    await turns();
    expect(reader.named("purchase")).toHaveLength(1);
  });

  test("opens no other door, and the token in its place opens none", async () => {
    const ann = await api.tokenOf("ann");
    const { pair } = await ticketOf(ann);
    const value = pair.slice(pair.indexOf("=") + 1);
    expect((await api.ask("GET", "/api/v1/purchases", { headers: { cookie: pair } })).status).toBe(401);
    expect((await api.ask("GET", "/api/v1/purchases", { bearer: value })).status).toBe(401);
    expect((await api.ask("POST", `${purchases}/ticket`, { headers: { cookie: pair } })).status).toBe(401);
    expect((await api.ask("GET", purchases, { headers: { cookie: `doorbuster_events=${ann}` } })).status).toBe(401);
  });

  test("counts only where no other credential is shown, and only once", async () => {
    const { pair } = await ticketOf(await api.tokenOf("ann"));
    expect((await api.ask("GET", purchases, { bearer: "x", headers: { cookie: pair } })).status).toBe(401);
    const { pair: other } = await ticketOf(await api.tokenOf("bob"));
    expect((await api.ask("GET", purchases, { headers: { cookie: `${pair}; ${other}` } })).status).toBe(401);
  });

  test("ends with its token: by time, also the stream it opened, and by revocation", async () => {
    const { data } = await api.shop("POST", "/api/v1/tokens", { user_id: "ann", expires_in_seconds: 60 });
    await time.advance(30_000);
    const { cookie, pair } = await ticketOf(String(data["token"]));
    expect(cookie).toContain("Max-Age=30;");
    const { reader } = await watch(purchases, { headers: { cookie: pair } });
    revoked = ({ buyer }) => buyer.subject === "ann";
    expect((await api.ask("GET", purchases, { headers: { cookie: pair } })).status).toBe(401);
    revoked = () => false;
    await time.advance(31_000);
    expect([reader.events.at(-1)?.event, reader.isOver]).toEqual(["auth_expired", true]);
    expect((await api.ask("GET", purchases, { headers: { cookie: pair } })).status).toBe(401);
  });

  test("is made for whom a server key names, for ten minutes, and for nobody else", async () => {
    const made = await api.ask("POST", `${purchases}/ticket`, { key: shopKey, userId: "ann" });
    expect([made.status, made.data["expires_at"]]).toEqual([201, "2030-01-01T12:10:00.000Z"]);
    for (const call of [{}, { key: shopKey }, { userId: "ann" }])
      expect((await api.ask("POST", `${purchases}/ticket`, call)).status).toBe(401);
  });

  test("goes over plain HTTP in development only", async () => {
    await start({ options: { environment: "development", version: "test", corsOrigins: [], shop: "shop" } });
    expect((await ticketOf(await api.tokenOf("ann"))).cookie).not.toContain("Secure");
  });
});

describe("[LP7] too many", () => {
  test("streams of a buyer: 429 with what to do, counting both kinds", async () => {
    const { saleId } = await openSale();
    const bearer = await api.tokenOf("ann");
    const open = [
      await watch(purchases, { bearer, peer: "198.51.100.1" }),
      await watch(purchases, { bearer, peer: "198.51.100.2" }),
      await watch(stockPath(saleId), { bearer, peer: "198.51.100.3" }),
    ];
    const refused = await api.ask("GET", purchases, { bearer, peer: "198.51.100.4" });
    expect([refused.status, refused.code, refused.data["reason"], refused.data["limit"]]).toEqual([429, 4291, "too_many_streams", 3]);
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(2, 11);
    await open[0]?.reader.leave();
    expect((await api.send("GET", purchases, { bearer, peer: "198.51.100.4" })).status).toBe(200);
  });

  test("[LP17] streams of one peer that writes another X-Forwarded-For each time: 50 of 700 open", async () => {
    const { saleId } = await openSale();
    const statuses = new Map<number, number>();
    for (let i = 0; i < 700; i++) {
      const { status } = await api.send("GET", stockPath(saleId), { headers: { "x-forwarded-for": `198.51.${i >> 8}.${i & 255}` } });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(statuses)).toEqual({ 200: 50, 429: 650 });
  });

  test("[LP16] behind a trusted proxy each of its clients has its own", async () => {
    const shop = { environment: "production", version: "test", corsOrigins: [], shop: "shop" } as const;
    await start({ options: { ...shop, trustedProxies: ["203.0.113.0/24"], streamsMax: 60 } });
    const { saleId } = await openSale();
    const asked = async (client: string) => (await api.send("GET", stockPath(saleId), { headers: { "x-forwarded-for": client } })).status;
    for (let i = 0; i < 50; i++) expect(await asked("198.51.100.1")).toBe(200);
    expect(await asked("198.51.100.1")).toBe(429);
    for (let i = 0; i < 10; i++) expect(await asked(`198.51.101.${i}`)).toBe(200);
    // The server's own limit.
    expect(await asked("198.51.102.1")).toBe(429);
  });
});

test("[LP14] 1,000 streams opened and closed leave nothing behind", async () => {
  const { saleId } = await openSale();
  const bearer = await api.tokenOf("ann");
  for (let i = 0; i < 500; i++) {
    const streams = await Promise.all([api.send("GET", stockPath(saleId)), api.send("GET", purchases, { bearer })]);
    for (const { body } of streams) await body?.cancel();
  }
  expect(await metric("doorbuster_streams_open")).toBe(0);
  expect([time.timers, api.changes.watched]).toEqual([0, 0]);
  expect(await metric("doorbuster_stream_frames_total")).toBe(1_000);
});
