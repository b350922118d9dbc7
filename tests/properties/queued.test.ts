/** Where a cache decides: whatever is bought, given back, lost and rebuilt, the cache has what the ledger has. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { must } from "../kit/samples.ts";
import { eventually, turns } from "../kit/manual-time.ts";
import { withShop, type QueuedShop } from "../kit/queued-shop.ts";
import { check } from "./property.ts";

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("buy" as const), buyer: fc.nat({ max: 5 }), quantity: fc.integer({ min: 1, max: 2 }) }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("cancel" as const, "close" as const), nth: fc.nat({ max: 20 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("flush" as const, "restart" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("adjust" as const), units: fc.integer({ min: -3, max: 3 }).filter((units) => units !== 0) }),
    },
  ),
  { minLength: 1, maxLength: 25 },
);
type Step = typeof steps extends fc.Arbitrary<(infer Each)[]> ? Each : never;

const saleOf = (shop: QueuedShop) => must([...shop.store.tables.sales.values()][0]).id;

async function play(shop: QueuedShop, script: readonly Step[], stock: number): Promise<void> {
  const api = shop.process();
  const sale = await shop.sale(api, { stock, perBuyerLimit: 3 });
  for (const step of script) {
    switch (step.kind) {
      case "buy":
        await shop.buy(api, sale, { buyer: shop.buyer(`buyer ${step.buyer}`), quantity: step.quantity });
        break;
      case "cancel":
      case "close": {
        const purchase = shop.purchases()[step.nth];
        if (purchase !== undefined) await shop.send(api, sale, { kind: step.kind, purchaseId: purchase.id });
        break;
      }
      case "flush":
      case "restart":
        shop.redis[step.kind]();
        break;
      case "adjust":
        await shop.send(api, sale, {
          kind: "adjust",
          adjustmentId: shop.newAdjustmentId(),
          units: step.units,
          reason: "as counted",
          actor: "one",
        });
        break;
    }
    await turns(2);
  }
  // Whoever asks finds out about a loss.
  await shop.buy(api, sale, { buyer: shop.buyer("last") });
  for (const purchase of shop.purchases())
    if (purchase.state === "reserved") await shop.send(api, sale, { kind: "cancel", purchaseId: purchase.id });
}

/** Whether cache and ledger have the same in the end, and all of it is free. */
async function agree(shop: QueuedShop): Promise<boolean> {
  const sale = saleOf(shop);
  const { balances } = shop.read(sale);
  if (balances.held !== 0 || balances.available !== balances.issued - balances.withdrawn) return false;
  const scope = must(shop.store.tables.scopes.get(sale));
  const look = await shop.redis.look({ scopeId: sale, epoch: scope.epoch, saleId: sale });
  return look.kind === "ok" && look.value.available === balances.available && look.value.feed === scope.feed;
}

const rollback = (plant?: (shop: QueuedShop) => void) =>
  fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), (script, stock) =>
    withShop(async (shop) => {
      plant?.(shop);
      await play(shop, script, stock);
      if (plant === undefined) await eventually(() => agree(shop), "the cache to have what the ledger has");
      else {
        await turns(60);
        expect(await agree(shop)).toBe(true);
      }
    }),
  );

const title =
  "[J1-5] [I10] rollback is consistent where a cache decides: giving everything back, across losses of the cache, leaves cache and ledger alike";
test(title, () => check(title, rollback(), 60), 60_000);

test("[J1-5] control: a cache that misses what flows back is refuted", async () => {
  const deaf = (shop: QueuedShop) => {
    const { apply } = shop.redis;
    shop.redis.apply = (ask) => apply({ ...ask, row: { ...ask.row, patch: { ...ask.row.patch, available: 0 } } });
  };
  const refuted = async (plant: (shop: QueuedShop) => void) =>
    (await fc.check(rollback(plant), { numRuns: 60, endOnFailure: true })).failed;
  expect([await refuted(() => undefined), await refuted(deaf)]).toEqual([false, true]);
}, 60_000);
