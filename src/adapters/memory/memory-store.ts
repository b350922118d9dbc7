/**
 * The whole store over plain maps: the reference that the SQL stores must agree with, and the simulation's disk.
 *
 * Invariant: it keeps what decideBatch decided, all of a batch or nothing, and refuses by assertion whatever a SQL
 * constraint would refuse. The synchronous methods (`…Now`) are the store; the port methods only wrap them in promises.
 * `snapshot` and `restore` let a simulation keep what was synced and lose the rest.
 */
import type { SaleFacts } from "../../domain/batch-state.ts";
import type { InventoryChange } from "../../domain/inventory.ts";
import { emptyBalances } from "../../domain/ledger.ts";
import {
  parseBuyerId,
  type Buyer,
  type BuyerId,
  type PaymentId,
  type ProductId,
  type PurchaseId,
  type RefundId,
  type SaleId,
} from "../../domain/ids.ts";
import type { Movement } from "../../domain/movement.ts";
import type { Product } from "../../domain/product.ts";
import type { Purchase } from "../../domain/purchase.ts";
import { decideBatch } from "../../domain/sale-batch.ts";
import type { Sale, SaleDraft } from "../../domain/sale.ts";
import { assert, InvariantBroken } from "../../lib/assert.ts";
import type { Catalogue, IdClaim, NewProduct, NewSale, ProductDeletion, ProductUpdate } from "../../ports/catalogue.ts";
import type { Page, ProductQuery, PurchaseQuery, Records, SaleQuery } from "../../ports/records.ts";
import type { CommitResult, LedgerBatch, SaleGroup, StockLedger } from "../../ports/stock-ledger.ts";
import { applyWrites } from "./apply-writes.ts";
import { gatherFacts } from "./gather-facts.ts";
import * as keep from "./keep-products.ts";
import { MemoryQueue, noteCommit, scopeToPublish, type QueueSetup } from "./memory-queue.ts";
import * as read from "./read-records.ts";
import { Changes, copyTables, emptyTables, joined, type Tables } from "./tables.ts";

/** The steps of a commit. Tests put a broken one in place of a true one, to see that something notices. */
export type CommitSteps = {
  readonly gather: typeof gatherFacts;
  readonly decide: typeof decideBatch;
  readonly apply: typeof applyWrites;
};
const trueSteps: CommitSteps = { gather: gatherFacts, decide: decideBatch, apply: applyWrites };

export type Snapshot = { readonly tables: Tables };
type Committed = Extract<CommitResult, { kind: "committed" }>;
type AddSaleResult = Awaited<ReturnType<Catalogue["addSale"]>>;

export class MemoryStore implements StockLedger, Catalogue, Records {
  readonly batchesAcrossSales: boolean;
  readonly #steps: CommitSteps;
  readonly #queue: QueueSetup | undefined;
  #tables: Tables = emptyTables();

  /** With `queue`, sales that are published from then on are the cache's to decide. */
  constructor(
    options: { steps?: Partial<CommitSteps> | undefined; batchesAcrossSales?: boolean | undefined; queue?: QueueSetup | undefined } = {},
  ) {
    this.#steps = { ...trueSteps, ...options.steps };
    this.batchesAcrossSales = options.batchesAcrossSales ?? true;
    this.#queue = options.queue;
  }

  /** The rows, for audits and models. Not to be changed. */
  get tables(): Readonly<Tables> {
    return this.#tables;
  }

