import { expect, test } from "bun:test";
import { encodeMessage, type Line } from "../../domain/journal-message.ts";
import type { SaleId } from "../../domain/ids.ts";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import { must, saleId } from "../../../tests/kit/samples.ts";
import { discardDeadLetter, replayDeadLetter } from "./dead-letters.ts";
import { triesMax } from "./settle-lines.ts";

const lineOf = (shop: QueuedShop, sale: SaleId, buyer: string, key?: string): Line => ({
  purchaseId: shop.newPurchaseId(),
  buyerId: shop.buyer(buyer),
  key,
  quantity: 1,
  price: shop.read(sale).price,
  limit: 1,
  acceptedAtMs: shop.time.nowMs(),
});
const partitionOf = (shop: QueuedShop, sale: SaleId) => must(shop.store.tables.scopes.get(sale)).partition;
const messageOf = (sale: SaleId, lines: readonly Line[], epoch = 1) =>
  encodeMessage({ kind: "lines", scopeId: sale, epoch, saleId: sale, lines });

test("[QL1] [C4] a line settles once, whatever comes again", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    await shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k" });
    const taken = must(shop.purchases()[0]);
    const line: Line = { ...lineOf(shop, sale, "ann", "k"), purchaseId: taken.id };
    for (const epoch of [1, 1, 0]) await api.journal.publish(partitionOf(shop, sale), messageOf(sale, [line, line], epoch));
    await eventually(() => shop.broker.depth === 0, "the broker to be empty");
    expect(shop.purchases()).toHaveLength(1);
    expect(shop.read(sale).balances).toMatchObject({ available: 4, held: 1 });
    expect(api.settler.counts.repeats).toBeGreaterThanOrEqual(6);
  }));

test("[QL1] [C4] acknowledged after the commit: what a worker had committed and not acknowledged comes again, and changes nothing", () =>
  withShop(async (shop) => {
    const api = shop.process({ works: false });
    const [first, second] = [shop.process(), shop.process()];
    const sale = await shop.sale(first, { stock: 5 });
    await shop.open(api, sale);
    const release = shop.stockLedger.hold("after");
    const bought = shop.buy(api, sale, { buyer: shop.buyer("ann") });
    await eventually(() => shop.purchases().length === 1, "the commit");
    first.journal.die();
    second.journal.fate = () => "taken";
    release();
    expect(await bought).toMatchObject({ kind: "accepted" });
    await eventually(() => shop.broker.depth === 0, "the broker to be empty");
    expect(shop.purchases()).toHaveLength(1);
    expect(first.settler.counts.lines + second.settler.counts.lines).toBe(2);
  }));

test("[QL1] what arrives during a commit shares the next one", () =>
  withShop(async (shop) => {
    const api = shop.process({ batchMax: 1 });
    const sale = await shop.sale(api, { stock: 50 });
    const release = shop.stockLedger.hold("before");
    const bought = shop.buyers(12).map((buyer) => shop.buy(api, sale, { buyer, wait: false }));
    for (const answer of bought) expect(await answer).toMatchObject({ kind: "queued" });
    const before = shop.stockLedger.batches.length;
    release();
    await eventually(() => shop.purchases().length === 12, "all lines");
    expect(shop.stockLedger.batches.length - before).toBeLessThanOrEqual(2);
  }));

