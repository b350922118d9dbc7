import { expect } from "bun:test";
import fc from "fast-check";
import { applyWrites } from "../../src/adapters/memory/apply-writes.ts";
import { imbalanceOf } from "../../src/domain/ledger.ts";
import { deadlineOf, paymentGraceMs } from "../../src/domain/purchase.ts";
import { buyerId, must } from "../kit/samples.ts";
import { property } from "./property.ts";
import { limits, steps, stocks, World } from "./world.ts";

property("[J1-2] never oversold: buyers never hold or own more than was offered, in whatever order takes and returns come", {
  bug: "oversell: more units seem free than there are",
  on: (makeStore) =>
    fc.property(stocks, limits, steps, (stock, perBuyerLimit, script) => {
      const world = new World(makeStore(), { stock, perBuyerLimit });
      for (const step of script) {
        world.play(step);
        expect(world.out).toBeLessThanOrEqual(world.offered);
        expect(world.balances().held + world.balances().sold).toBe(world.out);
        expect(imbalanceOf(world.balances())).toBeUndefined();
      }
    }),
});

property("[OR13] a hold lasts until its deadline with its extensions, and at most the grace longer, in whatever order they come", {
  bug: "an extension is counted and moves nothing",
  on: (makeStore) =>
    fc.property(fc.nat({ max: 3 }), steps, (payExtensionsMax, script) => {
      const world = new World(makeStore(), { stock: 50, perBuyerLimit: 4, payExtensionsMax });
      for (const step of script) {
        const before = new Map(world.store.tables.purchases);
        world.play(step);
        for (const purchase of world.store.tables.purchases.values()) {
          const { id, extensions, holdUntilMs, payByMs } = purchase;
          const graceMs = holdUntilMs - deadlineOf(purchase);
          expect(extensions).toBeLessThanOrEqual(payExtensionsMax);
          expect(graceMs).toBeGreaterThanOrEqual(0);
          expect(graceMs).toBeLessThanOrEqual(paymentGraceMs);
          expect(payByMs).toBe(purchase.acceptedAtMs + world.payWindowMs);
          expect(holdUntilMs).toBeGreaterThanOrEqual(before.get(id)?.holdUntilMs ?? 0);
        }
      }
    }),
});

property("[ST2] the balances are the replay of the ledger after every step", {
  bug: "an expiry leaves no ledger entry",
  on: (makeStore) =>
    fc.property(stocks, limits, steps, (stock, perBuyerLimit, script) => {
      const world = new World(makeStore(), { stock, perBuyerLimit });
      for (const step of script) {
        world.play(step);
        expect(world.replayed()).toEqual(world.balances());
      }
    }),
});

property("[J1-3] a buyer never holds or owns more than the limit, nor do its purchases and payments of one sale ever count twice", {
  bug: "the limit is ignored",
  on: (makeStore) =>
    fc.property(limits, steps, (perBuyerLimit, script) => {
      const world = new World(makeStore(), { stock: 50, perBuyerLimit });
      for (const step of script) {
        world.play(step);
        for (const buyer of world.buyers) expect(world.unitsOf(buyer)).toBeLessThanOrEqual(perBuyerLimit);
      }
    }),
});

property("[J1-3] with a limit of one, a buyer has one purchase that counts, whatever keys it uses", {
  bug: "the limit is ignored",
  on: (makeStore) =>
    fc.property(steps, (script) => {
      const world = new World(makeStore(), { stock: 50, perBuyerLimit: 1 });
      for (const step of script) {
        world.play(step);
        for (const buyer of world.buyers) {
          const counting = [...world.known.values()].filter(
            (each) => each.purchase.buyerId === buyer && ["reserved", "paid"].includes(each.state),
          );
          expect(counting.length).toBeLessThanOrEqual(1);
        }
      }
    }),
});

