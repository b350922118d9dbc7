/** What deciding a batch needs to know (SaleFacts), read from the tables. A movement sees only rows of its own sale. */
import { noFacts, type SaleFacts } from "../../domain/batch-state.ts";
import type { AdjustmentId, BuyerId, PaymentId, PurchaseId, RefundId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { unitsAside } from "../../domain/lines-aside.ts";
import type { Movement } from "../../domain/movement.ts";
import { countsAgainstLimit, type Purchase } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";
import type { DeadLetter } from "../../ports/queue-ledger.ts";
import { joined, type Tables } from "./tables.ts";

export function gatherFacts(tables: Tables, sale: Sale, movements: readonly Movement[]): SaleFacts {
  const facts: SaleFacts = {
    ...noFacts(sale),
    productHasQuotas: publishes(sale, movements) && [...tables.quotas.keys()].some((key) => key.startsWith(joined(sale.productId, ""))),
    product: productOf(tables, sale, movements),
    unitsAside: sale.scopeId === undefined ? undefined : unitsAside(linesAsideOf(tables, sale.scopeId), sale.id),
    groupLimit: otherSalesOfGroup(tables, sale).find((other) => other.phase === "published")?.perBuyerLimit,
  };
  const gather = new Gatherer(tables, facts);
  for (const movement of movements) gather.movement(movement);
  return facts;
}

/** Lines of the scope that were put aside and have not been decided since, as their letters. */
export function linesAsideOf({ deadLetters, purchases }: Tables, scopeId: ScopeId): Extract<DeadLetter, { kind: "line" }>[] {
  const isOpen = (id: PurchaseId) => (purchases.get(id)?.state ?? "queued") === "queued";
  return [...deadLetters.values()].flatMap((letter) =>
    letter.kind === "line" && letter.scopeId === scopeId && isOpen(letter.line.purchaseId) ? [letter] : [],
  );
}

/** A publish that only repeats copies nothing: the quotas of today are for later sales. */
function publishes({ phase }: Sale, movements: readonly Movement[]): boolean {
  return phase === "draft" && movements.some((movement) => movement.kind === "switch" && movement.change.kind === "publish");
}

/** Read where units may move between the sale and its product. */
function productOf(tables: Tables, sale: Sale, movements: readonly Movement[]): SaleFacts["product"] {
  const product = tables.products.get(sale.productId);
  if (publishes(sale, movements)) return product?.deletedAtMs === undefined ? product : undefined;
  return sale.fromInventory ? product : undefined;
}

function otherSalesOfGroup(tables: Tables, sale: Sale): Sale[] {
  if (sale.limitGroup === undefined) return [];
  return [...tables.sales.values()].filter(
    (other) => other.id !== sale.id && other.seller === sale.seller && other.limitGroup === sale.limitGroup,
  );
}

class Gatherer {
  readonly #tables: Tables;
  readonly #facts: SaleFacts;

  constructor(tables: Tables, facts: SaleFacts) {
    this.#tables = tables;
    this.#facts = facts;
  }

  movement(movement: Movement): void {
    switch (movement.kind) {
      case "take":
        this.#purchase(movement.purchaseId);
        return this.#buyer(movement.buyerId);
      case "cancel":
      case "expire":
      case "close":
      case "extend_hold":
        return this.#purchase(movement.purchaseId);
      case "start_payment":
        this.#payment(movement.paymentId);
        return this.#purchaseWithPayments(movement.purchaseId);
      case "update_payment":
        this.#callback(movement.callbackId);
        return this.#payment(movement.paymentId);
      case "capture":
        this.#callback(movement.callbackId);
        this.#capture(movement.captureId);
        return this.#payment(movement.paymentId);
      case "refund":
        return this.#refundsOf(movement.purchaseId);
      case "update_refund":
        return this.#refund(movement.refundId);
      case "adjust":
      case "settle":
        return this.#adjustment(movement.adjustmentId);
      case "admit":
        this.#purchase(movement.line.purchaseId);
        return this.#buyer(movement.line.buyerId);
      case "unpark":
        this.#purchase(movement.purchaseId);
        return this.#buyer(movement.buyerId);
      case "decline":
        return this.#purchase(movement.line.purchaseId);
      case "switch":
      case "edit":
        return;
    }
  }

  #purchase(id: PurchaseId): void {
    const purchase = this.#tables.purchases.get(id);
    if (purchase?.saleId === this.#facts.sale.id) this.#facts.purchases.set(id, purchase);
  }

  #buyer(id: BuyerId): void {
    if (this.#facts.unitsElsewhere.has(id)) return;
    const { sale } = this.#facts;
    const theirs = this.#purchasesOf(id);
    for (const purchase of theirs) this.#purchase(purchase.id);
    const others = new Map(otherSalesOfGroup(this.#tables, sale).map((other) => [other.id, other]));
    let units = 0;
    for (const purchase of theirs) {
      const other = others.get(purchase.saleId);
      if (other !== undefined && countsAgainstLimit(purchase, other.refundedUnitsCount)) units += purchase.quantity;
    }
    this.#facts.unitsElsewhere.set(id, units);
    const { saleQuotas, quotas } = this.#tables;
    // A publish in this very commit copies the product's quotas before the takes behind it are decided.
    const toCopy = this.#facts.productHasQuotas ? quotas.get(joined(sale.productId, id)) : undefined;
    const quota = sale.hasQuotas ? saleQuotas.get(joined(sale.id, id)) : toCopy;
    if (quota !== undefined) this.#facts.quotas.set(id, quota);
  }

  #purchasesOf(id: BuyerId): Purchase[] {
    const ids = this.#tables.purchasesOfBuyer.get(id) ?? [];
    return ids.map((purchaseId) => this.#tables.purchases.get(purchaseId)).filter((purchase) => purchase !== undefined);
  }

  #purchaseWithPayments(id: PurchaseId): void {
    this.#purchase(id);
    for (const payment of this.#tables.payments.values()) if (payment.purchaseId === id) this.#payment(payment.id);
  }

  #payment(id: PaymentId): void {
    const payment = this.#tables.payments.get(id);
    if (payment?.saleId !== this.#facts.sale.id) return;
    this.#facts.payments.set(id, payment);
    this.#purchase(payment.purchaseId);
  }

  #capture(id: string): void {
    const capture = this.#tables.captures.get(id);
    if (capture !== undefined) this.#facts.captures.set(id, capture);
  }

  #refundsOf(id: PurchaseId): void {
    this.#purchaseWithPayments(id);
    for (const capture of this.#tables.captures.values()) if (capture.purchaseId === id) this.#capture(capture.id);
    for (const refund of this.#tables.refunds.values()) if (refund.purchaseId === id) this.#refund(refund.id);
  }

  #refund(id: RefundId): void {
    const refund = this.#tables.refunds.get(id);
    if (refund?.saleId === this.#facts.sale.id) this.#facts.refunds.set(id, refund);
  }

  #callback(id: string | undefined): void {
    if (id !== undefined && this.#tables.callbacks.has(id)) this.#facts.callbacks.add(id);
  }

  #adjustment(id: AdjustmentId): void {
    const adjustment = this.#tables.adjustments.get(id);
    if (adjustment !== undefined) this.#facts.adjustments.set(id, adjustment);
  }
}
