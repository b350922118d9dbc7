/**
 * Every route under bad input of every kind, on the memory store and on SQLite, also while the store fails: no error
 * shows our insides, and nothing but a failing store makes a 5xx.
 */
import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openSqliteStore, type SqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import { openMemoryApi, shopKey, type Call, type MemoryApi } from "../harness/memory-api.ts";
import { openDoorstep } from "../access/personas.ts";
import { tempFolder } from "../harness/volumes.ts";
import { contracts, requestFor, type Place } from "../kit/contract-requests.ts";
import { leaksIn } from "./leak-patterns.ts";

const seed = process.env["SEED"] === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env["SEED"]);
const startMs = Date.UTC(2030, 0, 1, 12);

const oddTexts = [
  "",
  " ",
  "0",
  "-1",
  "1e400",
  "9".repeat(30),
  "null",
  "true",
  "\u0000",
  "\u202e",
  "字".repeat(50),
  "a".repeat(5_000),
  "..%2f..%2f",
  "' OR '1'='1",
  "${x}",
  "%",
  "%zz",
  "{}",
  "[]",
  "🦄",
];
const oddJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER, [], {}, [[]], { a: { b: 1 } }, ...oddTexts),
  fc.string({ maxLength: 40 }),
  fc.string({ maxLength: 40, unit: "binary" }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "quantity", "name"), fc.oneof(fc.integer(), fc.string({ maxLength: 5 })), { maxKeys: 3 }),
);
/** Bodies that are none. */
const oddBodies: readonly (string | Uint8Array<ArrayBuffer>)[] = [
  "",
  "{",
  "[",
  "nul",
  '"',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  '{"a":1e999}',
  '{"a":"\\ud800"}',
  "\ufeff{}",
  "{}{}",
  "a=b&c=d",
  "<a/>",
  new Uint8Array([0xff, 0xfe, 0]),
  "[".repeat(30_000),
  `{"a":"${"x".repeat(70_000)}"}`,
];
const oddHeaders: readonly Record<string, string>[] = [
  {},
  { "content-type": "text/plain" },
  { "content-type": "multipart/form-data; boundary=x" },
  { "content-type": "application/json; charset=latin1" },
  { "content-encoding": "gzip" },
  { "idempotency-key": "k".repeat(200) },
  { prefer: "respond-async", accept: "application/problem+json" },
  { accept: "application/xml" },
  { "last-event-id": "x".repeat(300) },
  { "if-match": '"x"', "if-none-match": "*" },
  { origin: "https://evil.test", cookie: "doorbuster_refresh=x; doorbuster_events=y; __proto__=z" },
  { "content-length": "99999999999999999999" },
  { "x-forwarded-for": "1.2.3.4, , ,", forwarded: 'for="[' },
];
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

type Bait = {
  readonly contract: number;
  readonly method: string | undefined;
  /** One value in so many is odd. */
  readonly oddOneIn: number;
  readonly values: readonly unknown[];
  readonly body: number | undefined;
  readonly headers: number;
  readonly caller: number;
};
const baits: fc.Arbitrary<Bait> = fc.record({
  contract: fc.nat(contracts.length - 1),
  method: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(...methods)),
  oddOneIn: fc.constantFrom(1, 2, 3, 5, 9, 99, 99),
  values: fc.array(oddJson, { minLength: 6, maxLength: 6 }),
  body: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.nat(oddBodies.length - 1)),
  headers: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(oddHeaders.length - 1)),
  caller: fc.nat(1_000),
});

type World = { readonly api: MemoryApi; readonly ids: Readonly<Record<string, string>>; readonly calls: readonly Call[] };

const strangers: readonly Call[] = [{}, { bearer: "x.y.z" }, { key: shopKey, userId: "stranger" }];

/** The same with an account of each role, and something behind each door. */
async function openPeopledWorld(): Promise<World> {
  const { api, calls, params } = await openDoorstep({ kind: "anybody" });
  return { api, ids: params, calls: [...Object.values(calls), ...strangers] };
}

/** Ids that exist stand among the odd values, or nothing would go deep. */
async function openWorld(api: MemoryApi): Promise<World> {
  const { saleId, productId } = await api.openSale({ nowMs: startMs, stock: 1_000, per_buyer_limit: 50 });
  const bearer = await api.tokenOf("ann");
  const order = String((await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer })).data["id"]);
  const calls = [{ key: shopKey }, { key: shopKey, userId: "ann" }, { bearer }, ...strangers];
  return { api, calls, ids: { sale_id: saleId, product_id: productId, order_id: order, purchase_id: order, provider: "simulated" } };
}

