/** What lines that were put aside hold until somebody has dealt with them. */
import { expect, test } from "bun:test";
import { encodeMessage } from "../../domain/journal-message.ts";
import type { PurchaseId, SaleId } from "../../domain/ids.ts";
import { eventually } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import type { QueuedStack } from "../../../tests/kit/queued-stack.ts";
import { must } from "../../../tests/kit/samples.ts";
import { discardDeadLetter, replayDeadLetter } from "./dead-letters.ts";

const depsOf = (shop: QueuedShop, { journal }: QueuedStack) => ({
  ledger: shop.ledger,
  stockLedger: shop.stockLedger,
  journal,
  clock: shop.time,
});

/** Buyers of one unit each hear 202, and cannot be settled. */
async function aside(shop: QueuedShop, api: QueuedStack, { sale, names }: { sale: SaleId; names: readonly string[] }) {
  const before = shop.store.tables.deadLetters.size;
  shop.stockLedger.poison((movement) => movement.kind === "admit");
  const ids: PurchaseId[] = [];
  for (const name of names) {
    const answer = await shop.buy(api, sale, { buyer: shop.buyer(name), key: "k", wait: false });
    expect(answer.kind).toBe("queued");
    if (answer.kind === "queued") ids.push(answer.purchase.id);
  }
  await eventually(() => shop.store.tables.deadLetters.size === before + names.length, "the lines to be put aside");
  shop.stockLedger.poison(() => false);
  return ids;
}

/** Units leave at a cut, after which the cache is loaded anew. */
async function cutWith(shop: QueuedShop, api: QueuedStack, { sale, units }: { sale: SaleId; units: number }) {
  const { epoch } = must(shop.store.tables.scopes.get(sale));
  const answer = await shop.send(api, sale, {
    kind: "adjust",
    adjustmentId: shop.newAdjustmentId(),
    units,
    reason: "as counted",
    actor: "one",
  });
  await eventually(() => (shop.store.tables.scopes.get(sale)?.epoch ?? 0) > epoch, "the next epoch");
  await shop.open(api, sale);
  return answer;
}

test("[QL9] [QL5] [I6] a cut does not sell again what was put aside: replayed, all that were accepted are orders", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const ids = await aside(shop, api, { sale, names: ["a", "b"] });
    expect(await cutWith(shop, api, { sale, units: -1 })).toMatchObject({ kind: "adjusted", applied: -1 });
    const others = [];
    for (const name of ["c", "d", "e"]) others.push((await shop.buy(api, sale, { buyer: shop.buyer(name) })).kind);
    expect(others).toEqual(["accepted", "accepted", "refused"]);
    for (const id of ids)
      expect(await replayDeadLetter(depsOf(shop, api), id)).toMatchObject({ kind: "done", purchase: { id, state: "reserved" } });
    expect(shop.read(sale).balances).toMatchObject({ available: 0, held: 4, withdrawn: 1 });
    expect(shop.store.tables.deadLetters.size).toBe(0);
  }));

test("[QL9] its buyer's limit and key are held across a cut, and the repeat hears of the same purchase", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    await cutWith(shop, api, { sale, units: -1 });
    const buyer = shop.buyer("a");
    expect(await shop.buy(api, sale, { buyer, key: "other" })).toMatchObject({ kind: "refused", refusal: { reason: "limit_reached" } });
    expect(await shop.buy(api, sale, { buyer, key: "k", quantity: 2 })).toMatchObject({ refusal: { reason: "key_reused" } });
    for (const wait of [false, true])
      expect(await shop.buy(api, sale, { buyer, key: "k", wait })).toMatchObject({ kind: "queued", replayed: true, purchase: { id } });
    expect(await replayDeadLetter(depsOf(shop, api), must(id))).toMatchObject({ kind: "done" });
    expect(await shop.buy(api, sale, { buyer, key: "k" })).toMatchObject({ kind: "accepted", replayed: true, purchase: { id } });
  }));

