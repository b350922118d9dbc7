/** What rounds of the opener do beside one another: large scopes, stuck queues, a store that fails for one of them, a process that stops. */
import { expect, test } from "bun:test";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { eventually, ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import { quietLog, type QueuedStack } from "../../../tests/kit/queued-stack.ts";
import { must, saleId, sampleNowMs } from "../../../tests/kit/samples.ts";
import type { SaleId } from "../../domain/ids.ts";
import { newScope } from "../../domain/scope.ts";
import { ScopeOpener, type OpenScopesDeps } from "./open-scopes.ts";

const scopeOf = (shop: QueuedShop, sale: SaleId) => must(shop.store.tables.scopes.get(sale));

/** Loading takes until it is let go on. */
function slowLoad(shop: QueuedShop, of: SaleId): () => void {
  const load = shop.redis.load.bind(shop.redis);
  const { promise, resolve } = Promise.withResolvers<void>();
  shop.redis.load = async (state) => {
    if (state.scope.id === of) await promise;
    return load(state);
  };
  return resolve;
}

async function rounds(shop: QueuedShop, round: () => Promise<unknown>, count = 12): Promise<void> {
  for (let i = 0; i < count; i++) {
    const done = round();
    await turns(2);
    await shop.time.advance(400);
    await done;
  }
}

function openerOf(
  shop: QueuedShop,
  { carrier, journal, presence }: QueuedStack,
  change: { ledger?: QueueLedger; cache?: StockCache } = {},
) {
  const deps = { ledger: shop.ledger, cache: shop.redis, carrier, journal, presence, clock: shop.time, tasks: shop.time, log: quietLog };
  return new ScopeOpener({ ...deps, ...change });
}

/** Two scopes that are to be opened, by rounds of the test's own; the epoch of the one that loads slowly while it does, and its state afterwards. */
async function openSlowly(shop: QueuedShop, round: (process: QueuedStack) => () => Promise<unknown>) {
  const api = shop.process();
  const [large, other] = [await shop.sale(api, {}, "700"), await shop.sale(api, {}, "701")];
  const goOn = slowLoad(shop, large);
  api.work.isOn = false;
  await turns(4);
  for (const scopeId of [large, other]) await shop.ledger.close({ scopeId, epoch: 1, cause: "cache_lost" });
  await api.book.refresh();
  const one = round(api);
  await rounds(shop, one);
  const { epoch } = scopeOf(shop, large);
  goOn();
  await rounds(shop, one, 2);
  return { epoch, state: scopeOf(shop, large).state };
}

/** A store that cannot be reached for the second of the scopes. */
function failing(shop: QueuedShop, of: SaleId): QueueLedger {
  return Object.assign(Object.create(shop.ledger) as QueueLedger, {
    scopes: () => shop.ledger.scopes(),
    isDrained: (id: SaleId) => shop.ledger.isDrained(id),
    opened: (ask: Parameters<QueueLedger["opened"]>[0]) => shop.ledger.opened(ask),
    cut: async (ask: Parameters<QueueLedger["cut"]>[0]) => {
      if (ask.scopeId === of) throw new StoreUnavailable("unavailable", "down, as planned");
      return shop.ledger.cut(ask);
    },
  });
}

test("[QL3] a scope that is being loaded is not cut again by the rounds that come meanwhile, whatever becomes of others", () =>
  withShop(async (shop) => {
    const seen = await openSlowly(shop, (process) => {
      const opener = openerOf(shop, process, { ledger: failing(shop, saleId("701")) });
      return () => opener.round();
    });
    expect(seen).toEqual({ epoch: 2, state: "open" });
  }));

test("[QL3] control: rounds that know nothing of one another cut a scope from under its own loading, again and again", () =>
  withShop(async (shop) => {
    const { epoch } = await openSlowly(shop, (process) => {
      // The planted bug: what is on its way is forgotten. Marks came before.
      const first = openerOf(shop, process);
      let calls = 0;
      return () => (calls++ < 3 ? first : openerOf(shop, process)).round();
    });
    expect(epoch).toBeGreaterThan(3);
  }));

test("[QM1] a scope whose queue takes no messages keeps no other from being opened", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const [stuck, other] = [await shop.sale(api, {}, "700"), await shop.sale(api, {}, "701")];
    const publish = api.journal.publish.bind(api.journal);
    const { partition } = scopeOf(shop, stuck);
    const { promise: never, resolve } = Promise.withResolvers<boolean>();
    api.journal.publish = (to, text) => (to === partition && text.includes(".opener") ? never : publish(to, text));
    for (const scopeId of [stuck, other]) await shop.ledger.close({ scopeId, epoch: 1, cause: "cache_lost" });
    await eventually(() => scopeOf(shop, other).epoch === 2 && scopeOf(shop, other).state === "open", "the other scope");
    expect(scopeOf(shop, stuck)).toMatchObject({ state: "closing", epoch: 1 });
    api.journal.publish = publish;
    resolve(false);
    await eventually(() => scopeOf(shop, stuck).state === "open", "the scope whose queue was stuck");
  }));

test("[QE6] a process that stops ends what it loads, and another opens the scope", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    api.work.isOn = false;
    await turns(4);
    const stop = new AbortController();
    const cache = Object.assign(Object.create(shop.redis) as StockCache, {
      // As a cache does that is told to stop between two pages.
      load: (_: unknown, signal?: AbortSignal) =>
        new Promise((resolve) => signal?.addEventListener("abort", () => resolve({ kind: "failed", message: "stopped" }), { once: true })),
    });
    const opener = openerOf(shop, api, { cache });
    await shop.ledger.close({ scopeId: sale, epoch: 1, cause: "operator" });
    await api.book.refresh();
    await rounds(shop, () => opener.round(undefined, stop.signal));
    expect(scopeOf(shop, sale)).toMatchObject({ state: "opening", epoch: 2 });
    stop.abort();
    await opener.idle();
    api.work.isOn = true;
    await shop.open(api, sale);
    expect(scopeOf(shop, sale)).toMatchObject({ state: "open", epoch: 3 });
  }));

test("[QE6] of many scopes those that sold last are looked at in every round, and the others in turn", async () => {
  const time = new ManualTime(sampleNowMs);
  const scopes = Array.from({ length: 40 }, (_, i) => ({ ...newScope(saleId(String(100 + i)), 1), state: "closed" as const }));
  let looked: string[] = [];
  const ledger = {
    scopes: async () => scopes,
    // There is nothing to be cut yet, and to find out takes a while.
    cut: async ({ scopeId }: { scopeId: string }) => {
      looked.push(scopeId);
      await time.sleep(100);
      return undefined;
    },
  };
  const presence = { number: 1, life: "one", unbroken: 1 };
  const opener = new ScopeOpener({ ledger, presence, clock: time, tasks: time, log: quietLog } as unknown as OpenScopesDeps);
  const first = scopes.slice(0, 5).map(({ id }) => id);
  const seen = new Set<string>();
  for (let round = 0; round < 12; round++) {
    looked = [];
    const done = opener.round();
    await turns(2);
    for (let i = 0; i < 5; i++) await time.advance(100);
    expect(await done).toBe(true);
    expect(looked.slice(0, 5)).toEqual(first);
    for (const id of looked) seen.add(id);
  }
  expect(seen.size).toBe(scopes.length);
  await opener.idle();
});
