/** What the loops behind a cache cost while nobody buys, and that one stuck queue keeps no other sale waiting. */
import { expect, test } from "bun:test";
import { MemoryBroker, MemoryJournal } from "../adapters/memory/memory-journal.ts";
import type { QueueLedger } from "../ports/queue-ledger.ts";
import type { StockCache } from "../ports/stock-cache.ts";
import { eventually, turns } from "../../tests/kit/manual-time.ts";
import { QueuedShop, withShop } from "../../tests/kit/queued-shop.ts";
import type { QueuedStack } from "../../tests/kit/queued-stack.ts";
import { must, saleId } from "../../tests/kit/samples.ts";
import { readPartitions, runFeeder, runOpener, runReconciler, runRelay } from "./queue-workers.ts";

/** How often each of its methods was called. */
function counted<Port extends object>(port: Port, calls: Map<string, number>): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return value.apply(target, args) as unknown;
      };
    },
  });
}

async function openSales(shop: QueuedShop, process: QueuedStack, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await shop.sale(process, { perBuyerLimit: 2 }, String(800 + i));
}

test("[QE8] sales in which nothing happens are asked about all at once, and each by itself now and then", async () => {
  const salesCount = 20;
  const secondsCount = 24;
  const calls = { ledger: new Map<string, number>(), cache: new Map<string, number>() };
  const shop = new QueuedShop();
  Object.assign(shop, { ledger: counted<QueueLedger>(shop.ledger, calls.ledger), redis: counted<StockCache>(shop.redis, calls.cache) });
  try {
    const process = shop.process({ works: false });
    const opening = shop.process();
    await openSales(shop, opening, salesCount);
    opening.work.isOn = false;
    await turns(4);
    calls.ledger.clear();
    calls.cache.clear();
    const stop = new AbortController();
    const loop = (tickMs: number) => ({ tasks: shop.time, signal: stop.signal, tickMs });
    const deps = { ledger: shop.ledger, cache: shop.redis, ...process };
    const running = [
      runOpener(process, deps, loop(200)),
      runFeeder(process, loop(100)),
      runRelay(deps, loop(1_000)),
      runReconciler(process, loop(5_000)),
    ];
    for (let i = 0; i < secondsCount * 10; i++) await shop.time.advance(100);
    stop.abort();
    await Promise.all(running);
    const perSale = (name: string) => (calls.cache.get(name) ?? 0) / salesCount;
    // Of the ledger nothing is asked per sale, but when a sale is compared.
    expect([...calls.ledger.keys()].toSorted()).toEqual(["linesAside", "quotes", "salesOf", "scope", "scopes", "withParked"]);
    expect(calls.ledger.get("salesOf")).toBe(salesCount);
    for (const name of ["scope", "linesAside"]) expect(calls.ledger.get(name)).toBeLessThanOrEqual(2 * salesCount);
    expect(perSale("outbox")).toBeLessThanOrEqual(secondsCount / 4 + 2);
    expect(perSale("look")).toBeLessThanOrEqual(secondsCount / 5 + 4);
  } finally {
    await shop.close();
  }
}, 60_000);

test("[QM1] what stands in the outbox of a scope whose queue takes nothing keeps no other from being relayed", () =>
  withShop(async (shop) => {
    const process = shop.process();
    const sales = [await shop.sale(process, {}, "700"), await shop.sale(process, {}, "701")];
    const doomed = shop.process({ works: false });
    for (const sale of sales) await shop.open(doomed, sale);
    doomed.journal.fate = () => "lost";
    for (const sale of sales) void shop.buy(doomed, sale, { buyer: shop.buyer("ann"), wait: false });
    await turns(10);
    doomed.acceptance.close();
    const publish = process.journal.publish.bind(process.journal);
    const { partition } = must(shop.store.tables.scopes.get(saleId("700")));
    const { promise: never, resolve } = Promise.withResolvers<boolean>();
    process.journal.publish = (to, text) => (to === partition ? never : publish(to, text));
    const stop = new AbortController();
    const relay = runRelay(
      { ...process, ledger: shop.ledger, cache: shop.redis },
      { tasks: shop.time, signal: stop.signal, tickMs: 1_000 },
    );
    await eventually(async () => {
      await shop.time.advance(250);
      return shop.purchases().length === 1;
    }, "the line of the other scope");
    expect(shop.purchases()).toMatchObject([{ saleId: saleId("701") }]);
    process.journal.publish = publish;
    resolve(true);
    stop.abort();
    await shop.time.advance(1_000);
    await relay;
  }));

test("[QL7] a bug in what settles ends the reading, and acknowledges nothing", () =>
  withShop(async (shop) => {
    const bug = new Error("a planted bug");
    const settler = () => Object.assign(shop.process({ works: false }).settler, { handle: () => Promise.reject(bug) });
    const broker = new MemoryBroker();
    const source = new MemoryJournal(broker);
    const reading = readPartitions({ settler }, { source, partitions: 1 }, new AbortController().signal);
    await source.publish(0, "anything");
    expect(await reading.catch((error: unknown) => error)).toBe(bug);
    expect(broker.depth).toBe(1);
    source.die();
  }));
