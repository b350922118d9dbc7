/**
 * Reads what deciding a group of one sale's movements needs to know (SaleFacts): a handful of statements, whatever the
 * number of movements. A movement sees only rows of its own sale, but captures, callbacks and adjustments by their ids,
 * which are unique everywhere.
 */
import { unreachable } from "../../lib/assert.ts";
import { noFacts, type SaleFacts } from "../../domain/batch-state.ts";
import type { AdjustmentId, BuyerId, PaymentId, PurchaseId, RefundId, SaleId } from "../../domain/ids.ts";
import { unitsAside } from "../../domain/lines-aside.ts";
import type { Movement } from "../../domain/movement.ts";
import { countsAgainstLimit } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";
import { ListStatement, stepwise } from "./chunks.ts";
import { adjustmentColumns, adjustmentOf, type AdjustmentRow } from "./inventory-rows.ts";
import {
  captureColumns,
  captureOf,
  paymentColumns,
  paymentOf,
  purchaseColumns,
  purchaseOf,
  refundColumns,
  refundOf,
  type CaptureRow,
  type PaymentRow,
  type PurchaseRow,
  type RefundRow,
  type SaleRow,
} from "./rows.ts";
import { readLinesAside } from "./lines-aside.ts";
import type { Awaitable, SqlTransaction } from "./sql-transaction.ts";

const purchasesOfBuyers = stepwise({ columns: purchaseColumns, from: "purchase", by: "sale_id", each: "buyer_id" });
// By its sale a purchase must not be looked for: that would read the whole of it.
const purchasesById = new ListStatement(`SELECT ${purchaseColumns} FROM purchase WHERE sale_id {+ 0} = # AND id IN :list`);
const othersInGroup = `SELECT CAST(sale.id AS TEXT) AS id, refunded_units_count FROM sale WHERE seller = ? AND limit_group = ? AND id <> #`;
const unitsOfBuyers = stepwise({ columns: "buyer_id, quantity, state, refunded", from: "purchase", by: "sale_id", each: "buyer_id" });
const quotasOfSale = stepwise({ columns: "buyer_id, units", from: "sale_quota", by: "sale_id", each: "buyer_id" });
const quotasOfProduct = stepwise({ columns: "buyer_id, units", from: "quota", by: "product_id", each: "buyer_id" });
const paymentsById = new ListStatement(`SELECT ${paymentColumns} FROM payment WHERE sale_id = # AND id IN :list`);
const paymentsOfPurchases = new ListStatement(`SELECT ${paymentColumns} FROM payment WHERE sale_id = # AND purchase_id IN :list`);
const capturesById = new ListStatement(`SELECT ${captureColumns} FROM capture WHERE id IN :list`, { of: "texts" });
const capturesOfPurchases = new ListStatement(`SELECT ${captureColumns} FROM capture WHERE sale_id = # AND purchase_id IN :list`);
const refundsById = new ListStatement(`SELECT ${refundColumns} FROM refund WHERE sale_id = # AND id IN :list`);
const refundsOfPurchases = new ListStatement(`SELECT ${refundColumns} FROM refund WHERE sale_id = # AND purchase_id IN :list`);
const callbacksById = new ListStatement(`SELECT id FROM callback WHERE id IN :list`, { of: "texts" });
const adjustmentsById = new ListStatement(`SELECT ${adjustmentColumns} FROM adjustment WHERE id IN :list`);
const productById = `SELECT inventory, deleted_at FROM product WHERE id = # {lock}`;
const productHasQuota = `SELECT 1 AS one FROM quota WHERE product_id = # LIMIT 1`;
const groupLimit = `SELECT per_buyer_limit FROM sale WHERE seller = ? AND limit_group = ? AND id <> # AND phase = 'published' LIMIT 1`;

/** What the movements name. */
class Named {
  readonly buyers = new Set<BuyerId>();
  readonly purchases = new Set<PurchaseId>();
  readonly payments = new Set<PaymentId>();
  readonly withPayments = new Set<PurchaseId>();
  readonly captures = new Set<string>();
  readonly toRefund = new Set<PurchaseId>();
  readonly refunds = new Set<RefundId>();
  readonly callbacks = new Set<string>();
  readonly adjustments = new Set<AdjustmentId>();
  publishes = false;
  /** Whether units may leave the sale for its product's inventory, or come from there. */
  supplies = false;