property("[J1-5] rollback is consistent: releasing everything, often and in any order, gives back exactly what was taken", {
  bug: "cancelled orders come alive",
  on: (makeStore) =>
    fc.property(
      stocks,
      limits,
      steps,
      fc.array(fc.record({ nth: fc.nat({ max: 30 }), kind: fc.constantFrom("cancel", "close") }), { maxLength: 40 }),
      (stock, perBuyerLimit, script, releases) => {
        const world = new World(makeStore(), { stock, perBuyerLimit });
        for (const step of script) world.play(step);
        for (const { nth, kind } of releases) {
          const before = world.balances();
          const outBefore = world.out;
          world.play({
            waitMs: 0,
            twice: nth % 3 === 0,
            actions: [
              { kind, nth },
              { kind, nth },
            ],
          });
          const returned = outBefore - world.out;
          expect(world.balances()).toEqual({ ...before, available: before.available + returned, held: before.held - returned });
        }
        for (let nth = 0; nth < world.known.size; nth++) world.play({ waitMs: 0, twice: false, actions: [{ kind: "cancel", nth }] });
        const paid = [...world.known.values()].filter((each) => each.state === "paid" && !each.returned);
        const sold = paid.reduce((sum, each) => sum + each.purchase.quantity, 0);
        const { issued, withdrawn } = world.balances();
        expect(world.balances()).toEqual({ issued, withdrawn, held: 0, sold, available: issued - withdrawn - sold });
      },
    ),
});

property("[J1-8] every accepted purchase is found by its id, by its key and in its buyer's list, with the state it has", {
  bug: {
    // Kept, but under another buyer: its own list does not show it.
    apply: (tables, facts, writes, changes) => {
      applyWrites(tables, facts, writes, changes);
      for (const purchase of writes.newPurchases.values())
        changes.set(tables.purchases, purchase.id, { ...purchase, buyerId: buyerId(99) });
    },
  },
  on: (makeStore) =>
    fc.asyncProperty(limits, steps, async (perBuyerLimit, script) => {
      const world = new World(makeStore(), { stock: 20, perBuyerLimit });
      for (const step of script) world.play(step);
      const lists = new Map(
        await Promise.all(
          world.buyers.map(async (buyer) => [buyer, await world.store.purchasesOf(buyer, {}, { offset: 0, limit: 1_000 })] as const),
        ),
      );
      for (const [id, { purchase, state, refunded }] of world.known) {
        const found = must(await world.store.purchase(id));
        expect(found).toMatchObject({
          id,
          state,
          refunded,
          quantity: purchase.quantity,
          buyerId: purchase.buyerId,
          acceptedAtMs: purchase.acceptedAtMs,
        });
        const { saleId, buyerId, key } = purchase;
        if (key !== undefined) expect(await world.store.purchaseByKey({ saleId, buyerId, key })).toEqual(found);
        expect(must(lists.get(buyerId)).items.filter((item) => item.id === id)).toEqual([found]);
      }
      const total = [...lists.values()].reduce((sum, list) => sum + list.total, 0);
      expect(total).toBe(world.known.size);
    }),
});

property("[PU6] a key that was accepted gets its purchase at every later moment", {
  bug: "keys are forgotten",
  on: (makeStore) =>
    fc.property(stocks, limits, steps, (stock, perBuyerLimit, script) => {
      const world = new World(makeStore(), { stock, perBuyerLimit });
      for (const step of script) {
        world.play(step);
        for (const { purchase } of world.known.values()) {
          if (purchase.key === undefined) continue;
          const { buyerId, key, quantity, metadata, saleId } = purchase;
          const again = { kind: "take", purchaseId: purchase.id, buyerId, key, quantity, metadata } as const;
          const { groups } = world.store.commitNow({ nowMs: world.nowMs, groups: [{ saleId, movements: [again] }] });
          expect(groups[0]?.outcomes).toMatchObject([{ kind: "accepted", purchase: { id: purchase.id } }]);
        }
      }
    }),
});
