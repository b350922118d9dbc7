/**
 * What a line costs the cache's server that decides it, keeps its record and its message, and forgets the message again when
 * it is confirmed: in calls of many lines, against calls of one. Both have as many lines on their way as there are buyers;
 * so calls of one share a sync of the log with others, too, and what is left is what batching saves.
 */
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import { parseBuyerId, parseProductId, parseSaleId, type PurchaseId } from "../../src/domain/ids.ts";
import { emptyBalances } from "../../src/domain/ledger.ts";
import { parseCurrency } from "../../src/domain/money.ts";
import type { Sale } from "../../src/domain/sale.ts";
import type { Scope } from "../../src/domain/scope.ts";
import { Carrier } from "../../src/engine/queue/carrier.ts";
import type { ReserveLine } from "../../src/ports/stock-cache.ts";
import type { RedisServer } from "../../tests/harness/engines/redis.ts";
import { median } from "../machine.ts";
import { pinFamily } from "../processes.ts";
import { generatorCore } from "../wrk.ts";
import { cpuUsOfRedis } from "./redis-counts.ts";

export type CachePlan = {
  /** Lines in a call; the first is what the others are held against. */
  readonly sizes: readonly number[];
  /** Lines on their way at once, whatever the size of a call. */
  readonly crowd: number;
  readonly lines: number;
  readonly rounds: number;
  readonly say: (text: string) => void;
};
export type CacheCpu = {
  readonly size: number;
  readonly redisUs: number;
  readonly perSecond: number;
  /** CPU of a line as a share of what one in a call of its own costs in the same round. */
  readonly ofSingle: number;
};

const buyersMax = 1_000_003;
const step = 337_903;
const hourMs = 3_600_000;

export async function measureCache(redis: RedisServer, plan: CachePlan): Promise<readonly CacheCpu[]> {
  const { sizes, rounds, say } = plan;
  pinFamily(redis.pid, generatorCore);
  const done: { readonly size: number; readonly redisUs: number; readonly perSecond: number; readonly ofSingle: number }[] = [];
  await using client = await openClient(redis.url);
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    let singleUs = Number.NaN;
    for (const size of sizes) {
      const { redisUs, perSecond } = await measureSize(redis, client, { ...plan, size });
      if (Number.isNaN(singleUs)) singleUs = redisUs;
      if (round === 0) continue;
      say(
        `  ${size} a call: ${redisUs.toFixed(2)} µs of the cache's server, ${Math.round(perSecond)}/s: × ${(redisUs / singleUs).toFixed(2)}`,
      );
      done.push({ size, redisUs, perSecond, ofSingle: redisUs / singleUs });
    }
  }
  return sizes.map((size) => {
    const of = (pick: (one: (typeof done)[number]) => number) => median(done.filter((one) => one.size === size).map(pick));
    return { size, redisUs: of((one) => one.redisUs), perSecond: of((one) => one.perSecond), ofSingle: of((one) => one.ofSingle) };
  });
}

type Client = Awaited<ReturnType<typeof openClient>>;

async function openClient(url: string) {
  const [connection, bulk] = [open(url, "decide"), open(url, "load")];
  if (!(await connection.ready(5_000)) || !(await bulk.ready(5_000))) throw new Error("The cache did not answer");
  const cache = new RedisStockCache({ connection, bulk });
  const ids = new IdMint({ nowMs: Date.now, random: Math.random });
  const close = async () => {
    connection.close();
    bulk.close();
  };
  return { cache, ids, epoch: 0, nextBuyer: 0, [Symbol.asyncDispose]: close };
}

const open = (url: string, name: string) => RedisConnection.open({ url, name: `bench ${name}`, callTimeoutMs: 10_000 });

/** Each time a sale that nobody has bought in yet. */
async function measureSize(redis: RedisServer, client: Client, { size, crowd, lines }: CachePlan & { readonly size: number }) {
  const { cache } = client;
  const sale = sampleSale();
  client.epoch += 1;
  const scope: Scope = { id: sale.id, state: "open", epoch: client.epoch, feed: 0, closing: 0, partition: 0 };
  const loaded = await cache.load({ scope, sales: [{ sale, quotas: [], attempts: [], keys: [] }], units: [] });
  if (loaded.kind !== "ok") throw new Error(`The cache was not loaded: ${JSON.stringify(loaded)}`);
  await cache.drop({ scopeId: scope.id, epoch: scope.epoch });
  const calls = Array.from({ length: Math.ceil(lines / size) }, () => Array.from({ length: size }, () => newLine(client)));
  const takesAll = { isOpen: true, publish: () => Promise.resolve(true) };
  const carrier = new Carrier({ journal: takesAll, cache, tasks: new SystemTasks() });
  let next = 0;
  const caller = async () => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      const answer = await cache.reserve({ scopeId: scope.id, epoch: scope.epoch, saleId: sale.id, lines: call });
      if (answer.kind !== "ok" || answer.value.entry === undefined || answer.value.lines.length < call.length)
        throw new Error(`The cache did not accept the bench's lines: ${JSON.stringify(answer).slice(0, 500)}`);
      await carrier.carry(scope, answer.value.entry);
    }
  };
  const before = await cpuUsOfRedis(redis);
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.max(1, Math.round(crowd / size)) }, caller));
  const wallMs = performance.now() - begun;
  const count = calls.length * size;
  return { redisUs: ((await cpuUsOfRedis(redis)) - before) / count, perSecond: (count / wallMs) * 1_000 };
}

/** As buyers come: each once, with a key, in no order. */
function newLine(client: Client): ReserveLine {
  client.nextBuyer = (client.nextBuyer + step) % buyersMax;
  const buyerId = parseBuyerId(client.nextBuyer + 1);
  if (buyerId === undefined) throw new Error("A buyer's number is a positive integer");
  // Minted here, so it is a purchase's id.
  const purchaseId = client.ids.mint() as PurchaseId;
  return { purchaseId, buyerId, key: `bench-${purchaseId}`, quantity: 1 };
}

function sampleSale(): Sale {
  const [id, productId, currency] = [parseSaleId("700"), parseProductId("1001"), parseCurrency("CNY")];
  if (id === undefined || productId === undefined || currency === undefined) throw new Error("The bench's sale is legal");
  const stock = 1_000_000_000;
  const terms = { perBuyerLimit: 10_000, refundedUnitsCount: true, payWindowMs: hourMs, payExtensionsMax: 0, stock };
  const when = { startsAtMs: Date.now() - hourMs, endsAtMs: Date.now() + 24 * hourMs, createdAtMs: 0 };
  const switches = { phase: "published", paused: false, hasQuotas: false, fromInventory: false, feed: 1 } as const;
  const balances = { ...emptyBalances, issued: stock, available: stock };
  return { id, productId, seller: "shop", name: "Bench", price: { minor: 99_900, currency }, ...terms, ...when, ...switches, balances };
}