test("[QL7] [C2] a line that cannot be settled is put aside after some tries, and its neighbours pass", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 9 });
    const buyers = shop.buyers(5);
    const poisoned = must(buyers[2]);
    shop.stockLedger.poison((movement) => movement.kind === "admit" && movement.line.buyerId === poisoned);
    const answers = await Promise.all(buyers.map((buyer) => shop.buy(api, sale, { buyer, wait: false })));
    const stuck = must(answers[2]);
    await eventually(() => shop.store.tables.deadLetters.size === 1 && shop.broker.depth === 0, "the line to be put aside");
    expect(shop.purchases()).toHaveLength(4);
    const [letter] = await shop.ledger.deadLetters();
    expect(letter).toMatchObject({ kind: "line", tries: triesMax, saleId: sale, epoch: 1 });
    // Whoever was told yes finds it.
    const id = stuck.kind === "queued" ? stuck.purchase.id : shop.newPurchaseId();
    expect(await api.records.purchase(id)).toMatchObject({ state: "stuck", buyerId: poisoned });

    const deps = { ledger: shop.ledger, stockLedger: shop.stockLedger, journal: api.journal, clock: shop.time };
    expect(await replayDeadLetter(deps, id)).toMatchObject({ kind: "done" });
    await eventually(() => shop.broker.depth === 0 && shop.store.tables.deadLetters.size === 1, "the line to come back");
    shop.stockLedger.poison(() => false);
    expect(await replayDeadLetter(deps, id)).toMatchObject({ kind: "done" });
    await eventually(() => shop.purchase(id)?.state === "reserved", "the line to settle");
    expect(shop.store.tables.deadLetters.size).toBe(0);
    expect(shop.read(sale).balances).toMatchObject({ available: 4, held: 5 });
  }));

test("[QL7] a line of a lost epoch whose refusal cannot be kept is put aside, too, and its neighbours pass", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    await shop.buy(api, sale, { buyer: shop.buyer("first") });
    const lines = ["ann", "bob", "cat"].map((name) => lineOf(shop, sale, name, `key of ${name}`));
    const poisoned = must(lines[1]);
    shop.stockLedger.poison((movement) => movement.kind === "decline" && movement.line.purchaseId === poisoned.purchaseId);
    await api.journal.publish(partitionOf(shop, sale), messageOf(sale, lines, 0));
    await eventually(() => shop.store.tables.deadLetters.size === 1 && shop.broker.depth === 0, "the line to be put aside");
    expect(await shop.ledger.deadLetters()).toMatchObject([{ kind: "line", id: poisoned.purchaseId, tries: triesMax, epoch: 0 }]);
    for (const line of [must(lines[0]), must(lines[2])])
      expect(shop.purchase(line.purchaseId)).toMatchObject({ state: "refused", refusedFor: "stock" });
    await api.journal.publish(partitionOf(shop, sale), messageOf(sale, [lineOf(shop, sale, "dan")], 0));
    await eventually(() => shop.broker.depth === 0, "what came behind it");
  }));

test("[QL7] a line that is discarded frees its buyer and, while its epoch stands, its unit", async () => {
  for (const lose of [false, true])
    await withShop(async (shop) => {
      const api = shop.process();
      const sale = await shop.sale(api, { stock: 1 });
      const ann = shop.buyer("ann");
      shop.stockLedger.poison((movement) => movement.kind === "admit");
      const answer = await shop.buy(api, sale, { buyer: ann, key: "k", wait: false });
      const id = answer.kind === "queued" ? answer.purchase.id : shop.newPurchaseId();
      await eventually(() => shop.store.tables.deadLetters.size === 1, "the line to be put aside");
      shop.stockLedger.poison(() => false);
      if (lose) {
        shop.redis.flush();
        await shop.buy(api, sale, { buyer: shop.buyer("bob") });
        await eventually(() => shop.store.tables.scopes.get(sale)?.epoch === 2, "the next epoch");
        await shop.open(api, sale);
      }
      const deps = { ledger: shop.ledger, stockLedger: shop.stockLedger, journal: api.journal, clock: shop.time };
      expect(await discardDeadLetter(deps, id)).toMatchObject({ kind: "done", purchase: { state: "refused", refusedFor: "discarded" } });
      await shop.settle();
      // One unit, and no more: a cut in between had counted it free already.
      expect(await shop.buy(api, sale, { buyer: ann, key: "k" })).toMatchObject({ kind: "accepted", replayed: false });
      expect(await shop.buy(api, sale, { buyer: shop.buyer("cat") })).toMatchObject({ kind: "refused" });
      expect(shop.read(sale).balances).toMatchObject({ available: 0, held: 1 });
    });
});

