/**
 * The contract of what processes that share a store need of each other: leases with fences, numbers, the feed of changes,
 * marks that are cleared. A store passes it unchanged or names, with a reason, what it lacks:
 *
 *   sharingContract("the model server", { open: openModelFixture })
 */
import { describe, expect, test } from "bun:test";
import type { BuyerId, SaleId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { ChangeFeed } from "../../src/ports/change-feed.ts";
import type { Fence, Leases } from "../../src/ports/leases.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import { takeBy } from "../kit/live-sale.ts";
import { money, must, productId, saleId, sampleDraft } from "../kit/samples.ts";

/** One process on the shared store. */
export interface SharingProcess {
  readonly number: number;
  readonly leases: Leases;
  readonly changeFeed: ChangeFeed;
  readonly ledger: StockLedger;
  readonly catalogue: Catalogue;
  /** Its number goes back. */
  leave(): Promise<void>;
}

export interface SharingFixture {
  /** The store makes everybody wait for so long after a mark was cleared. */
  readonly reopenDelayMs: number;
  readonly join: () => Promise<SharingProcess>;
  /** The store's clock and everybody's go on. */
  readonly pass: (ms: number) => Promise<void>;
  readonly nowMs: () => Promise<number>;
  /** The next commit of this process happens, and nobody hears of it. */
  loseAnswer(process: SharingProcess): void;
  close(): Promise<void>;
}

export type SharingCapability = "pass" | "loseAnswer";
export type SharingLacks = Partial<Record<SharingCapability, string>>;
type Case = {
  readonly title: string;
  readonly needs?: readonly SharingCapability[];
  readonly run: (fixture: SharingFixture) => Promise<void>;
};

/** Longer than any lease is held. */
const leaseOverMs = 11_000;
const one = saleId("11");
const two = saleId("12");

export const sharingCases: readonly Case[] = [
  {
    title: "a lease is one process's, who renews it; given up, it is another's at once, with a larger term",
    run: async ({ join }) => {
      const [ann, bob] = [await join(), await join()];
      const first = must(await ann.leases.hold("work"));
      expect([await bob.leases.hold("work"), await ann.leases.hold("work")]).toEqual([undefined, first]);
      await ann.leases.giveUp(first);
      expect(must(await bob.leases.hold("work")).term).toBeGreaterThan(first.term);
      expect(await ann.leases.hold("work")).toBeUndefined();
    },
  },
  {
    title: "of those who ask for a new lease at once one has it",
    run: async ({ join }) => {
      const all = await Promise.all([join(), join(), join(), join()]);
      const held = await Promise.all(all.map(({ leases }) => leases.hold("work")));
      expect(held.filter((fence) => fence !== undefined)).toHaveLength(1);
    },
  },
  {
    title: "a lease that is not renewed is another's after a while, and what still carries the old term is not done",
    needs: ["pass"],
    run: async (fixture) => {
      const [ann, bob] = [await fixture.join(), await fixture.join()];
      const { pause } = await openSale(fixture, ann);
      const old = must(await ann.leases.hold("work"));
      await fixture.pass(leaseOverMs);
      const fence = must(await bob.leases.hold("work"));
      expect(fence.term).toBeGreaterThan(old.term);
      expect(await pause(ann, old)).toMatchObject({ kind: "failed", cause: "fenced" });
      expect(await pause(bob, fence)).toMatchObject({ kind: "committed" });
      expect(await ann.leases.hold("work")).toBeUndefined();
    },
  },
  {
    title: "a lease whose taking got no answer is found again by who asks once more, not waited for",
    needs: ["loseAnswer"],
    run: async (fixture) => {
      const [ann, bob] = [await fixture.join(), await fixture.join()];
      fixture.loseAnswer(ann);
      expect(await ann.leases.hold("work").catch(() => "lost")).toBe("lost");
      expect(await bob.leases.hold("work")).toBeUndefined();
      expect(await ann.leases.hold("work")).toBeDefined();
    },
  },
  {
    title: "a fence of a lease that nobody ever took stops what carries it",
    run: async (fixture) => {
      const ann = await fixture.join();
      const { pause } = await openSale(fixture, ann);
      expect(await pause(ann, { lease: "nobody's", term: 1 })).toMatchObject({ kind: "failed", cause: "fenced" });
    },
  },
  {
    title: "each process has a number of its own, and the next one gets none that was just given back",
    run: async ({ join }) => {
      const [ann, bob] = await Promise.all([join(), join()]);
      await ann.leave();
      const cat = await join();
      expect(new Set([ann.number, bob.number, cat.number]).size).toBe(3);
    },
  },
  {
    title: "each commit is told once to everybody, also to who made it, with its number and whom it touched",
    run: async (fixture) => {
      const [ann, bob] = [await fixture.join(), await fixture.join()];
      const { buyers, take } = await openSale(fixture, ann);
      for (const { changeFeed } of [ann, bob]) await changeFeed.next();
      await take(ann, [must(buyers[0]), must(buyers[1])]);
      await take(bob, [must(buyers[2])]);
      const expected = [
        { saleId: one, feed: 2, buyers: buyers.slice(0, 2) },
        { saleId: one, feed: 3, buyers: buyers.slice(2, 3) },
      ];
      for (const { changeFeed } of [ann, bob]) expect([await changeFeed.next(), await changeFeed.next()]).toEqual([expected, []]);
    },
  },
  {
    title: "whatever commits at the same time is told to all, of each sale in its order",
    run: async (fixture) => {
      const all = await Promise.all([fixture.join(), fixture.join(), fixture.join()]);
      const { buyers, take } = await openSale(fixture, must(all[0]));
      const { take: takeOther } = await openSale(fixture, must(all[0]), two);
      for (const { changeFeed } of all) await changeFeed.next();
      const heard = all.map(() => [] as string[]);
      const listen = async () => {
        for (const [i, { changeFeed }] of all.entries())
          for (const { saleId: id, feed } of await changeFeed.next()) heard[i]?.push(`${id} ${feed}`);
      };
      const commits = buyers.flatMap((buyer, i) => [take(must(all[i % 3]), [buyer]), takeOther(must(all[(i + 1) % 3]), [buyer])]);
      const committed = Promise.all(commits).then(() => true);
      while (!(await Promise.race([committed, listen().then(() => false)]))) continue;
      await listen();
      const feeds = buyers.map((_, i) => i + 2);
      for (const list of heard)
        for (const id of [one, two]) expect(list.filter((text) => text.startsWith(`${id} `))).toEqual(feeds.map((feed) => `${id} ${feed}`));
    },
  },
  {
    title: "buyers between two numbers of a sale are those whom its commits touched, and nobody's for a sale without any",
    run: async (fixture) => {
      const ann = await fixture.join();
      const { buyers, take } = await openSale(fixture, ann);
      for (const buyer of buyers.slice(0, 3)) await take(ann, [buyer]);
      expect(await ann.changeFeed.buyersBetween({ saleId: one, feed: 2, until: 4 })).toEqual(buyers.slice(1, 3));
      expect(await ann.changeFeed.buyersBetween({ saleId: two, feed: 0, until: 4 })).toBeUndefined();
    },
  },
  {
    title: "[PU27] when what was said to everybody is cleared, nobody new is accepted until every mark has run out",
    needs: ["pass"],
    run: async (fixture) => {
      const [ann, bob] = [await fixture.join(), await fixture.join()];
      const { buyers, take, pause } = await openSale(fixture, ann);
      expect(await take(ann, [must(buyers[0])])).toEqual(["accepted"]);
      await pause(ann);
      await pause(bob, undefined, "resume");
      expect(await take(bob, [must(buyers[1]), must(buyers[0])])).toEqual(["all_taken", "limit_reached"]);
      await fixture.pass(fixture.reopenDelayMs);
      expect(await take(ann, [must(buyers[1])])).toEqual(["accepted"]);
    },
  },
];

export function sharingContract(name: string, { open, lacks = {} }: { open: () => Promise<SharingFixture>; lacks?: SharingLacks }): void {
  describe(name, () => {
    for (const { title, needs, run } of sharingCases) {
      const reason = needs?.map((capability) => lacks[capability]).find((found) => found !== undefined);
      test.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, async () => {
        const fixture = await open();
        try {
          await run(fixture);
        } finally {
          await fixture.close();
        }
      });
    }
  });
}