  snapshot(): Snapshot {
    return { tables: copyTables(this.#tables) };
  }

  restore(snapshot: Snapshot): void {
    this.#tables = copyTables(snapshot.tables);
  }

  /** Throws InvariantBroken, with nothing changed, where a SQL constraint would fail the transaction. */
  commitNow(batch: LedgerBatch): Committed {
    const changes = new Changes();
    try {
      return { kind: "committed", groups: batch.groups.map((group) => this.#commitGroup(group, batch.nowMs, changes)) };
    } catch (error) {
      changes.undo();
      throw error;
    }
  }

  #commitGroup({ saleId, movements }: SaleGroup, nowMs: number, changes: Changes): Committed["groups"][number] {
    const sale = this.#tables.sales.get(saleId);
    if (sale === undefined) return { outcomes: movements.map(() => ({ kind: "sale_unknown" })) };
    const facts = this.#factsOf(sale, movements);
    const before = { sale, purchases: this.#queue === undefined ? facts.purchases : new Map(facts.purchases) };
    const { outcomes, writes, changed } = this.#steps.decide(facts, movements, nowMs);
    if (changed) this.#steps.apply(this.#tables, facts, writes, changes);
    if (changed && this.#queue !== undefined) noteCommit(this.#tables, { before, writes }, this.#queue, changes);
    return { outcomes, sale: writes.sale, ...(!this.batchesAcrossSales && { moved: writes.sale !== sale }) };
  }

  #factsOf(sale: Sale, movements: readonly Movement[]): SaleFacts {
    const facts = this.#steps.gather(this.#tables, sale, movements);
    if (this.#queue === undefined) return facts;
    const scope = sale.scopeId === undefined ? undefined : this.#tables.scopes.get(sale.scopeId);
    return { ...facts, scope, publishesTo: scopeToPublish(this.#tables, sale) };
  }

  /** The ledger's side of what the cache decides; only with `queue`. */
  queue(): MemoryQueue {
    const setup = this.#queue;
    assert(setup !== undefined, "the store was opened for the cache");
    return new MemoryQueue({
      tables: () => this.#tables,
      setup,
      commit: (saleId, movements, nowMs) => {
        const sale = this.#tables.sales.get(saleId);
        if (sale === undefined) return movements.map(() => ({ kind: "sale_unknown" }));
        const facts = this.#factsOf(sale, movements);
        const { outcomes, writes, changed } = this.#steps.decide(facts, movements, nowMs);
        if (changed) this.#steps.apply(this.#tables, facts, writes, new Changes());
        return outcomes;
      },
    });
  }

  addProductNow = (product: NewProduct) => keep.addProduct(this.#tables, product);
  updateProductNow = (update: ProductUpdate) => keep.updateProduct(this.#tables, update);
  deleteProductNow = (deletion: ProductDeletion) => keep.deleteProduct(this.#tables, deletion);
  changeInventoryNow = (change: InventoryChange) => keep.changeInventory(this.#tables, change);
  claimIdNow = (claim: IdClaim) => keep.claimId(this.#tables, claim);

  addSaleNow({ id, draft, createdAtMs, submission }: NewSale): AddSaleResult {
    const submissionKey = submission && joined(submission.owner, submission.key);
    const first = submissionKey === undefined ? undefined : this.#tables.submissions.get(submissionKey);
    if (first !== undefined) {
      const sale = this.#tables.sales.get(first.saleId);
      assert(sale !== undefined, "a submission has its sale");
      return first.fingerprint === submission?.fingerprint ? { kind: "exists", sale } : { kind: "differs" };
    }
    const product = this.#product(draft.productId);
    if (product === undefined) return { kind: "product_unknown" };
    const again = this.#tables.sales.get(id);
    if (again !== undefined) return { kind: "exists", sale: again };
    const sale = saleOf(id, { draft, seller: product.seller, createdAtMs });
    this.#tables.sales.set(id, sale);
    if (submission !== undefined && submissionKey !== undefined)
      this.#tables.submissions.set(submissionKey, { saleId: id, fingerprint: submission.fingerprint });
    return { kind: "added", sale };
  }

  setQuotaNow(productId: ProductId, buyerId: BuyerId, units: number | undefined): "set" | "product_unknown" {
    if (this.#product(productId) === undefined) return "product_unknown";
    const key = joined(productId, buyerId);
    if (units === undefined) this.#tables.quotas.delete(key);
    else this.#tables.quotas.set(key, units);
    return "set";
  }

  internBuyersNow(buyers: readonly Buyer[]): readonly BuyerId[] {
    return buyers.map(({ issuer, subject }) => {
      const name = joined(issuer, subject);
      const known = this.#tables.buyerIds.get(name);
      if (known !== undefined) return known;
      const id = parseBuyerId(this.#tables.buyers.size + 1);
      assert(id !== undefined, "buyers are counted from 1");
      this.#tables.buyers.set(id, { issuer, subject });
      this.#tables.buyerIds.set(name, id);
      return id;
    });
  }

  async commit(batch: LedgerBatch): Promise<CommitResult> {
    try {
      return this.commitNow(batch);
    } catch (error) {
      // As a SQL store would: the transaction is rolled back, and the engine finds the line that broke it.
      if (error instanceof InvariantBroken) return { kind: "failed", cause: "bad_line", message: error.message };
      throw error;
    }
  }

  #product(id: ProductId): Product | undefined {
    const product = this.#tables.products.get(id);
    return product?.deletedAtMs === undefined ? product : undefined;
  }

  addProduct = async (product: NewProduct) => this.addProductNow(product);
  updateProduct = async (update: ProductUpdate) => this.updateProductNow(update);
  deleteProduct = async (deletion: ProductDeletion) => this.deleteProductNow(deletion);
  changeInventory = async (change: InventoryChange) => this.changeInventoryNow(change);
  claimId = async (claim: IdClaim) => this.claimIdNow(claim);
  addSale = async (sale: NewSale) => this.addSaleNow(sale);
  setQuota = async (productId: ProductId, buyerId: BuyerId, units: number | undefined) => this.setQuotaNow(productId, buyerId, units);
  internBuyers = async (buyers: readonly Buyer[]) => this.internBuyersNow(buyers);

  buyerId = async ({ issuer, subject }: Buyer) => this.#tables.buyerIds.get(joined(issuer, subject));

  product = async (id: ProductId) => this.#product(id);
  productEver = async (id: ProductId) => this.#tables.products.get(id);
  products = async (query: ProductQuery, page: Page) => read.listProducts(this.#tables, query, page);
  productStock = async (id: ProductId) => read.productStockOf(this.#tables, id);
  inventoryOf = async (id: ProductId, page: Page) => read.listInventory(this.#tables, id, page);
  sale = async (id: SaleId) => this.#tables.sales.get(id);
  sales = async (query: SaleQuery, page: Page) => read.listSales(this.#tables, query, page);
  currentSaleOf = async (productId: ProductId, nowMs: number) => read.findCurrentSale(this.#tables, productId, nowMs);
  purchase = async (id: PurchaseId) => this.#tables.purchases.get(id);
  purchasesWithIds = async (ids: readonly PurchaseId[]) =>
    ids.flatMap((id) => {
      const purchase = this.#tables.purchases.get(id);
      return purchase === undefined ? [] : [purchase];
    });
  purchaseByKey = async (ask: { saleId: SaleId; buyerId: BuyerId; key: string }): Promise<Purchase | undefined> => {
    const id = this.#tables.purchaseKeys.get(joined(ask.saleId, ask.buyerId, ask.key));
    return id === undefined ? undefined : this.#tables.purchases.get(id);
  };
  purchaseByProductKey = async (ask: { productId: ProductId; buyerId: BuyerId; key: string }): Promise<Purchase | undefined> =>
    read.findByProductKey(this.#tables, ask);
  purchasesOf = async (buyerId: BuyerId, query: PurchaseQuery, page: Page) => read.listPurchases(this.#tables, buyerId, query, page);
  payment = async (id: PaymentId) => this.#tables.payments.get(id);
  paymentsOf = async (id: PurchaseId) => [...this.#tables.payments.values()].filter((payment) => payment.purchaseId === id);
  refundsOf = async (id: PurchaseId) => [...this.#tables.refunds.values()].filter((refund) => refund.purchaseId === id);
  refund = async (id: RefundId) => this.#tables.refunds.get(id);
  buyersOf = async (saleId: SaleId, after: number, countMax: number) => read.listBuyers(this.#tables, saleId, after, countMax);
  duePurchases = async (nowMs: number, countMax: number) => read.listDuePurchases(this.#tables, nowMs, countMax);
  purchasesToClose = async (countMax: number) => read.listPurchasesToClose(this.#tables, countMax);
  quietPayments = async (changedBeforeMs: number, countMax: number) => read.listQuietPayments(this.#tables, changedBeforeMs, countMax);
  dueRefunds = async (nowMs: number, countMax: number) => read.listDueRefunds(this.#tables, nowMs, countMax);
  adjustmentsOf = async (saleId: SaleId, page: Page) => read.listAdjustments(this.#tables, saleId, page);
  salesToSettle = async (nowMs: number, countMax: number) => read.listSalesToSettle(this.#tables, nowMs, countMax);
  counts = async (saleId: SaleId) => read.countPurchases(this.#tables, saleId);
  totals = async () => read.countAll(this.#tables);
}

function saleOf(id: SaleId, { draft, seller, createdAtMs }: { draft: SaleDraft; seller: string; createdAtMs: number }): Sale {
  const asDraft = { phase: "draft", paused: false, hasQuotas: false, fromInventory: false, balances: emptyBalances, feed: 0 } as const;
  return { ...draft, ...asDraft, id, seller, createdAtMs };
}
