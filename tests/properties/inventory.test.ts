import { expect } from "bun:test";
import fc from "fast-check";
import { balanceAfter, type Inventory } from "../../src/domain/inventory.ts";
import { property } from "./property.ts";
import { limits, spares, steps, stocks, World } from "./world.ts";

property("[I13] free units and those in the sale are together what was counted, after every step", {
  bug: "what comes back comes back twice",
  on: (makeStore) =>
    fc.property(stocks, limits, spares, steps, (stock, perBuyerLimit, spare, script) => {
      const world = new World(makeStore(), { stock, perBuyerLimit, spare });
      for (const step of script) {
        world.play(step);
        const { free, out } = world.inventory();
        expect(free).toBe(spare === undefined ? null : stock + spare - out);
        expect(free ?? 0).toBeGreaterThanOrEqual(0);
      }
    }),
});

property("[I13] a product's inventory is the replay of its entries, each unique by source and kind", {
  bug: "publishing allots nothing",
  on: (makeStore) =>
    fc.property(stocks, limits, spares, steps, (stock, perBuyerLimit, spare, script) => {
      const world = new World(makeStore(), { stock, perBuyerLimit, spare });
      for (const step of script) world.play(step);
      const { free, out, entries } = world.inventory();
      let balance: Inventory = null;
      for (const entry of entries) expect((balance = balanceAfter(balance, entry))).toBe(entry.balance);
      expect(balance).toBe(free);
      const sum = (kind: string) => entries.filter((entry) => entry.kind === kind).reduce((total, { units }) => total + (units ?? 0), 0);
      if (spare !== undefined) expect(sum("allot") - sum("return")).toBe(out);
      expect(new Set(entries.map(({ sourceId, kind }) => `${sourceId} ${kind}`)).size).toBe(entries.length);
    }),
});
