/**
 * Keeps what a batch decided, asserting what SQL constraints would refuse: unique ids, keys and ledger sources, and
 * that every update finds the state it was decided on.
 */
import { assert } from "../../lib/assert.ts";
import type { SaleFacts, SaleWrites } from "../../domain/batch-state.ts";
import type { InventoryEntry } from "../../domain/inventory.ts";
import type { LedgerEntry } from "../../domain/ledger.ts";
import { holdsKey, type Purchase } from "../../domain/purchase.ts";
import { joined, type Changes, type Tables } from "./tables.ts";

export function applyWrites(tables: Tables, facts: SaleFacts, writes: SaleWrites, changes: Changes): void {
  const { sale } = writes;
  assert(tables.sales.get(sale.id)?.feed === facts.sale.feed, "a sale is changed from the copy that was decided on");
  changes.set(tables.sales, sale.id, sale);
  if (writes.copyQuotas) copyQuotas(tables, sale, changes);
  for (const entry of writes.ledger) append(tables, entry, changes);
  for (const adjustment of writes.adjustments.values()) changes.insert(tables.adjustments, adjustment.id, adjustment, "an adjustment");
  moveInventory(tables, facts, writes, changes);
  for (const purchase of writes.newPurchases.values()) addPurchase(tables, purchase, changes);
  for (const { purchase, from } of writes.changedPurchases.values()) {
    assert(tables.purchases.get(purchase.id)?.state === from, `a purchase changes from "${from}", the state it was decided in`);
    changes.set(tables.purchases, purchase.id, purchase);
    // A line that is decided after it has waited takes its key.
    if (!holdsKey({ state: from }) && holdsKey(purchase)) takeKey(tables, purchase, changes);
  }
  for (const payment of writes.payments.values()) {
    assert(tables.purchases.has(payment.purchaseId), "a payment belongs to a purchase");
    changes.set(tables.payments, payment.id, payment);
  }
  for (const capture of writes.captures.values()) {
    assert(tables.payments.has(capture.paymentId), "a capture belongs to a payment");
    changes.insert(tables.captures, capture.id, capture, "a capture");
  }
  for (const refund of writes.refunds.values()) {
    assert(tables.captures.has(refund.captureId), "a refund belongs to a capture");
    changes.set(tables.refunds, refund.id, refund);
  }
  for (const id of writes.callbacks) changes.insert(tables.callbacks, id, true, "a callback");
}

function append(tables: Tables, entry: LedgerEntry, changes: Changes): void {
  const number = tables.ledger.size + 1;
  changes.insert(tables.ledgerSources, joined(entry.sourceId, entry.kind), number, "(source, kind) of a ledger entry");
  changes.insert(tables.ledger, number, entry, "a ledger entry's number");
}

function moveInventory(tables: Tables, facts: SaleFacts, { inventory }: SaleWrites, changes: Changes): void {
  const last = inventory.at(-1);
  if (last === undefined) return;
  const product = tables.products.get(last.productId);
  assert(product !== undefined && product.inventory === facts.product?.inventory, "an inventory changes from the count it was decided on");
  changes.set(tables.products, product.id, { ...product, inventory: last.balance, version: product.version + 1 });
  for (const entry of inventory) appendInventory(tables, entry, changes);
}

export function appendInventory(tables: Tables, entry: InventoryEntry, changes: Changes): void {
  assert(entry.balance === null || entry.balance >= 0, "free units ≥ 0");
  const number = tables.inventory.size + 1;
  const source = joined(entry.sourceId, entry.kind);
  changes.insert(tables.inventorySources, source, number, "(source, kind) of an inventory entry");
  changes.insert(tables.inventory, number, entry, "an inventory entry's number");
}

function addPurchase(tables: Tables, purchase: Purchase, changes: Changes): void {
  const { id, buyerId } = purchase;
  changes.insert(tables.purchases, id, purchase, "a purchase");
  if (holdsKey(purchase)) takeKey(tables, purchase, changes);
  changes.set(tables.purchasesOfBuyer, buyerId, [...(tables.purchasesOfBuyer.get(buyerId) ?? []), id]);
}

function takeKey(tables: Tables, { id, saleId, buyerId, key }: Purchase, changes: Changes): void {
  if (key !== undefined) changes.insert(tables.purchaseKeys, joined(saleId, buyerId, key), id, "(sale, buyer, key) of a purchase");
}

function copyQuotas(tables: Tables, sale: SaleWrites["sale"], changes: Changes): void {
  const prefix = joined(sale.productId, "");
  for (const [key, units] of tables.quotas)
    if (key.startsWith(prefix)) changes.insert(tables.saleQuotas, joined(sale.id, key.slice(prefix.length)), units, "a sale's quota");
}
