import { expect, test } from "bun:test";
import { parseCurrency } from "../../domain/money.ts";
import { parseProductId, parsePurchaseId, parseSaleId, type BuyerId } from "../../domain/ids.ts";
import type { Take } from "../../domain/movement.ts";
import { MemoryStore } from "./memory-store.ts";

// Literals that the parsers accept.
const productId = parseProductId("7")!;
const saleId = parseSaleId("8")!;
const currency = parseCurrency("EUR")!;
const price = { minor: 500, currency };

function liveStore(store = new MemoryStore()): { store: MemoryStore; buyerId: BuyerId } {
  store.addProductNow({ id: productId, name: "Lamp", price, seller: "shop", createdAtMs: 0 });
  const window = { startsAtMs: 0, endsAtMs: 1_000 };
  const rules = { perBuyerLimit: 1, refundedUnitsCount: true, payWindowMs: 60_000, payExtensionsMax: 10 };
  store.addSaleNow({ id: saleId, draft: { productId, name: "Lamp", price, stock: 2, ...rules, ...window }, createdAtMs: 0 });
  store.commitNow({ nowMs: 0, groups: [{ saleId, movements: [{ kind: "switch", change: { kind: "publish" } }] }] });
  const [buyerId] = store.internBuyersNow([{ issuer: "local", subject: "ann" }]);
  return { store, buyerId: buyerId! };
}

const take = (buyerId: BuyerId, id: string, key?: string): Take => ({
  kind: "take",
  purchaseId: parsePurchaseId(id)!,
  buyerId,
  key,
  quantity: 1,
});

test("a snapshot is a state of its own: restoring it forgets what came after", () => {
  const { store, buyerId } = liveStore();
  const before = store.snapshot();
  store.commitNow({ nowMs: 1, groups: [{ saleId, movements: [take(buyerId, "100")] }] });
  const after = store.snapshot();
  store.restore(before);
  expect(store.tables.purchases.size).toBe(0);
  expect(store.tables.sales.get(saleId)?.balances.available).toBe(2);
  store.restore(after);
  expect(store.tables.purchases.size).toBe(1);
  expect(store.tables.sales.get(saleId)?.balances.available).toBe(1);
});

test("[I8] a batch that would break a unique constraint leaves nothing behind, and names a bad line", async () => {
  const { store, buyerId } = liveStore();
  const [other] = store.internBuyersNow([{ issuer: "local", subject: "bob" }]);
  store.commitNow({ nowMs: 1, groups: [{ saleId, movements: [take(buyerId, "100", "a")] }] });
  const before = store.snapshot();
  // The same purchase id for another buyer: ids are unique, so the whole batch fails.
  const batch = { nowMs: 2, groups: [{ saleId, movements: [take(other!, "100", "b")] }] };
  expect(() => store.commitNow(batch)).toThrow("(source, kind) of a ledger entry is unique");
  expect(store.snapshot()).toEqual(before);
  expect(await store.commit(batch)).toMatchObject({ kind: "failed", cause: "bad_line" });
  expect(store.snapshot()).toEqual(before);
});
