/** A memory store with sales that are live at `sampleNowMs`, for tests of the engine. */
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { BuyerId, SaleId } from "../../src/domain/ids.ts";
import type { Take } from "../../src/domain/movement.ts";
import type { SaleDraft, SaleSwitch } from "../../src/domain/sale.ts";
import { money, must, productId, purchaseId, sampleDraft, sampleNowMs } from "./samples.ts";

export function storeWith(sales: readonly (readonly [SaleId, Partial<SaleDraft>])[], store = new MemoryStore()): MemoryStore {
  store.addProductNow({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
  for (const [id, change] of sales) {
    store.addSaleNow({ id, draft: sampleDraft(change), createdAtMs: 0 });
    switchNow(store, id, { kind: "publish", pastAllowed: true });
  }
  return store;
}

export function switchNow(store: MemoryStore, saleId: SaleId, change: SaleSwitch): void {
  store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId, movements: [{ kind: "switch", change }] }] });
}

export const internNow = (store: MemoryStore, subject: string): BuyerId => must(store.internBuyersNow([{ issuer: "local", subject }])[0]);

let lastId = 1_000;
export const takeBy = (buyerId: BuyerId, change: Partial<Take> = {}): Take => ({
  kind: "take",
  purchaseId: purchaseId(String(++lastId)),
  buyerId,
  quantity: 1,
  ...change,
});