async function send(
  { api, ids, calls }: World,
  bait: Bait,
): Promise<{ readonly status: number; readonly shown: string; readonly what: string }> {
  const contract = contracts[bait.contract];
  if (contract === undefined) throw new Error("the bait names a route");
  let at = 0;
  const choose = (place: Place, legal: unknown) => {
    at += 1;
    return at % bait.oddOneIn === 0 ? bait.values[at % bait.values.length] : (ids[place.name] ?? legal);
  };
  const request = requestFor(contract, choose);
  const method = bait.method ?? contract.method;
  const raw = bait.body === undefined ? undefined : oddBodies[bait.body];
  const payload =
    method === "GET" || method === "HEAD" ? {} : raw === undefined ? (request.body === undefined ? {} : { json: request.body }) : { raw };
  const headers: Record<string, string> = { ...request.headers, ...oddHeaders[bait.headers] };
  for (const [name, value] of Object.entries(headers)) if (!isSendable(name, value)) delete headers[name];
  const contentType = headers["content-type"];
  const call = { ...calls[bait.caller % calls.length], ...payload, headers, ...(contentType === undefined ? {} : { contentType }) };
  const response = await api.send(method, request.path, call);
  const isStream = response.headers.get("content-type")?.includes("event-stream") === true;
  const text = isStream ? (await response.body?.cancel(), "") : await response.text();
  const shown = response.status < 400 ? "" : `${text}\n${[...response.headers].map((pair) => pair.join(": ")).join("\n")}`;
  return {
    status: response.status,
    shown,
    what: `${method} ${request.path.slice(0, 200)} as ${bait.caller} with ${JSON.stringify(payload).slice(0, 300)}`,
  };
}

function isSendable(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return true;
  } catch {
    return false;
  }
}

type Tally = { requests: number; errors: number; failures: number; readonly statuses: Set<number> };

/** Sends so many; gives what they showed, as far as they showed anything, and what failed without a reason. */
async function fuzz(
  world: World,
  runs: number,
  mayFail: boolean,
  shownBy = (shown: string) => shown,
): Promise<{ readonly problems: string[]; readonly tally: Tally }> {
  const problems: string[] = [];
  const tally: Tally = { requests: 0, errors: 0, failures: 0, statuses: new Set() };
  const baitList = fc.sample(baits, { seed, numRuns: runs });
  for (let i = 0; i < baitList.length; i += 16)
    await Promise.all(
      baitList.slice(i, i + 16).map(async (bait) => {
        const { status, shown, what } = await send(world, bait);
        tally.requests += 1;
        tally.statuses.add(status);
        if (status >= 400) tally.errors += 1;
        if (status >= 500) tally.failures += 1;
        if (status >= 500 && !mayFail) problems.push(`${status} to ${what} (SEED=${seed})`);
        for (const leak of leaksIn(shownBy(shown))) problems.push(`${leak} from ${what} (SEED=${seed})`);
      }),
    );
  return { problems, tally };
}

const requestsMemory = 20_000;
const requestsSqlite = 2_000;

test(`[HO6] ${requestsMemory} requests of every kind to ${contracts.length} routes on the memory store: 0 errors show our insides, 0 are 5xx`, async () => {
  const world = await openPeopledWorld();
  const { problems, tally } = await fuzz(world, requestsMemory, false);
  await world.api.close();
  expect(problems.slice(0, 5)).toEqual([]);
  expect(tally.requests).toBe(requestsMemory);
  // It went deep as well as being turned away at the door.
  for (const status of [200, 201, 400, 401, 404, 405, 409, 413, 415, 422])
    expect([status, tally.statuses.has(status)]).toEqual([status, true]);
}, 120_000);

/** A store that fails in the words that failing stores use. */
function moody<Store extends object>(store: Store, fails: () => boolean): Store {
  const words = [
    () => new StoreUnavailable("unavailable", "SQLITE_IOERR: disk I/O error in /data/shop.db while INSERT INTO purchases"),
    () => new StoreUnavailable("unknown", "the writer did not answer at Writer.call (src/adapters/sql/worker-client.ts:42:7)"),
    () => Object.assign(new Error("UNIQUE constraint failed: purchases.key; SELECT id FROM purchases"), { code: "SQLITE_CONSTRAINT" }),
    () => new TypeError("Cannot read properties of undefined (reading 'rows') at /srv/shop/src/adapters/sql/rows.ts:10"),
  ];
  let turn = 0;
  return new Proxy(store, {
    get(target, name) {
      // Whatever it is, it is called with its owner.
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) =>
        fails() ? Promise.reject((words[turn++ % words.length] as () => Error)()) : value.apply(target, given);
    },
  });
}