/** A sale that accepts, with buyers, and what is done to it by whichever process. */
async function openSale({ nowMs, pass, reopenDelayMs }: SharingFixture, by: SharingProcess, id: SaleId = one) {
  const atMs = await nowMs();
  await by.catalogue.addProduct({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
  const draft = sampleDraft({ stock: 50, startsAtMs: atMs - 1_000, endsAtMs: atMs + 3_600_000, perBuyerLimit: 1 });
  await by.catalogue.addSale({ id, draft, createdAtMs: atMs });
  const commit = async (process: SharingProcess, movements: readonly Movement[], fence?: Fence) =>
    process.ledger.commit({ nowMs: await nowMs(), groups: [{ saleId: id, movements }], fence });
  await commit(by, [{ kind: "switch", change: { kind: "publish" } }]);
  if (reopenDelayMs > 0) await pass(reopenDelayMs);
  const subjects = Array.from({ length: 6 }, (_, i) => ({ issuer: "local", subject: `buyer-${i}` }));
  const buyers = [...(await by.catalogue.internBuyers(subjects))];
  const take = async (process: SharingProcess, takers: readonly BuyerId[]): Promise<string[]> => {
    const result = await commit(
      process,
      takers.map((buyer) => takeBy(buyer)),
    );
    if (result.kind !== "committed") return [result.kind];
    return must(result.groups[0]).outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.refusal.reason : outcome.kind));
  };
  const pause = (process: SharingProcess, fence?: Fence, kind: "pause" | "resume" = "pause") =>
    commit(process, [{ kind: "switch", change: { kind } }], fence);
  return { buyers, take, pause };
}