test("[QL9] [QL5] a line whose unit was sold again after a loss of the cache holds nothing: no drift, and nothing to give back", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    await shop.buy(api, sale, { buyer: shop.buyer("first") });
    const { partition } = must(shop.store.tables.scopes.get(sale));
    const { price } = shop.read(sale);
    const purchaseId = shop.newPurchaseId();
    const line = { purchaseId, buyerId: shop.buyer("late"), key: "k", quantity: 1, price, limit: 1, acceptedAtMs: shop.time.nowMs() };
    shop.stockLedger.poison((movement) => movement.kind === "decline");
    await api.journal.publish(partition, encodeMessage({ kind: "lines", scopeId: sale, epoch: 0, saleId: sale, lines: [line] }));
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the line to be put aside");
    shop.stockLedger.poison(() => false);
    shop.redis.flush();
    await shop.buy(api, sale, { buyer: shop.buyer("other") });
    await eventually(() => shop.store.tables.scopes.get(sale)?.epoch === 2, "the next epoch");
    await shop.open(api, sale);
    for (let round = 0; round < 15; round++) await api.reconciler.round();
    expect([api.reconciler.counts.drifted, shop.store.tables.scopes.get(sale)?.epoch]).toEqual([0, 2]);
    expect(await discardDeadLetter(depsOf(shop, api), purchaseId)).toMatchObject({ kind: "done", purchase: { state: "refused" } });
    await shop.settle();
    expect(await shop.buy(api, sale, { buyer: shop.buyer("other"), wait: false })).toMatchObject({ kind: "refused" });
    for (let round = 0; round < 15; round++) await api.reconciler.round();
    expect(api.reconciler.counts.drifted).toBe(0);
  }));

test("[QL7] a line that became an order meanwhile is not discarded, and that is said", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    const deps = depsOf(shop, api);
    const letter = must(await shop.ledger.deadLetter(must(id)));
    expect(await replayDeadLetter(deps, must(id))).toMatchObject({ kind: "done", purchase: { state: "reserved" } });
    // It was read before the other was done.
    const { ledger } = deps;
    const late = {
      ...deps,
      ledger: {
        scope: (of: SaleId) => ledger.scope(of),
        close: ledger.close.bind(ledger),
        deadLetter: async () => letter,
        bury: ledger.bury.bind(ledger),
        unbury: ledger.unbury.bind(ledger),
      },
    };
    expect(await discardDeadLetter(late, must(id))).toMatchObject({ kind: "settled", purchase: { id, state: "reserved" } });
    expect(shop.read(sale).balances).toMatchObject({ available: 4, held: 1 });
  }));

test("[QL9] [QE9] a sale that is over does not say no to a key whose line was put aside: to who repeats, or looks it up, here or in a new process", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5, endsAtMs: shop.time.nowMs() + 7_000 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    const buyer = shop.buyer("a");
    await shop.time.advance(10_000);
    shop.redis.flush();
    await shop.buy(api, sale, { buyer: shop.buyer("other") });
    await eventually(async () => {
      await shop.time.advance(100);
      return shop.store.tables.scopes.get(sale)?.state === "closed" && api.book.peek(sale)?.kind === "over";
    }, "the scope to be over");
    for (const process of [api, shop.process({ works: false })]) {
      await process.book.refresh();
      expect(await shop.buy(process, sale, { buyer: shop.buyer("other"), key: "k" })).toMatchObject({ refusal: { reason: "ended" } });
      expect(await shop.buy(process, sale, { buyer, key: "k" })).toMatchObject({ kind: "queued", replayed: true, purchase: { id } });
      expect(await shop.buy(process, sale, { buyer, key: "k", quantity: 2 })).toMatchObject({ refusal: { reason: "key_reused" } });
      expect(await process.records.purchaseByKey({ saleId: sale, buyerId: buyer, key: "k" })).toMatchObject({ id, state: "stuck" });
    }
    expect(await replayDeadLetter(depsOf(shop, api), must(id))).toMatchObject({ kind: "done", purchase: { state: "reserved" } });
    expect(await shop.buy(api, sale, { buyer, key: "k" })).toMatchObject({ kind: "accepted", replayed: true, purchase: { id } });
  }));

