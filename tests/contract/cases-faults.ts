/** Lost answers, broken commits, overload, restart, crash, drain. */
import { expect } from "bun:test";
import { turns } from "../kit/manual-time.ts";
import { sizes, type ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { answerFields } from "./shop.ts";

export const faultCases: readonly ContractCase[] = [
  {
    rule: "PU19",
    title: "a commit whose answer was lost is repeated until definite and has one effect",
    needs: ["lose_answers"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 9, perBuyerLimit: 9 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      for (const when of ["after", "before"] as const) {
        shop.fixture.faults.loseAnswers(3, when);
        const answers = Promise.all([
          shop.take(saleId, { buyer: must(ann), key: when }),
          shop.take(saleId, { buyer: must(bob) }),
          shop.adjust(saleId, 1),
        ]);
        expect(await shop.patiently(answers)).toMatchObject([
          { kind: "accepted", replayed: false },
          { kind: "accepted", replayed: false },
          { kind: "adjusted", applied: 1 },
        ]);
      }
      expect(await shop.balances(saleId)).toEqual({ issued: 11, available: 7, held: 4, sold: 0, withdrawn: 0 });
    },
  },
  {
    rule: "PU19",
    title: "a failed retry of an unknown commit proves nothing: no line hears that it was not tried",
    needs: ["lose_answers", "fail"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 9 });
      for (const [i, cause] of (["unavailable", "storage_full"] as const).entries()) {
        const buyer = await shop.buyer(`buyer-${i}`);
        shop.fixture.faults.loseAnswers(1, "after");
        shop.fixture.faults.failNext(2, cause);
        expect(await shop.patiently(shop.take(saleId, { buyer, key: "k" }))).toMatchObject({ kind: "accepted" });
      }
      expect(await shop.balances(saleId)).toMatchObject({ held: 2 });
    },
  },
  {
    rule: "PU19",
    title: "payments, captures and refunds of an unknown commit have one effect",
    needs: ["lose_answers"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 2 });
      const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      shop.fixture.faults.loseAnswers(2, "after");
      const started = await shop.patiently(shop.startPayment(purchase));
      if (started.kind !== "started") throw new Error("expected a payment");
      shop.fixture.faults.loseAnswers(2, "after");
      expect(await shop.patiently(shop.capture(started.payment, { id: "c1", callbackId: "w1" }))).toMatchObject({ kept: true });
      shop.fixture.faults.loseAnswers(2, "after");
      expect(await shop.patiently(shop.refund(purchase, { returnStock: true }))).toMatchObject({ kind: "refunding" });
      expect(await shop.balances(saleId)).toMatchObject({ available: 2, held: 0, sold: 0 });
      expect(await shop.fixture.records.refundsOf(purchase.id)).toHaveLength(1);
    },
  },
  {
    rule: "PU18",
    title: "who waits too long on a commit in flight hears unknown, and its repeat gets the first's purchase",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const buyer = await shop.buyer("ann");
      for (const where of ["before", "after"] as const) {
        const key = `k-${where}`;
        const sale = where === "before" ? saleId : await shop.sale({ stock: 1 });
        const release = shop.fixture.faults.hold(where);
        const first = shop.take(sale, { buyer, key });
        await shop.inFlight();
        await shop.fixture.time.advance(sizes.answerTimeoutMs);
        expect(await first).toEqual({ kind: "unknown" });
        expect(shop.fixture.acceptance.isPending(sale, buyer)).toBe(true);
        const repeat = shop.take(sale, { buyer, key });
        release();
        expect(await repeat).toMatchObject({ kind: "accepted", replayed: true, purchase: { key } });
        expect(shop.fixture.acceptance.isPending(sale, buyer)).toBe(false);
      }
    },
  },
  {
    rule: "PU17",
    title: "a queue full of buyers does not hold up what gives units back",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 999 });
      const buyers = await shop.buyers(sizes.queueMax + 2);
      const first = await shop.accept(saleId, { buyer: must(buyers.at(-1)) });
      const release = shop.fixture.faults.hold("before");
      const answers = buyers.map((buyer) => shop.take(saleId, { buyer }));
      await shop.inFlight();
      const cancelled = shop.send(saleId, { kind: "cancel", purchaseId: first.id });
      release();
      expect(await cancelled).toMatchObject({ kind: "released" });
      await Promise.all(answers);
    },
  },
  {
    rule: "PU18",
    title: "who waits too long in the queue is let go untried, and is not taken later",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 9 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const release = shop.fixture.faults.hold("before");
      const inFlight = shop.take(saleId, { buyer: must(ann) });
      await shop.inFlight();
      const queued = shop.take(saleId, { buyer: must(bob), key: "k" });
      await shop.fixture.time.advance(sizes.answerTimeoutMs * 2);
      expect(await inFlight).toEqual({ kind: "unknown" });
      expect(await queued).toEqual({ kind: "not_tried", cause: "busy" });
      release();
      await shop.patiently(shop.fixture.drain());
      expect(await shop.fixture.records.purchaseByKey({ saleId, buyerId: must(bob), key: "k" })).toBeUndefined();
      expect(await shop.balances(saleId)).toMatchObject({ held: 1 });
    },
  },
  {
    rule: "PU17",
    title: "beyond the queue's bound nothing is tried, what was taken in is answered, and then it sells again",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 999 });
      const buyers = await shop.buyers(sizes.queueMax + 20);
      const release = shop.fixture.faults.hold("before");
      const answers = buyers.map((buyer) => shop.take(saleId, { buyer }));
      await shop.inFlight();
      release();
      const kinds = (await Promise.all(answers)).map((answer) => (answer.kind === "not_tried" ? answer.cause : answer.kind));
      expect(kinds.filter((kind) => kind === "accepted").length).toBe(sizes.queueMax);
      expect(kinds.filter((kind) => kind === "busy").length).toBe(20);
      expect(await shop.balances(saleId)).toMatchObject({ held: sizes.queueMax });
      await shop.accept(saleId, { buyer: must(buyers.at(-1)) });
    },
  },
  {
    rule: "PU17",
    title: "what arrives while a commit is in flight shares the next ones",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 99 });
      const buyers = await shop.buyers(1 + 2 * sizes.batchMax);
      const release = shop.fixture.faults.hold("before");
      const before = shop.fixture.faults.commits();
      const first = shop.accept(saleId, { buyer: must(buyers[0]) });
      await shop.inFlight();
      const others = buyers.slice(1).map((buyer) => shop.accept(saleId, { buyer }));
      release();
      await Promise.all([first, ...others]);
      expect(shop.fixture.faults.commits() - before).toBe(3);
    },
  },
  {
    rule: "PU17",
    title: "a full disk and an absent store refuse cleanly, and it sells again after",
    needs: ["fail"],
    run: async (shop) => {
      const saleId = await shop.sale();
      const buyer = await shop.buyer("ann");
      shop.fixture.faults.failNext(1, "storage_full");
      expect(await shop.take(saleId, { buyer, key: "k" })).toEqual({ kind: "not_tried", cause: "storage_full" });
      shop.fixture.faults.failNext(1, "unavailable");
      expect(await shop.take(saleId, { buyer, key: "k" })).toEqual({ kind: "not_tried", cause: "busy" });
      expect(await shop.balances(saleId)).toMatchObject({ held: 0 });
      await shop.accept(saleId, { buyer, key: "k" });
    },
  },
  {
    rule: "PU22",
    title: "a line that breaks its commit is answered alone, its neighbours pass",
    needs: ["poison"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 9 });
      const buyers = await shop.buyers(5);
      const poisoned = must(buyers[2]);
      shop.fixture.faults.poison((movement) => movement.kind === "take" && movement.buyerId === poisoned);
      const answers = await shop.patiently(Promise.all(buyers.map((buyer) => shop.take(saleId, { buyer }))));
      expect(answers.map((answer) => answer.kind)).toEqual(["accepted", "accepted", "not_tried", "accepted", "accepted"]);
      expect(answers[2]).toEqual({ kind: "not_tried", cause: "failed" });
      expect(shop.fixture.acceptance.isPending(saleId, poisoned)).toBe(false);
    },
  },
  {
    rule: "PU20",
    title: "a restart keeps sales, balances, orders, keys, payments, refunds and the ledger as they were",
    needs: ["restart"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5, perBuyerLimit: 2 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann), key: "k", metadata: '{"ä":"✓"}' });
      await shop.pay(first);
      await shop.refund(first, { returnStock: true });
      const second = await shop.accept(saleId, { buyer: must(bob), quantity: 2 });
      const look = async () => ({
        sale: await shop.read(saleId),
        orders: [await shop.order(first), await shop.order(second)],
        payments: await shop.fixture.records.paymentsOf(first.id),
        refunds: await shop.fixture.records.refundsOf(first.id),
        ledger: await shop.fixture.ledger(saleId),
      });
      const before = await look();
      await shop.fixture.restart();
      expect(await look()).toEqual(before);
      const repeat = await shop.accept(saleId, { buyer: must(ann), key: "k", metadata: '{"ä":"✓"}' });
      expect(answerFields(repeat)).toEqual(answerFields(first));
      expect(await shop.take(saleId, { buyer: must(bob) })).toMatchObject({ kind: "refused", refusal: { reason: "limit_reached" } });
      expect(await shop.fixture.catalogue.internBuyers([{ issuer: "local", subject: "buyer-0" }])).toEqual([must(ann)]);
    },
  },
  {
    rule: "PU20",
    title: "a crash loses only what was not answered, and the key settles whether it was lost",
    needs: ["crash", "hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 9 });
      const buyers = await shop.buyers(3);
      const answered = await shop.accept(saleId, { buyer: must(buyers[0]), key: "k" });
      for (const [i, where] of (["before", "after"] as const).entries()) {
        const buyer = must(buyers[i + 1]);
        shop.fixture.faults.hold(where);
        void shop.fixture.acceptance.submit(saleId, [shop.movement({ buyer, key: "k" })]);
        await shop.inFlight();
        await shop.fixture.crash();
        expect(answerFields(await shop.order(answered))).toEqual(answerFields(answered));
        const repeat = await shop.accept(saleId, { buyer, key: "k" });
        expect((await shop.fixture.records.purchaseByKey({ saleId, buyerId: buyer, key: "k" }))?.id).toBe(repeat.id);
        expect(await shop.balances(saleId)).toMatchObject({ held: i + 2 });
      }
    },
  },
  {
    rule: "PU21",
    title: "draining answers what was taken in and refuses the rest",
    needs: ["hold"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 99 });
      const buyers = await shop.buyers(20);
      const release = shop.fixture.faults.hold("before");
      const answers = buyers.map((buyer) => shop.take(saleId, { buyer }));
      await shop.inFlight();
      const drained = shop.fixture.drain();
      await turns();
      expect(await shop.take(saleId, { buyer: await shop.buyer("late") })).toEqual({ kind: "not_tried", cause: "draining" });
      release();
      await shop.patiently(drained);
      expect((await Promise.all(answers)).every((answer) => answer.kind === "accepted")).toBe(true);
    },
  },
];
