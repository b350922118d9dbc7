import { expect, test } from "bun:test";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import { parseAdjustmentId, type BuyerId } from "../domain/ids.ts";
import type { CommittedChange } from "../ports/change-feed.ts";
import type { Records } from "../ports/records.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { internNow, storeWith, takeBy } from "../../tests/kit/live-sale.ts";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { must, saleId, sampleNowMs } from "../../tests/kit/samples.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { ChangeBoard } from "./change-board.ts";
import { ChangeFollower } from "./follow-changes.ts";
import { SaleBoard } from "./sale-board.ts";

const one = saleId("11");
let adjustments = 500;

/** One process beside another, which commits to `store` behind its back and tells by the feed. */
async function beside() {
  const store = storeWith([[one, { stock: 5 }]], new MemoryStore({ batchesAcrossSales: false }));
  const ann = internNow(store, "ann");
  const time = new ManualTime(sampleNowMs);
  const faults = { failing: 0, stale: false };
  const first = must(store.tables.sales.get(one));
  const answer = async <Value>(value: () => Value | Promise<Value>): Promise<Value> => {
    if (faults.failing-- > 0) throw new StoreUnavailable("unavailable", "a planted failure");
    return value();
  };
  const records: Records = Object.assign(Object.create(store) as Records, {
    sale: () => answer(() => (faults.stale ? first : store.tables.sales.get(one))),
    purchasesOf: (...ask: Parameters<Records["purchasesOf"]>) => answer(() => store.purchasesOf(...ask)),
  });
  const changes = new ChangeBoard({ tasks: time, log: { error: (message) => expect(message).toBe("") } });
  const told: CommittedChange[] = [];
  const changeFeed = { next: async () => told.splice(0), buyersBetween: async () => undefined };
  const shared = { feed: changeFeed, leaseMs: 100, edgeMs: 240 };
  const board = new SaleBoard({ records, clock: time, entropy: new SeededEntropy(1), changes }, { salesMax: 9, buyersMax: 99, shared });
  const commit = (buyers: readonly BuyerId[], ...movements: Parameters<MemoryStore["commitNow"]>[0]["groups"][number]["movements"]) => {
    store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements }] });
    told.push({ saleId: one, feed: must(store.tables.sales.get(one)).feed, buyers });
  };
  const adjust = (units: number) =>
    commit([], { kind: "adjust", adjustmentId: must(parseAdjustmentId(String(++adjustments))), units, reason: "found", actor: "one" });
  const heard = { stock: [] as number[], purchases: [] as string[] };
  await board.load(one);
  changes.watchSale(one, (sale) => heard.stock.push(sale.balances.available));
  changes.watchPurchases(ann, (purchase) => heard.purchases.push(purchase.state));
  const follower = new ChangeFollower({ changeFeed, records, board, changes });
  const round = async () => {
    const count = await follower.round().catch((error: unknown) => (error instanceof StoreUnavailable ? error.code : String(error)));
    await turns(2);
    return count;
  };
  return { ann, board, commit, adjust, faults, heard, round };
}

test("[LP2] [LP9] listeners hear what another process committed, the board whom it accepted", async () => {
  const { ann, board, commit, heard, round } = await beside();
  commit([ann], takeBy(ann));
  expect(await round()).toBe(1);
  expect(heard).toEqual({ stock: [4], purchases: ["reserved"] });
  expect(board.peek(one)?.buyers.has(ann)).toBe(true);
  expect(await round()).toBe(0);
  expect(heard).toEqual({ stock: [4], purchases: ["reserved"] });
});

test("[LP2] [LP9] what the store could not say is owed: the next round asks again, though the feed tells nothing more", async () => {
  const { ann, commit, faults, heard, round } = await beside();
  commit([ann], takeBy(ann));
  faults.failing = 2;
  expect(await round()).toBe("unavailable");
  expect(await round()).toBe("unavailable");
  expect(heard).toEqual({ stock: [], purchases: [] });
  expect(await round()).toBe(0);
  expect(heard).toEqual({ stock: [4], purchases: ["reserved"] });
});

test("[LP2] a copy from before the commit that was heard of is not told for it", async () => {
  const { adjust, faults, heard, round } = await beside();
  adjust(3);
  faults.stale = true;
  await round();
  expect(heard.stock).toEqual([]);
  faults.stale = false;
  await round();
  expect(heard.stock).toEqual([8]);
});
