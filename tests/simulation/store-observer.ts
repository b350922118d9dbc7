/** Whoever hears of everything in the moment it becomes durable, and the writes of a catalogue that tell it. */
import type { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { BuyerId, ProductId } from "../../src/domain/ids.ts";
import type { InventoryChange } from "../../src/domain/inventory.ts";
import type { Product } from "../../src/domain/product.ts";
import type { Catalogue, InventoryChanged, NewSale } from "../../src/ports/catalogue.ts";
import type { CommitResult, LedgerBatch } from "../../src/ports/stock-ledger.ts";

export type Committed = Extract<CommitResult, { kind: "committed" }>;

export interface StoreObserver {
  /** `nowMs`: the time that it was decided by. `writer`: the process's number, where there are several. */
  committed(batch: LedgerBatch, result: Committed, nowMs: number, writer?: number): void;
  addProduct(product: Product): void;
  changeInventory(change: InventoryChange, answer: InventoryChanged): void;
  addSale(sale: NewSale): void;
  setQuota(productId: ProductId, buyerId: BuyerId, units: number | undefined): void;
}

/** What a write needs to be done alone. */
export type WriteName = { readonly name: string; readonly keys: readonly string[] };

export type CatalogueDeps = {
  readonly store: MemoryStore;
  readonly observer: StoreObserver;
  readonly noteId: (id: string) => void;
  readonly write: <Result>(what: WriteName, apply: () => Result) => Promise<Result>;
  readonly read: <Result>(run: () => Result) => Promise<Result>;
};

export function observedCatalogue({ store, observer, noteId, write, read }: CatalogueDeps): Catalogue {
  const product = (id: string) => `product ${id}`;
  return {
    addProduct: (added) =>
      write({ name: "addProduct", keys: [product(added.id)] }, () => {
        const answer = store.addProductNow(added);
        if (answer.kind === "added") observer.addProduct(answer.product);
        return answer;
      }),
    updateProduct: (update) => write({ name: "updateProduct", keys: [product(update.id)] }, () => store.updateProductNow(update)),
    deleteProduct: (deletion) => write({ name: "deleteProduct", keys: [product(deletion.id)] }, () => store.deleteProductNow(deletion)),
    changeInventory: (change) =>
      write({ name: "changeInventory", keys: [product(change.productId)] }, () => {
        noteId(change.id);
        const answer = store.changeInventoryNow(change);
        observer.changeInventory(change, answer);
        return answer;
      }),
    claimId: (claim) =>
      write({ name: "claimId", keys: [`claim ${claim.owner} ${claim.key}`] }, () => {
        noteId(claim.id);
        return store.claimIdNow(claim);
      }),
    addSale: (sale) =>
      write({ name: "addSale", keys: [`sale ${sale.id}`] }, () => {
        noteId(sale.id);
        const answer = store.addSaleNow(sale);
        if (answer.kind === "added") observer.addSale(sale);
        return answer;
      }),
    setQuota: (productId, buyerId, units) =>
      write({ name: "setQuota", keys: [`quota ${productId} ${buyerId}`] }, () => {
        observer.setQuota(productId, buyerId, units);
        return store.setQuotaNow(productId, buyerId, units);
      }),
    internBuyers: (buyers) =>
      buyers.every((buyer) => store.tables.buyerIds.has(`${buyer.issuer}\n${buyer.subject}`))
        ? read(() => store.internBuyersNow(buyers))
        : write({ name: "internBuyers", keys: ["buyers"] }, () => store.internBuyersNow(buyers)),
  };
}
