import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import type { ChangeSink } from "../ports/changes.ts";
import { internNow, storeWith, takeBy } from "../../tests/kit/live-sale.ts";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { must, saleId, sampleNowMs, samplePurchase, sampleSale } from "../../tests/kit/samples.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { DirectAcceptance } from "./accept-direct.ts";
import { ChangeBoard } from "./change-board.ts";
import { SaleBoard } from "./sale-board.ts";

const failures: unknown[] = [];
afterEach(() => void failures.splice(0));

function board() {
  const time = new ManualTime(sampleNowMs);
  const changes = new ChangeBoard({ tasks: time, log: { error: (_, fields) => void failures.push(fields?.["err"]) } });
  return { time, changes };
}

describe("telling", () => {
  test("[LP12] waits for a later turn, and of a sale's copies in one turn only the newest is told", async () => {
    const { changes } = board();
    const heard: number[] = [];
    changes.watchSale(saleId(), (sale) => heard.push(sale.feed));
    for (const feed of [2, 3, 4]) changes.saleChanged(sampleSale({ feed }));
    expect(heard).toEqual([]);
    await turns(2);
    expect(heard).toEqual([4]);
  });

  test("keeps every purchase, in order", async () => {
    const { changes } = board();
    const heard: Purchase[] = [];
    changes.watchPurchases(samplePurchase().buyerId, (purchase) => heard.push(purchase));
    const copies = [samplePurchase(), samplePurchase({ state: "paid", changedAtMs: sampleNowMs + 1 })];
    for (const copy of copies) changes.purchaseChanged(copy);
    await turns(2);
    expect(heard).toEqual(copies);
  });

  test("[LP12] a listener that throws is logged; the others hear", async () => {
    const { changes } = board();
    let heard = 0;
    const broken = new Error("a bug of a listener");
    changes.watchSale(saleId(), () => {
      throw broken;
    });
    changes.watchSale(saleId(), () => void heard++);
    changes.saleChanged(sampleSale());
    await turns(2);
    expect([heard, failures]).toEqual([1, [broken]]);
  });

  test("[LP14] is forgotten with the last listener; stopping twice stops nobody else", async () => {
    const { changes } = board();
    let heard = 0;
    const hear = () => void heard++;
    const stops = [changes.watchSale(saleId(), hear), changes.watchSale(saleId(), hear)];
    must(stops[0])();
    must(stops[0])();
    changes.saleChanged(sampleSale());
    await turns(2);
    expect([heard, changes.watched]).toEqual([1, 1]);
    must(stops[1])();
    expect([changes.watched, changes.hearsPurchases]).toEqual([0, false]);
  });

  test("[LP12] with nobody listening nothing is scheduled", () => {
    const { changes, time } = board();
    const soon = spyOn(time, "soon");
    changes.watchSale(saleId("99"), () => {});
    changes.saleChanged(sampleSale());
    changes.purchaseChanged(samplePurchase());
    expect(soon).not.toHaveBeenCalled();
  });
});

describe("what the acceptance tells", () => {
  /** `planted`: tells in the middle of the commit, before anybody has an answer. */
  function shop(planted: "none" | "tells at once" = "none") {
    const { time, changes } = board();
    const store = storeWith([[saleId(), { stock: 2, perBuyerLimit: 1 }]], new MemoryStore());
    const order: string[] = [];
    const sink: ChangeSink = planted === "none" ? changes : tellingAtOnce((what) => order.push(what));
    const sales = new SaleBoard(
      { records: store, clock: time, entropy: new SeededEntropy(1), changes: sink },
      { salesMax: 9, buyersMax: 9 },
    );
    const options = { batchMax: 10, queueMax: 10, answerTimeoutMs: 1000 };
    const acceptance = new DirectAcceptance({ ledger: store, board: sales, clock: time, tasks: time, changes: sink }, options);
    const ann = internNow(store, "ann");
    changes.watchPurchases(ann, ({ state }) => order.push(`told ${state}`));
    const take = () => acceptance.submit(saleId(), [takeBy(ann, { key: "k" })]).then(([a]) => void order.push(`answered ${must(a).kind}`));
    return { changes, sales, acceptance, store, ann, take, order };
  }

  const tellingAtOnce = (tell: (what: string) => void): ChangeSink => ({
    hearsPurchases: true,
    saleChanged: () => tell("told of the sale"),
    purchaseChanged: ({ state }) => tell(`told ${state}`),
  });

  test("[LP12] comes after the answer", async () => {
    const { take, order } = shop();
    await take();
    await turns(2);
    expect(order).toEqual(["answered accepted", "told reserved"]);
  });

  test("[LP12] control: a sink that tells at once is caught by the same look", async () => {
    const { take, order } = shop("tells at once");
    await take();
    await turns(2);
    expect(order[0]).not.toBe("answered accepted");
  });

  test("names accepted and released purchases, to their buyer alone, and every copy of the sale", async () => {
    const { changes, acceptance, store, ann, take, order } = shop();
    const bob = internNow(store, "bob");
    const sales: Sale[] = [];
    changes.watchSale(saleId(), (sale) => sales.push(sale));
    await take();
    await acceptance.submit(saleId(), [takeBy(bob)]);
    await turns(2);
    const { items } = await store.purchasesOf(ann, {}, { offset: 0, limit: 1 });
    await acceptance.submit(saleId(), [{ kind: "cancel", purchaseId: must(items[0]).id, buyerId: ann }]);
    await turns(2);
    expect(order).toEqual(["answered accepted", "told reserved", "told cancelled"]);
    expect(sales.map(({ balances }) => balances.available)).toEqual([1, 0, 1]);
  });

  test("a refusal is nobody's news", async () => {
    const { acceptance, ann, take, order } = shop();
    await take();
    await acceptance.submit(saleId(), [takeBy(ann)]);
    await turns(2);
    expect(order).toEqual(["answered accepted", "told reserved"]);
  });
});