  constructor(movements: readonly Movement[]) {
    for (const movement of movements) this.#add(movement);
  }

  #add(movement: Movement): void {
    switch (movement.kind) {
      case "take":
        if (movement.key === undefined) this.purchases.add(movement.purchaseId);
        this.buyers.add(movement.buyerId);
        return;
      case "cancel":
      case "expire":
      case "close":
      case "extend_hold":
        this.purchases.add(movement.purchaseId);
        return;
      case "start_payment":
        this.purchases.add(movement.purchaseId);
        this.withPayments.add(movement.purchaseId);
        this.payments.add(movement.paymentId);
        return;
      case "capture":
        this.captures.add(movement.captureId);
        return this.#addPayment(movement);
      case "update_payment":
        return this.#addPayment(movement);
      case "refund":
        this.purchases.add(movement.purchaseId);
        this.withPayments.add(movement.purchaseId);
        this.toRefund.add(movement.purchaseId);
        return;
      case "update_refund":
        this.refunds.add(movement.refundId);
        return;
      case "adjust":
      case "settle":
        this.adjustments.add(movement.adjustmentId);
        this.supplies = true;
        return;
      case "switch":
        this.publishes ||= movement.change.kind === "publish";
        this.supplies ||= movement.change.kind === "cancel_sale";
        return;
      case "admit":
      case "decline":
        this.purchases.add(movement.line.purchaseId);
        this.buyers.add(movement.line.buyerId);
        return;
      case "unpark":
        this.purchases.add(movement.purchaseId);
        this.buyers.add(movement.buyerId);
        return;
      case "edit":
        return;
      default:
        return unreachable(movement);
    }
  }

  #addPayment({ paymentId, callbackId }: { paymentId: PaymentId; callbackId?: string | undefined }): void {
    this.payments.add(paymentId);
    if (callbackId !== undefined) this.callbacks.add(callbackId);
  }
}

/** What is known of a group before its sale is read, and may be asked for together with it. */
export type Asked = { readonly named: Named; readonly purchases: Awaitable<readonly PurchaseRow[]> };

export function askAhead(tx: SqlTransaction, saleId: SaleId, movements: readonly Movement[]): Asked {
  const named = new Named(movements);
  return { named, purchases: named.buyers.size > 0 ? purchasesOfBuyers.query<PurchaseRow>(tx, [saleId], [...named.buyers]) : [] };
}

export async function readFacts(tx: SqlTransaction, sale: Sale, { named, purchases }: Asked): Promise<SaleFacts> {
  // A publish that only repeats copies nothing: the quotas of today are for later sales.
  const publishes = named.publishes && sale.phase === "draft";
  const facts: SaleFacts = publishes ? { ...noFacts(sale), ...(await readForPublishing(tx, sale)) } : await readSupply(tx, sale, named);
  for (const row of await purchases) facts.purchases.set(row.id, purchaseOf(row));
  if (named.buyers.size > 0) await readLimits(tx, facts, [...named.buyers]);
  if (named.payments.size + named.withPayments.size > 0) await readPayments(tx, facts, named);
  if (named.purchases.size > 0) {
    const missing = [...named.purchases].filter((id) => !facts.purchases.has(id));
    for (const row of await purchasesById.query<PurchaseRow>(tx, [sale.id], missing)) facts.purchases.set(row.id, purchaseOf(row));
  }
  if (named.captures.size + named.toRefund.size + named.refunds.size + named.callbacks.size > 0) await readMoney(tx, facts, named);
  if (named.adjustments.size > 0) {
    for (const row of await adjustmentsById.query<AdjustmentRow>(tx, [], [...named.adjustments]))
      facts.adjustments.set(row.id, adjustmentOf(row));
  }
  return facts;
}

type Stocked = { readonly inventory: number | null; readonly deleted_at: number | null };

async function readSupply(tx: SqlTransaction, sale: Sale, named: Named): Promise<SaleFacts> {
  const { scopeId } = sale;
  if (named.adjustments.size === 0 || scopeId === undefined) return readInventory(tx, sale, named);
  return { ...(await readInventory(tx, sale, named)), unitsAside: unitsAside(await readLinesAside(tx, scopeId), sale.id) };
}