test("[QL9] a cut between an operator's look at a line and its refusal leaves no unit behind", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    const deps = depsOf(shop, api);
    const before = must(await shop.ledger.deadLetter(must(id)));
    shop.redis.flush();
    await shop.buy(api, sale, { buyer: shop.buyer("other") });
    await eventually(() => shop.store.tables.scopes.get(sale)?.epoch === 2, "the next epoch");
    await shop.open(api, sale);
    const { ledger } = deps;
    let looks = 0;
    const late = {
      scope: (of: SaleId) => ledger.scope(of),
      close: ledger.close.bind(ledger),
      deadLetter: async (of: string) => (looks++ === 0 ? before : ledger.deadLetter(of)),
      bury: ledger.bury.bind(ledger),
      unbury: ledger.unbury.bind(ledger),
    };
    expect(await discardDeadLetter({ ...deps, ledger: late }, must(id))).toMatchObject({ kind: "done" });
    expect(shop.store.tables.deadLetters.size).toBe(0);
    await eventually(() => shop.store.tables.scopes.get(sale)?.epoch === 3, "the stock to be counted anew");
    await shop.open(api, sale);
    expect(await shop.buy(api, sale, { buyer: shop.buyer("other") })).toMatchObject({ kind: "accepted" });
  }));

test("[QL9] an old copy of its message changes nothing behind a cut, and discarded it gives back one unit", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    await cutWith(shop, api, { sale, units: -1 });
    const letter = must(await shop.ledger.deadLetter(must(id)));
    if (letter.kind !== "line") throw new Error("a line was put aside");
    const { partition } = must(shop.store.tables.scopes.get(sale));
    const text = encodeMessage({ kind: "lines", scopeId: sale, epoch: 1, saleId: sale, lines: [letter.line] });
    await api.journal.publish(partition, text);
    await eventually(() => shop.broker.depth === 0, "the broker to be empty");
    expect([shop.purchases(), shop.store.tables.deadLetters.size]).toEqual([[], 1]);
    expect(await discardDeadLetter(depsOf(shop, api), must(id))).toMatchObject({ kind: "done", purchase: { refusedFor: "discarded" } });
    await shop.settle();
    const kinds = [];
    for (const name of ["a", "b", "c"]) kinds.push((await shop.buy(api, sale, { buyer: shop.buyer(name) })).kind);
    expect(kinds).toEqual(["accepted", "accepted", "refused"]);
    await api.reconciler.round();
    expect(api.reconciler.counts).toMatchObject({ drifted: 0 });
  }));

test("[QL9] [QE8] what is aside is no difference between cache and ledger, and hides none", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    // What stands as it stood is not looked at in every round.
    const compared = async () => {
      const { compared: before } = api.reconciler.counts;
      for (let round = 0; round < 100 && api.reconciler.counts.compared === before; round++) await api.reconciler.round();
      return api.reconciler.counts;
    };
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    await shop.buy(api, sale, { buyer: shop.buyer("b") });
    await shop.settle();
    expect(await compared()).toMatchObject({ compared: 1, drifted: 0 });
    await cutWith(shop, api, { sale, units: -1 });
    expect(await compared()).toMatchObject({ compared: 2, drifted: 0 });
    await replayDeadLetter(depsOf(shop, api), must(id));
    expect(await compared()).toMatchObject({ compared: 3, drifted: 0 });
    await aside(shop, api, { sale, names: ["c"] });
    const cached = must([...shop.redis.server.epochs.values()].at(-1)?.sales.get(sale));
    const { balances } = cached.sale;
    cached.sale = { ...cached.sale, balances: { ...balances, available: balances.available + 1 } };
    expect(await compared()).toMatchObject({ compared: 4, drifted: 1 });
  }));

test("[QL9] while a line is aside a sale that has ended is not settled, and no cut is made for it", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const [id] = await aside(shop, api, { sale, names: ["a"] });
    await shop.time.advance(2 * 3_600_000);
    const { epoch } = must(shop.store.tables.scopes.get(sale));
    const settle = () => shop.send(api, sale, { kind: "settle", adjustmentId: shop.newAdjustmentId() });
    expect(await settle()).toMatchObject({ kind: "not_over", status: "ended", held: 1 });
    expect(must(shop.store.tables.scopes.get(sale))).toMatchObject({ epoch });
    expect(await replayDeadLetter(depsOf(shop, api), must(id))).toMatchObject({ kind: "done", purchase: { state: "reserved" } });
  }));
