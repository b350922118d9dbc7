/** Cases of lines and cuts: what settles, what waits, and what the cache is loaded with. */
import { expect } from "bun:test";
import { parseAdjustmentId, type AdjustmentId } from "../../src/domain/ids.ts";
import { payloadFingerprint } from "../../src/domain/purchase.ts";
import { buyerId, must, sampleDraft, saleId } from "../kit/samples.ts";
import { line, opener } from "./queue-ledger-desk.ts";
import type { QueueLedgerCase } from "./queue-ledger.ts";

const adjustmentId = (text: string): AdjustmentId => must(parseAdjustmentId(text));
const adjust = (id: string, units: number) =>
  ({ kind: "adjust", adjustmentId: adjustmentId(id), units, reason: "as counted", actor: "one" }) as const;
/** As they come, the order is the store's. */
const sorted = <Row extends readonly [number, ...unknown[]]>(rows: readonly Row[]): Row[] => rows.toSorted(([a], [b]) => a - b);

export const cutCases: readonly QueueLedgerCase[] = [
  {
    rule: "QL3",
    title: "the cut reads what the cache is loaded with: quotas, attempts, keys that are held, units that count in all sales",
    run: async (desk) => {
      const group = { limitGroup: "lamps", perBuyerLimit: 5 };
      const { id, scopeId, epoch } = await desk.openSale("70", group, [[buyerId(3), 4]]);
      const other = await desk.sale("71", group);
      const first = await desk.scope(scopeId);
      await desk.mark(first, opener);
      const { scope } = await desk.reopen(scopeId);
      expect(scope.epoch).toBe(epoch + 1);
      const lines = [line(101, 1, { quantity: 2, metadata: '{"a":1}' }), line(102, 2), line(103, 2, { key: undefined })];
      expect(await desk.admit(id, scope.epoch, ...lines)).toEqual(["reserved", "reserved", "reserved"]);
      expect(await desk.admit(other, scope.epoch, line(104, 1, { limit: 5 }))).toEqual(["reserved"]);
      await desk.commit(id, { kind: "cancel", purchaseId: must(lines[1]).purchaseId });
      await desk.close(scopeId);
      const { sales, units } = must(await desk.cut(scopeId));
      expect(sorted(units)).toEqual([
        [buyerId(1), 3],
        [buyerId(2), 1],
      ]);
      const [one, two] = [must(sales.find(({ sale }) => sale.id === id)), must(sales.find(({ sale }) => sale.id === other))];
      expect(one.sale).toMatchObject({ scopeId, balances: { issued: 10, available: 7, held: 3 } });
      expect([one.quotas, two.quotas]).toEqual([[[buyerId(3), 4]], [[buyerId(3), 4]]]);
      expect(sorted(one.attempts)).toEqual([
        [buyerId(1), 1],
        [buyerId(2), 2],
      ]);
      expect(sorted(one.keys)).toEqual([
        [buyerId(1), "key 101", must(lines[0]).purchaseId, payloadFingerprint({ quantity: 2, metadata: '{"a":1}' })],
        [buyerId(2), "key 102", must(lines[1]).purchaseId, payloadFingerprint({ quantity: 1, metadata: undefined })],
      ]);
      expect(two.keys.map(([buyer, key]) => [buyer, key])).toEqual([[buyerId(1), "key 104"]]);
    },
  },
  {
    rule: "QL1",
    title: "a line settles once: again, in its own message or another, by its key, beyond its limit, without stock",
    run: async (desk) => {
      const { id, epoch } = await desk.openSale("70", { stock: 3 });
      const first = line(101, 1);
      expect(await desk.admit(id, epoch, first, first)).toEqual(["reserved", "reserved"]);
      expect(await desk.admit(id, epoch, first)).toEqual(["reserved"]);
      expect(await desk.admit(id, epoch, line(102, 1, { key: first.key }))).toEqual(["refused for superseded"]);
      expect(await desk.admit(id, epoch, line(103, 1, { limit: 1 }))).toEqual(["refused for limit"]);
      expect(await desk.admit(id, epoch, line(104, 2, { quantity: 2 }), line(105, 3))).toEqual(["reserved", "refused for stock"]);
      expect(await desk.admit(id, epoch, line(102, 1, { key: first.key }))).toEqual(["refused for superseded"]);
    },
  },
  {
    rule: "QL2",
    title: "a line of a lower epoch is asked again while the scope is open; while it is not it waits, and the cut decides it",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70", { stock: 1 });
      await desk.close(scopeId);
      const { scope } = must(await desk.cut(scopeId));
      expect(scope.epoch).toBe(epoch + 1);
      expect(await desk.admit(id, epoch, line(101, 1))).toEqual(["parked"]);
      expect(await desk.ledger.parked({ scopeId, countMax: 10 })).toEqual([]);
      expect(await desk.ledger.withParked()).toEqual([]);
      expect(await desk.ledger.opened({ scopeId, epoch: scope.epoch })).toBe(true);
      expect(await desk.ledger.parked({ scopeId, countMax: 10 })).toMatchObject([{ id: line(101, 1).purchaseId, state: "queued" }]);
      expect(await desk.ledger.parked({ scopeId, countMax: 0 })).toEqual([]);
      expect(await desk.ledger.withParked()).toEqual([scopeId]);
      expect(await desk.admit(id, epoch, line(102, 2))).toEqual(["readmit"]);
      await desk.close(scopeId);
      expect(await desk.admit(id, epoch, line(102, 2))).toEqual(["parked"]);
      const { sales } = must(await desk.cut(scopeId));
      expect(must(sales[0]).sale.balances).toMatchObject({ available: 0, held: 1 });
      expect(await desk.admit(id, epoch, line(101, 1), line(102, 2))).toEqual(["reserved", "refused for stock"]);
      expect(must(sales[0]).keys.map(([buyer]) => buyer)).toEqual([buyerId(1)]);
    },
  },
  {
    rule: "QL6",
    title: "units leave a running sale at a cut, which the ask brings about; the same ask again is one",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale();
      const ask = { id: "801", scopeId, saleId: id, movement: adjust("801", -4) };
      expect([await desk.ledger.askAtCut(ask), await desk.ledger.askAtCut(ask)]).toEqual(["801", "801"]);
      const closing = await desk.scope(scopeId);
      expect(closing).toMatchObject({ state: "closing", closing: 1, epoch });
      expect(await desk.ledger.outcomeAtCut("801")).toBeUndefined();
      await desk.mark(closing, opener);
      const { sales } = await desk.reopen(scopeId);
      expect(must(sales[0]).sale.balances).toMatchObject({ issued: 10, available: 6, withdrawn: 4 });
      expect(await desk.ledger.outcomeAtCut("801")).toMatchObject({ kind: "adjusted", applied: -4, repeated: false });
      expect(await desk.ledger.askAtCut(ask)).toBe("801");
      expect(await desk.scope(scopeId)).toMatchObject({ state: "open", closing: 1 });
      expect(await desk.ledger.outcomeAtCut("802")).toBeUndefined();
    },
  },
  {
    rule: "QL6",
    title: "a settling that waits stands for another of the same sale, and a sale that is over has no scope any more",
    run: async (desk) => {
      const { id, scopeId } = await desk.openSale();
      await desk.commit(id, { kind: "switch", change: { kind: "cancel_sale" } });
      const settle = (ask: string) =>
        desk.ledger.askAtCut({ id: ask, scopeId, saleId: id, movement: { kind: "settle", adjustmentId: adjustmentId(ask) } });
      expect([await settle("801"), await settle("802")]).toEqual(["801", "801"]);
      await desk.mark(await desk.scope(scopeId), opener);
      const cut = must(await desk.cut(scopeId));
      expect(cut).toMatchObject({ scope: { state: "closed" }, sales: [], units: [] });
      expect(await desk.ledger.outcomeAtCut("801")).toMatchObject({ kind: "settled" });
      expect(await desk.ledger.scopes()).toEqual([]);
    },
  },
  {
    rule: "QL6",
    title: "a closed scope for which something waits is wanted, although its sale can sell no more",
    run: async (desk) => {
      const { id, scopeId } = await desk.openSale();
      await desk.commit(id, { kind: "switch", change: { kind: "cancel_sale" } });
      await desk.close(scopeId);
      await desk.cut(scopeId);
      expect(await desk.ledger.scopes()).toEqual([]);
      await desk.ledger.askAtCut({ id: "803", scopeId, saleId: id, movement: adjust("803", -1) });
      expect(await desk.ledger.scopes()).toMatchObject([{ id: scopeId, state: "closed" }]);
      expect(must(await desk.cut(scopeId)).scope.state).toBe("closed");
      expect(await desk.ledger.outcomeAtCut("803")).toMatchObject({ kind: "not_adjustable" });
    },
  },
  {
    rule: "QL5",
    title: "lines of a cancelled sale are refused, and their units are told back where the cache that stands counts them",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale();
      await desk.commit(id, { kind: "switch", change: { kind: "cancel_sale" } });
      const { feed } = await desk.scope(scopeId);
      expect(await desk.admit(id, epoch, line(101, 1))).toEqual(["refused for sale_cancelled"]);
      const [row] = await desk.ledger.feedAfter({ scopeId, number: feed, countMax: 5 });
      expect(row).toMatchObject({ number: feed + 1, patch: { saleId: id, buyers: [[buyerId(1), -1]] } });
      expect(row?.patch.keys).toEqual([[buyerId(1), "key 101", line(101, 1).purchaseId]]);
      const declined = { kind: "decline", line: line(102, 2), epoch: epoch - 1, reason: "discarded" } as const;
      expect(await desk.commit(id, declined)).toMatchObject([{ kind: "admitted", purchase: { state: "refused" } }]);
      expect((await desk.scope(scopeId)).feed).toBe(feed + 1);
    },
  },
  {
    rule: "QU4",
    title: "what the cache cannot know by itself is told of all sales in open scopes at once",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70");
      await desk.admit(id, epoch, line(101, 1, { quantity: 2 }));
      const other = await desk.sale("71");
      const quote = { scopeId, saleId: id, sold: 0, withdrawn: 0, issued: 10 };
      expect(await desk.ledger.quotes()).toEqual([quote]);
      const { scope } = await desk.reopen(other);
      const both = [...(await desk.ledger.quotes())].toSorted((a, b) => Number(a.saleId) - Number(b.saleId));
      expect(both).toEqual([quote, { ...quote, scopeId: scope.id, saleId: other }]);
      await desk.close(scopeId);
      expect(await desk.ledger.quotes()).toMatchObject([{ saleId: other }]);
    },
  },
  {
    rule: "QL9",
    title: "a line that was put aside holds its unit, limit and key at a cut, and is of the cut's epoch from then on",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70", { stock: 5, perBuyerLimit: 2 });
      const [settled, aside, keyless] = [line(101, 1), line(102, 2, { metadata: '{"a":1}' }), line(103, 2, { key: undefined })];
      await desk.admit(id, epoch, settled);
      for (const each of [settled, aside, keyless]) await desk.bury(id, epoch, each);
      expect((await desk.ledger.linesAside(scopeId)).map(({ line: { purchaseId } }) => purchaseId)).toEqual([
        aside.purchaseId,
        keyless.purchaseId,
      ]);
      await desk.ledger.askAtCut({ id: "801", scopeId, saleId: id, movement: adjust("801", -4) });
      await desk.mark(await desk.scope(scopeId), opener);
      const { scope, sales, units } = must(await desk.cut(scopeId));
      // Of five one is an order, and two are not free.
      expect(await desk.ledger.outcomeAtCut("801")).toMatchObject({ kind: "adjusted", applied: -2 });
      expect(must(sales[0]).sale.balances).toMatchObject({ issued: 5, withdrawn: 2, available: 0, held: 3 });
      expect([sorted(units), sorted(must(sales[0]).attempts)]).toEqual([
        [
          [buyerId(1), 1],
          [buyerId(2), 2],
        ],
        [
          [buyerId(1), 1],
          [buyerId(2), 2],
        ],
      ]);
      expect(sorted(must(sales[0]).keys)).toEqual([
        [buyerId(1), "key 101", settled.purchaseId, payloadFingerprint({ quantity: 1, metadata: undefined })],
        [buyerId(2), "key 102", aside.purchaseId, payloadFingerprint({ quantity: 1, metadata: '{"a":1}' })],
      ]);
      expect((await desk.ledger.linesAside(scopeId)).map(({ epoch: of }) => of)).toEqual([scope.epoch, scope.epoch]);
      // Whoever puts it aside once more knows of no cut.
      await desk.bury(id, epoch, aside);
      expect(await desk.ledger.deadLetter(aside.purchaseId)).toMatchObject({ epoch: scope.epoch });
      expect(await desk.admit(id, scope.epoch, aside, keyless)).toEqual(["reserved", "reserved"]);
      expect(await desk.ledger.linesAside(scopeId)).toEqual([]);
    },
  },
  {
    rule: "QL9",
    title: "a cut counts the lines aside that it has units for, those of the cache that stood first; the others hold nothing",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70", { stock: 2, perBuyerLimit: 2 });
      const [lost, stood, settled] = [line(101, 1), line(102, 2), line(103, 3)];
      await desk.bury(id, epoch - 1, lost);
      await desk.bury(id, epoch, stood);
      await desk.admit(id, epoch, settled);
      await desk.close(scopeId);
      const { scope, sales, units } = must(await desk.cut(scopeId));
      expect(must(sales[0]).sale.balances).toMatchObject({ available: 0, held: 2 });
      expect(sorted(units).map(([buyer]) => buyer)).toEqual([buyerId(2), buyerId(3)]);
      const epochs = new Map((await desk.ledger.linesAside(scopeId)).map(({ line: { purchaseId }, epoch: of }) => [purchaseId, of]));
      expect(epochs).toEqual(
        new Map([
          [lost.purchaseId, epoch - 1],
          [stood.purchaseId, scope.epoch],
        ]),
      );
      // Whoever held nothing gives nothing back.
      const { feed } = await desk.scope(scopeId);
      const discard = { kind: "decline", line: lost, epoch: epoch - 1, reason: "discarded" } as const;
      expect(await desk.commit(id, discard)).toMatchObject([{ kind: "admitted", purchase: { state: "refused" } }]);
      expect((await desk.scope(scopeId)).feed).toBe(feed);
    },
  },
  {
    rule: "QL9",
    title: "a sale that has ended is not settled while lines of it are put aside; one that was cancelled is",
    run: async (desk) => {
      for (const cancelled of [false, true]) {
        const of = cancelled ? "71" : "70";
        const { id, scopeId, epoch } = await desk.openSale(of, { stock: 3 });
        const aside = line(cancelled ? 111 : 101, 1);
        await desk.bury(id, epoch, aside);
        if (cancelled) await desk.commit(id, { kind: "switch", change: { kind: "cancel_sale" } });
        const settle = { kind: "settle", adjustmentId: adjustmentId(`80${of}`) } as const;
        await desk.ledger.askAtCut({ id: settle.adjustmentId, scopeId, saleId: id, movement: settle });
        const scope = await desk.scope(scopeId);
        if (scope.state === "closing") await desk.mark(scope, opener);
        const cut = must(await desk.cut(scopeId, undefined, sampleDraft().endsAtMs + 1));
        expect(cut.sales).toEqual([]);
        expect(await desk.ledger.outcomeAtCut(settle.adjustmentId)).toMatchObject(
          cancelled ? { kind: "settled" } : { kind: "not_over", held: 1 },
        );
        expect(await desk.admit(id, cut.scope.epoch, aside)).toEqual([cancelled ? "refused for sale_cancelled" : "reserved"]);
      }
    },
  },
  {
    rule: "QL1",
    title: "the same lines committed at once from several sides settle once",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70", { stock: 5 });
      const lines = Array.from({ length: 8 }, (_, i) => line(101 + i, 1 + i));
      const all = await Promise.all(Array.from({ length: 4 }, () => desk.admit(id, epoch, ...lines)));
      for (const answers of all) expect(answers).toEqual(must(all[0]));
      expect(must(all[0]).filter((answer) => answer === "reserved")).toHaveLength(5);
      await desk.mark(await desk.scope(scopeId), opener);
      const { sales } = must(await desk.cut(scopeId));
      expect(must(sales[0]).sale).toMatchObject({ id: saleId("70"), balances: { available: 0, held: 5 } });
    },
  },
];
