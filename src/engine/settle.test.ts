import { expect, test } from "bun:test";
import { ManualTime } from "../../tests/kit/manual-time.ts";
import { must, productId, saleId, sampleEndMs, sampleNowMs } from "../../tests/kit/samples.ts";
import { storeWith } from "../../tests/kit/live-sale.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { IdMint } from "../domain/id-mint.ts";
import type { SaleId } from "../domain/ids.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { runSettler } from "../worker/settler.ts";
import { DirectAcceptance } from "./accept-direct.ts";
import { ProductCache } from "./product-cache.ts";
import { SaleBoard } from "./sale-board.ts";
import { settleDue, settlementsMax } from "./settle.ts";

const idOf = (number: number): SaleId => saleId(String(1_000 + number));

function world(sales: number) {
  const time = new ManualTime(Date.UTC(2030, 0, 1));
  const store = storeWith(Array.from({ length: sales }, (_, i) => [idOf(i), { stock: 3 }] as const));
  const entropy = new SeededEntropy(1);
  const board = new SaleBoard({ records: store, clock: time, entropy }, { salesMax: 1_000, buyersMax: 10 });
  const options = { batchMax: 64, queueMax: 1_000, answerTimeoutMs: 1_000 };
  const accepting = () => new DirectAcceptance({ ledger: store, board, clock: time, tasks: time }, options);
  const acceptance = accepting();
  const products = new ProductCache({ records: store, clock: time, entropy });
  const ids = new IdMint({ nowMs: () => time.nowMs(), random: () => entropy.random() });
  return { time, store, accepting, deps: { records: store, acceptance, clock: time, ids, products } };
}

test("[ST13] sales are settled a bounded number at a time, each once, until none is left", async () => {
  const { store, deps } = world(settlementsMax + 20);
  expect(await settleDue(deps)).toEqual({ due: settlementsMax, settled: settlementsMax, units: 3 * settlementsMax });
  const [first, second] = await Promise.all([settleDue(deps), settleDue(deps)]);
  expect([first.due, second.due, first.settled + second.settled, first.units + second.units]).toEqual([20, 20, 20, 60]);
  expect(await settleDue(deps)).toEqual({ due: 0, settled: 0, units: 0 });
  for (const { balances } of store.tables.sales.values()) expect(balances).toMatchObject({ available: 0, withdrawn: 3 });
  expect(store.tables.adjustments.size).toBe(settlementsMax + 20);
});

test("[ST13] what goes on is left alone, and what was not tried comes again with the next round", async () => {
  const { store, deps, accepting } = world(1);
  const live = { ...deps, clock: { nowMs: () => sampleNowMs } };
  expect(await settleDue(live)).toMatchObject({ due: 0 });
  const stopping = accepting();
  await stopping.drain();
  expect(await settleDue({ ...deps, acceptance: stopping })).toEqual({ due: 1, settled: 0, units: 0 });
  expect(await settleDue({ ...deps, clock: { nowMs: () => sampleEndMs } })).toMatchObject({ settled: 1 });
  expect(must(store.tables.sales.get(idOf(0))).settledAtMs).toBeDefined();
});

test("[ST13] the settler goes on when the store did not answer, and counts what it did", async () => {
  const { time, store, deps } = world(settlementsMax + 1);
  let fails = 2;
  const records = new Proxy(store, {
    get: (target, name) => {
      if (name === "salesToSettle" && fails-- > 0) throw new StoreUnavailable("unavailable", "down");
      return Reflect.get(target, name) as unknown;
    },
  });
  const stop = new AbortController();
  const counts = { settled: 0, units: 0 };
  const running = runSettler({ ...deps, records }, { tasks: time, signal: stop.signal, tickMs: 10 }, counts);
  for (let i = 0; i < 50 && counts.settled <= settlementsMax; i++) await time.advance(50);
  expect(counts).toEqual({ settled: settlementsMax + 1, units: 3 * (settlementsMax + 1) });
  stop.abort();
  await time.advance(50);
  await running;
  expect((await store.products({ ids: [productId()] }, { offset: 0, limit: 1 })).items[0]?.inventory).toBe(null);
});