describe("on SQLite", () => {
  async function openSqlite(
    fails: () => boolean,
    patienceMs = 5_000,
  ): Promise<{ world: World; store: SqliteStore; release: () => Promise<void> }> {
    const folder = tempFolder();
    const store = await openSqliteStore({ dataDir: folder.path, callTimeoutMs: 5_000 });
    const openedMs = performance.now();
    const clock = { nowMs: () => startMs + performance.now() - openedMs };
    const tasks = new SystemTasks();
    const records = moody(store.records, fails);
    const catalogue = moody(store.catalogue, fails);
    const board = new SaleBoard(
      { records, clock, entropy: { random: () => 0.5, secret: () => "x" } },
      { salesMax: 1000, buyersMax: 100_000 },
    );
    const acceptance = new DirectAcceptance(
      { ledger: store.ledger, board, clock, tasks },
      { batchMax: 100, queueMax: 1000, answerTimeoutMs: patienceMs },
    );
    const api = await openMemoryApi({ records, catalogue, board, acceptance, clock, tasks, exports: store.exports });
    const release = async () => {
      await api.close();
      acceptance.close();
      await store.close().catch(() => undefined);
      rmSync(folder.path, { recursive: true, force: true });
    };
    return { world: await openWorld(api), store, release };
  }

  test(`[HO6] ${requestsSqlite} requests on SQLite: 0 errors show our insides, 0 are 5xx`, async () => {
    const { world, release } = await openSqlite(() => false);
    const { problems, tally } = await fuzz(world, requestsSqlite, false);
    await release();
    expect(problems.slice(0, 5)).toEqual([]);
    expect(tally.requests).toBe(requestsSqlite);
  }, 120_000);

  test(`[HO6] ${requestsSqlite} requests while every third call of SQLite fails: failures, and 0 errors show our insides`, async () => {
    let calls = 0;
    let failing = false;
    const { world, release } = await openSqlite(() => failing && ++calls % 3 === 0);
    failing = true;
    const { problems, tally } = await fuzz(world, requestsSqlite, true);
    failing = false;
    await release();
    expect(problems.slice(0, 5)).toEqual([]);
    expect(tally.failures).toBeGreaterThan(50);
    for (const status of [500, 503]) expect([status, tally.statuses.has(status)]).toEqual([status, true]);
    expect(
      world.api.logged.some(({ fields }) => String((fields?.["err"] as Error | undefined)?.message).includes("UNIQUE constraint")),
    ).toBe(true);
  }, 120_000);

  test("[HO6] 300 requests after the store has closed: failures, and 0 errors show our insides", async () => {
    const { world, store, release } = await openSqlite(() => false, 500);
    await store.close();
    const { problems, tally } = await fuzz(world, 300, true);
    await release();
    expect(problems.slice(0, 5)).toEqual([]);
    expect(tally.failures).toBeGreaterThan(10);
  }, 120_000);
});

describe("controls", () => {
  test("[HO6] a server that shows what it logs is found out", async () => {
    let calls = 0;
    let failing = false;
    const store = new MemoryStore();
    const world = await openWorld(await openMemoryApi({ store, records: moody(store, () => failing && ++calls % 3 === 0) }));
    failing = true;
    const told = () =>
      world.api.logged.flatMap(({ fields }) => (fields?.["err"] instanceof Error ? [fields["err"].stack] : [])).at(-1) ?? "";
    const { problems } = await fuzz(world, 1_000, true, (shown) => `${shown}\n${told()}`);
    expect(problems.length).toBeGreaterThan(10);
    await world.api.close();
  }, 60_000);

  test("[HO6] a crash in a handler is found out as an unexpected 5xx", async () => {
    const world = await openWorld(await openMemoryApi());
    const planted = { ...world, api: { ...world.api, send: async () => new Response("{}", { status: 500 }) } };
    expect((await fuzz(planted, 10, false)).problems.length).toBe(10);
    await world.api.close();
  });

  test.each([
    ["at Writer.call (src/x)", "a stack frame"],
    ["see /srv/shop/x.db", "a path"],
    ["UNIQUE constraint failed: a.b", "the database's words"],
    ["SELECT id FROM a", "SQL"],
    ["TypeError: x", "a class"],
    ["in node_modules/hono", "a package"],
    ["[object Object]", "a runtime's words"],
  ])("[HO6] the search finds %s", (text, what) => expect(leaksIn(`{"message":"${text}"}`).join()).toContain(what));
});