test("[QL7] what the database cannot keep of a line its refusal does without; if it keeps nothing, that is said", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    const ann = shop.buyer("ann");
    shop.stockLedger.poison((movement) => movement.kind === "admit" || (movement.kind === "decline" && movement.line.key !== undefined));
    const answer = await shop.buy(api, sale, { buyer: ann, key: "k", wait: false });
    const id = answer.kind === "queued" ? answer.purchase.id : shop.newPurchaseId();
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the line to be put aside");
    const deps = { ledger: shop.ledger, stockLedger: shop.stockLedger, journal: api.journal, clock: shop.time };
    const some = shop.stockLedger.batches.length;
    expect(await discardDeadLetter(deps, id)).toMatchObject({ kind: "done", purchase: { id, state: "refused", key: undefined } });
    expect(shop.stockLedger.batches.length - some).toBe(3);
    expect(shop.store.tables.deadLetters.size).toBe(0);
    await shop.settle();
    shop.stockLedger.poison((movement) => movement.kind === "admit" || movement.kind === "decline");
    const other = await shop.buy(api, sale, { buyer: ann, key: "other", wait: false });
    const otherId = other.kind === "queued" ? other.purchase.id : shop.newPurchaseId();
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the other line to be put aside");
    expect(await discardDeadLetter(deps, otherId)).toEqual({ kind: "not_discardable" });
    expect(shop.store.tables.deadLetters.size).toBe(1);
  }));

test("[QL7] a message that cannot be read is put aside, one of a later version stays where it is", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const partition = partitionOf(shop, sale);
    await api.journal.publish(partition, "no message at all");
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the message to be put aside");
    expect(await shop.ledger.deadLetters()).toMatchObject([{ kind: "message", text: "no message at all" }]);
    await api.journal.publish(partition, JSON.stringify({ v: 2, scope: sale, epoch: 1, things: [] }));
    await turns(30);
    expect(shop.broker.depth).toBe(1);
    expect(shop.store.tables.deadLetters.size).toBe(1);
  }));

test("[QL7] a line of a sale that is not there is put aside, not forgotten", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const stray = lineOf(shop, sale, "ann");
    const missing = saleId("799");
    const text = encodeMessage({ kind: "lines", scopeId: sale, epoch: 1, saleId: missing, lines: [stray] });
    await api.journal.publish(partitionOf(shop, sale), text);
    await eventually(() => shop.store.tables.deadLetters.size === 1 && shop.broker.depth === 0, "the line to be put aside");
    expect(await shop.ledger.deadLetters()).toMatchObject([{ kind: "line", id: stray.purchaseId, saleId: missing }]);
  }));

test("[QL1] the time to pay begins with the order, however long the database was away", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    shop.stockLedger.failNext(40, "unavailable");
    const bought = shop.buy(api, sale, { buyer: shop.buyer("ann"), wait: false });
    await bought;
    await shop.time.advance(30_000);
    const backAtMs = shop.time.nowMs();
    await eventually(() => shop.purchases().length === 1, "the order");
    expect(must(shop.purchases()[0]).payByMs).toBeGreaterThanOrEqual(backAtMs + shop.read(sale).payWindowMs);
  }));

test("[QL1] a database that is away for a while delays orders and loses none", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 9 });
    shop.stockLedger.failNext(5, "unavailable");
    shop.stockLedger.loseAnswers(2, "after");
    const answers = await Promise.all(shop.buyers(3).map((buyer) => shop.buy(api, sale, { buyer })));
    for (const answer of answers) expect(answer).toMatchObject({ kind: "accepted" });
    expect(shop.read(sale).balances).toMatchObject({ available: 6, held: 3 });
    // However often they failed, no line was to blame.
    expect([shop.store.tables.failedLines.size, shop.store.tables.deadLetters.size]).toEqual([0, 0]);
  }));
