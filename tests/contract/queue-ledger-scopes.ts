/** Cases of scopes: how they open and close, who is waited for, and what is put aside. */
import { expect } from "bun:test";
import { must, purchaseId, saleId } from "../kit/samples.ts";
import { line, opener } from "./queue-ledger-desk.ts";
import type { QueueLedgerCase } from "./queue-ledger.ts";

export const scopeCases: readonly QueueLedgerCase[] = [
  {
    rule: "QL3",
    title: "a sale that is published has a scope that waits, is cut, and is open when the epoch of that cut was loaded",
    run: async (desk) => {
      const id = await desk.sale();
      expect(await desk.ledger.scopes()).toMatchObject([{ id, state: "closed", epoch: 0, closing: 0 }]);
      const { scope } = must(await desk.cut(id));
      expect(scope).toMatchObject({ id, state: "opening", epoch: 1 });
      expect(await desk.ledger.opened({ scopeId: id, epoch: 0 })).toBe(false);
      const opened = () => desk.ledger.opened({ scopeId: id, epoch: 1 });
      expect([await opened(), await opened()]).toEqual([true, true]);
      expect(await desk.ledger.scope(id)).toEqual({ ...scope, state: "open" });
      expect(await desk.ledger.salesOf(id)).toEqual([id]);
      expect([await desk.cut(id), await desk.ledger.scope(saleId("71")), await desk.cut(saleId("71"))]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    },
  },
  {
    rule: "QL3",
    title: "whoever does not know how a cut went cuts anew, and what the first loaded opens nothing; two at once are two epochs",
    run: async (desk) => {
      const id = await desk.sale();
      const cuts = await Promise.all([desk.cut(id), desk.cut(id)]);
      expect(cuts.map((cut) => must(cut).scope.epoch).toSorted((a, b) => a - b)).toEqual([1, 2]);
      expect(await desk.ledger.opened({ scopeId: id, epoch: 1 })).toBe(false);
      expect(await desk.ledger.opened({ scopeId: id, epoch: 2 })).toBe(true);
    },
  },
  {
    rule: "QL3",
    title: "an open scope closes once for its epoch, however often that is asked, and not for another",
    run: async (desk) => {
      const { scopeId, epoch } = await desk.openSale();
      const close = (of: number) => desk.ledger.close({ scopeId, epoch: of, cause: "cache_lost" });
      expect(await close(epoch - 1)).toMatchObject({ state: "open", closing: 0 });
      expect(await Promise.all([close(epoch), close(epoch)])).toMatchObject([
        { state: "closing", closing: 1, epoch },
        { state: "closing", closing: 1, epoch },
      ]);
      expect(await desk.ledger.opened({ scopeId, epoch })).toBe(false);
      expect(await desk.ledger.close({ scopeId: saleId("71"), epoch, cause: "cache_lost" })).toBeUndefined();
    },
  },
  {
    rule: "QL3",
    title: "whoever answered buyers at the closing owes a mark of that closing; the dead and those that only work owe none",
    run: async (desk) => {
      const { fixture, ledger } = desk;
      const [ann, bob] = [await fixture.join("api"), await fixture.join("api")];
      await fixture.join("worker");
      const { scopeId } = await desk.openSale();
      expect(await ledger.isDrained(scopeId)).toBe(false);
      const closing = await desk.close(scopeId);
      await fixture.join("api");
      await desk.mark({ ...closing, closing: closing.closing - 1 }, ann);
      await desk.mark(closing, { ...bob, life: "another life" });
      expect([await ledger.isDrained(scopeId), await desk.cut(scopeId)]).toEqual([false, undefined]);
      await fixture.die(bob);
      expect(await ledger.isDrained(scopeId)).toBe(false);
      await desk.mark(closing, ann);
      await desk.mark(closing, ann);
      expect(await ledger.isDrained(scopeId)).toBe(true);
      expect((await desk.cut(scopeId))?.scope).toMatchObject({ state: "opening", epoch: closing.epoch + 1 });
    },
  },
  {
    rule: "QL3",
    title: "nothing is cut before the opener's own mark has come: what others published stands before it",
    run: async (desk) => {
      const ann = await desk.fixture.join("api");
      const { scopeId, epoch } = await desk.openSale();
      const closing = must(await desk.ledger.close({ scopeId, epoch, cause: "drift" }));
      await desk.mark(closing, ann);
      expect([await desk.ledger.isDrained(scopeId), await desk.cut(scopeId)]).toEqual([true, undefined]);
      expect(await desk.scope(scopeId)).toMatchObject({ state: "closing", epoch });
      await desk.mark(closing, opener);
      expect(must(await desk.cut(scopeId)).scope.epoch).toBe(epoch + 1);
    },
  },
  {
    rule: "QL3",
    title: "who lost the lease neither cuts nor opens",
    run: async (desk) => {
      const id = await desk.sale();
      const fence = await desk.fixture.fence();
      const cut = must(await desk.cut(id, fence));
      await desk.fixture.overtake(fence);
      expect(await desk.ledger.opened({ scopeId: id, epoch: cut.scope.epoch, fence })).toBe(false);
      expect(await desk.cut(id, fence)).toBeUndefined();
      expect(await desk.ledger.scope(id)).toEqual(cut.scope);
    },
  },
  {
    rule: "QL3",
    title: "sales of a group share a scope; one that is published into an open one closes it",
    run: async (desk) => {
      const { id, scopeId } = await desk.openSale("70", { limitGroup: "lamps" });
      const other = await desk.sale("71", { limitGroup: "lamps" });
      expect((await desk.ledger.salesOf(scopeId)).toSorted()).toEqual([id, other]);
      expect(await desk.scope(scopeId)).toMatchObject({ state: "closing", closing: 1 });
      expect((await desk.ledger.scopes()).map((scope) => scope.id)).toEqual([scopeId]);
    },
  },
  {
    rule: "QL4",
    title: "what flows back and what is switched is told in numbered rows, what lines take is not; a cut has all before it",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale();
      const [one, two] = [line(101, 1), line(102, 2)];
      await desk.admit(id, epoch, one, two);
      await desk.commit(id, { kind: "cancel", purchaseId: one.purchaseId });
      await desk.commit(id, { kind: "switch", change: { kind: "pause" } });
      await desk.commit(id, { kind: "cancel", purchaseId: two.purchaseId });
      const rows = await desk.ledger.feedAfter({ scopeId, number: 0, countMax: 10 });
      expect(rows.map(({ number, patch }) => [number, patch.available, patch.buyers.length, patch.paused])).toEqual([
        [1, 1, 1, undefined],
        [2, 0, 0, true],
        [3, 1, 1, undefined],
      ]);
      expect(await desk.ledger.feedAfter({ scopeId, number: 1, countMax: 1 })).toEqual(rows.slice(1, 2));
      expect(await desk.ledger.feedAfter({ scopeId, number: 3, countMax: 10 })).toEqual([]);
      await desk.close(scopeId);
      const cut = must(await desk.cut(scopeId));
      expect(cut.scope.feed).toBe(3);
      expect(await desk.ledger.feedAfter({ scopeId, number: 3, countMax: 10 })).toEqual([]);
    },
  },
  {
    rule: "QL7",
    title: "tries of a line that fails are counted; put aside it is found, once, until it was dealt with",
    run: async ({ ledger }) => {
      const failing = line(101, 1);
      const where = { scopeId: saleId("70"), saleId: saleId("70"), epoch: 1 };
      const fail = (nowMs: number) => ledger.noteFailedLine({ ...where, line: failing, problem: "x".repeat(5_000), nowMs });
      expect([await fail(1), await fail(2), await fail(3)]).toEqual([1, 2, 3]);
      const letter = { kind: "line", ...where, line: failing, id: failing.purchaseId, problem: "why", atMs: 10 } as const;
      await ledger.bury(letter);
      await ledger.bury({ kind: "message", id: "m-1", problem: "no message", text: "\u0000😀'\\", atMs: 11 });
      expect(await ledger.deadLetters()).toEqual([
        { ...letter, tries: 3 },
        { kind: "message", id: "m-1", problem: "no message", text: "\u0000😀'\\", atMs: 11, tries: 0 },
      ]);
      await ledger.bury({ ...letter, problem: "again", atMs: 12 });
      await ledger.unbury({ ...letter, atMs: 10 });
      expect(await ledger.deadLetter(letter.id)).toMatchObject({ problem: "again", atMs: 12 });
      await ledger.unbury({ ...letter, atMs: 12, epoch: 2 });
      expect(await ledger.deadLetter(letter.id)).toMatchObject({ atMs: 12, epoch: 1 });
      await ledger.unbury({ ...letter, atMs: 12 });
      await ledger.unbury({ ...letter, atMs: 12 });
      expect([await ledger.deadLetter(letter.id), (await ledger.deadLetters()).length]).toEqual([undefined, 1]);
      expect(await ledger.deadLetter(purchaseId("999"))).toBeUndefined();
    },
  },
  {
    rule: "QL5",
    title: "a line of the epoch that stands and meets no stock closes its scope: the cache has drifted",
    run: async (desk) => {
      const { id, scopeId, epoch } = await desk.openSale("70", { stock: 1 });
      expect(await desk.admit(id, epoch, line(101, 1), line(102, 2))).toEqual(["reserved", "refused for stock"]);
      expect(await desk.scope(scopeId)).toMatchObject({ state: "closing", closing: 1 });
    },
  },
];