async function readInventory(tx: SqlTransaction, sale: Sale, { supplies }: Named): Promise<SaleFacts> {
  if (!supplies || !sale.fromInventory) return noFacts(sale);
  const [product] = await tx.query<Stocked>(productById, [sale.productId]);
  return { ...noFacts(sale), product };
}

async function readForPublishing(tx: SqlTransaction, sale: Sale): Promise<Pick<SaleFacts, "productHasQuotas" | "groupLimit" | "product">> {
  const [quota] = await tx.query(productHasQuota, [sale.productId]);
  const other =
    sale.limitGroup === undefined
      ? undefined
      : (await tx.query<{ per_buyer_limit: number }>(groupLimit, [sale.seller, sale.limitGroup, sale.id]))[0];
  const [product] = await tx.query<Stocked>(productById, [sale.productId]);
  return {
    productHasQuotas: quota !== undefined,
    groupLimit: other?.per_buyer_limit,
    product: product?.deleted_at === null ? product : undefined,
  };
}

type UnitsRow = { readonly buyer_id: BuyerId; readonly units: number };
type HeldRow = Pick<PurchaseRow, "buyer_id" | "quantity" | "state" | "refunded">;

async function readLimits(tx: SqlTransaction, facts: SaleFacts, buyers: readonly BuyerId[]): Promise<void> {
  const { sale } = facts;
  if (sale.limitGroup !== undefined) await readUnitsElsewhere(tx, facts, buyers);
  // A publish in this very group copies the product's quotas before the takes behind it are decided.
  if (sale.hasQuotas || facts.productHasQuotas) {
    const rows = sale.hasQuotas
      ? await quotasOfSale.query<UnitsRow>(tx, [sale.id], buyers)
      : await quotasOfProduct.query<UnitsRow>(tx, [sale.productId], buyers);
    for (const row of rows) facts.quotas.set(row.buyer_id, row.units);
  }
}

/** The group's other sales one by one: each wants its own steps in the index of buyers. */
async function readUnitsElsewhere(tx: SqlTransaction, { sale, unitsElsewhere }: SaleFacts, buyers: readonly BuyerId[]): Promise<void> {
  type OtherRow = Pick<SaleRow, "id" | "refunded_units_count">;
  const others = await tx.query<OtherRow>(othersInGroup, [sale.seller, sale.limitGroup ?? null, sale.id]);
  const held = await Promise.all(others.map(({ id }) => unitsOfBuyers.query<HeldRow>(tx, [id], buyers)));
  for (const [i, rows] of held.entries())
    for (const { buyer_id: buyer, quantity, state, refunded } of rows)
      if (countsAgainstLimit({ state, refunded: refunded === 1 }, others[i]?.refunded_units_count === 1))
        unitsElsewhere.set(buyer, (unitsElsewhere.get(buyer) ?? 0) + quantity);
}

/** The payments named and those of purchases named; whatever a payment is for is named by it too. */
async function readPayments(tx: SqlTransaction, facts: SaleFacts, named: Named): Promise<void> {
  const { id } = facts.sale;
  const rows = [
    ...(await paymentsById.query<PaymentRow>(tx, [id], [...named.payments])),
    ...(await paymentsOfPurchases.query<PaymentRow>(tx, [id], [...named.withPayments])),
  ];
  for (const row of rows) {
    facts.payments.set(row.id, paymentOf(row));
    named.purchases.add(row.purchase_id);
  }
}

async function readMoney(tx: SqlTransaction, facts: SaleFacts, named: Named): Promise<void> {
  const { id } = facts.sale;
  const toRefund = [...named.toRefund];
  const captures = [
    ...(await capturesById.query<CaptureRow>(tx, [], [...named.captures])),
    ...(await capturesOfPurchases.query<CaptureRow>(tx, [id], toRefund)),
  ];
  for (const row of captures) facts.captures.set(row.id, captureOf(row));
  const refunds = [
    ...(await refundsById.query<RefundRow>(tx, [id], [...named.refunds])),
    ...(await refundsOfPurchases.query<RefundRow>(tx, [id], toRefund)),
  ];
  for (const row of refunds) facts.refunds.set(row.id, refundOf(row));
  for (const row of await callbacksById.query<{ id: string }>(tx, [], [...named.callbacks])) facts.callbacks.add(row.id);
}
