/**
 * Keeps what a group's decision says is to be written. Where a batch holds many sales (SQLite), new purchases and ledger
 * entries are gathered over all groups and inserted together; everything else is written at once. Each change asserts that
 * it met the rows it was decided on, so a stale read can only fail the transaction.
 *
 * Nobody waits for the answers before all is written, so that to a server it travels together.
 */
import { assert } from "../../lib/assert.ts";
import type { SaleFacts, SaleWrites } from "../../domain/batch-state.ts";
import type { BuyerId, PurchaseId } from "../../domain/ids.ts";
import type { LedgerEntry } from "../../domain/ledger.ts";
import type { Capture, Payment, Refund } from "../../domain/payment.ts";
import type { Inventory, InventoryEntry } from "../../domain/inventory.ts";
import type { Money } from "../../domain/money.ts";
import { holdsKey, type Purchase, type PurchaseState } from "../../domain/purchase.ts";
import { sameDraft, type Sale } from "../../domain/sale.ts";
import { addToChangeLog } from "./change-log.ts";
import { ListStatement } from "./chunks.ts";
import { InsertStatement, insertInto, type InsertColumn, type ValueKind } from "./insert-statement.ts";
import { addAdjustments, addInventory } from "./inventory-rows.ts";
import type { Awaitable, SqlTransaction, SqlValue } from "./sql-transaction.ts";
import { updateStock } from "./stock-update.ts";

const purchase = {
  id: "id",
  sale_id: "id",
  product_id: "id",
  buyer_id: "integer",
  idempotency_key: "text",
  quantity: "integer",
  price_minor: "integer",
  currency: "text",
  buyer_limit: "integer",
  metadata: "text",
  accepted_at: "integer",
  pay_by: "integer",
  state: "text",
  hold_until: "integer",
  changed_at: "integer",
  refunded: "integer",
  extensions: "integer",
} as const;
const insertPurchases = insertInto("purchase", purchase);
/** With what only a purchase has that waits for a cut, or was refused after all. */
const insertUnsettled = insertInto("purchase", { ...purchase, key_aside: "text", refused_for: "text", superseded_by: "id" });
const insertEntries = insertInto("ledger", {
  sale_id: "id",
  source_id: "id",
  kind: "text",
  units: "integer",
  buyer_limit: "integer",
  at_ms: "integer",
});

const own = (name: string, kind: ValueKind): InsertColumn => ({ name, from: "row", kind });
const shared = (name: string, at: number): InsertColumn => ({ name, from: "common", at });
const fixed = (name: string, text: string): InsertColumn => ({ name, from: "sql", text });
/** Purchases of one sale reserved together. In common: sale, product, price and currency, times of the commit and of the deadline. */
const reserved = (acceptedAt: InsertColumn) =>
  new InsertStatement(
    "purchase",
    [
      own("id", "id"),
      shared("sale_id", 0),
      shared("product_id", 1),
      own("buyer_id", "integer"),
      own("idempotency_key", "text"),
      own("quantity", "integer"),
      shared("price_minor", 2),
      shared("currency", 3),
      own("buyer_limit", "integer"),
      own("metadata", "text"),
      acceptedAt,
      shared("pay_by", 5),
      fixed("state", "'reserved'"),
      shared("hold_until", 5),
      shared("changed_at", 4),
      fixed("refunded", "0"),
    ],
    ["id", "id", "integer", "text", "integer", "integer"],
  );
const insertAccepted = reserved(shared("accepted_at", 4));
/** Lines that a cache accepted, each at its own time. */
const insertSettled = reserved(own("accepted_at", "integer"));
/** Their ledger entries. In common: sale and time. */
const insertTakes = new InsertStatement(
  "ledger",
  [
    shared("sale_id", 0),
    own("source_id", "id"),
    fixed("kind", "'take'"),
    own("units", "integer"),
    own("buyer_limit", "integer"),
    shared("at_ms", 1),
  ],
  ["id", "integer"],
);
/** Fewer purchases than this are gathered with those of other sales. */
const kindredMin = 4;
// The hint as in ledger-facts.ts.
const movePurchases = new ListStatement(
  `UPDATE purchase SET state = ?, changed_at = ?, refunded = ? WHERE sale_id {+ 0} = # AND state = ? AND id IN :list`,
);
const settleParked = `UPDATE purchase SET state = ?, changed_at = ?, pay_by = ?, hold_until = ?, idempotency_key = ?, key_aside = ?, refused_for = ?,
    superseded_by = ? WHERE id = # AND sale_id = # AND state = ?`;
const moveHold = `UPDATE purchase SET hold_until = ?, extensions = ? WHERE id = # AND sale_id = #`;
const updateSwitches = `UPDATE sale SET phase = ?, paused = ?, has_quotas = ?, ends_at = ?, from_inventory = ?, settled_at = ?, reopens_at = ?,
    scope_id = ? WHERE id = #`;
const updateDraft = `UPDATE sale SET name = ?, price_minor = ?, currency = ?, stock = ?, per_buyer_limit = ?, limit_group = ?,
    refunded_units_count = ?, pay_window = ?, pay_extensions_max = ?, starts_at = ?, ends_at = ? WHERE id = #`;
const updateInventory = `UPDATE product SET inventory = ?, version = version + 1 WHERE id = # AND inventory IS NOT DISTINCT FROM ?`;
const copyQuotas = `INSERT INTO sale_quota (sale_id, buyer_id, units) SELECT CAST(# AS BIGINT), buyer_id, units FROM quota WHERE product_id = #`;
const insertPayment = `INSERT INTO payment (id, purchase_id, sale_id, provider, provider_ref, pay_url, amount_minor, currency, state,
    created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const updatePayment = `UPDATE payment SET provider_ref = ?, pay_url = ?, state = ?, changed_at = ? WHERE id = #`;
const insertCapture = `INSERT INTO capture (id, payment_id, purchase_id, sale_id, amount_minor, currency, kept, at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const insertRefund = `INSERT INTO refund (id, capture_id, payment_id, purchase_id, sale_id, provider, amount_minor, currency, reason,
    return_stock, state, tries, next_try_at, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const updateRefund = `UPDATE refund SET state = ?, tries = ?, next_try_at = ?, changed_at = ? WHERE id = #`;
const insertCallback = `INSERT INTO callback (id, received_at) VALUES (?, ?)`;
const noteTime = `UPDATE store SET last_at = ? WHERE one = 1 AND last_at < ?`;

/** What a group's facts were before deciding, which changes them in place. */
export type Before = {
  readonly sale: Sale;
  readonly purchases: ReadonlyMap<PurchaseId, Purchase>;
  readonly payments: ReadonlySet<string>;
  readonly refunds: ReadonlySet<string>;
  readonly inventory: Inventory | undefined;
};

const none: Pick<Before, "purchases" | "payments" | "refunds"> = { purchases: new Map(), payments: new Set(), refunds: new Set() };

/** Copies only what there is: a first take in each of many sales finds nothing. */
export function beforeDeciding({ sale, purchases, payments, refunds, product }: SaleFacts): Before {
  return {
    sale,
    inventory: product?.inventory,
    purchases: purchases.size === 0 ? none.purchases : new Map(purchases),
    payments: payments.size === 0 ? none.payments : new Set(payments.keys()),
    refunds: refunds.size === 0 ? none.refunds : new Set(refunds.keys()),
  };
}

/** The whole decision is takes, each as it was reserved: what a storm consists of. */
function isTakesOnly({ ledger, newPurchases }: SaleWrites): boolean {
  if (newPurchases.size < kindredMin || newPurchases.size !== ledger.length) return false;
  let price: Money | undefined;
  for (const purchase of newPurchases.values()) {
    if (purchase.state !== "reserved" || purchase.holdUntilMs !== purchase.payByMs) return false;
    price ??= purchase.price;
    if (purchase.price.minor !== price.minor || purchase.price.currency !== price.currency) return false;
  }
  return ledger.every(({ kind }) => kind === "take");
}

export class LedgerWriter {
  readonly #tx: SqlTransaction;
  readonly #nowMs: number;
  #purchases: SqlValue[] = [];
  #unsettled: SqlValue[] = [];
  #entries: SqlValue[] = [];
  #stock: SqlValue[] = [];
  #sent: Promise<unknown>[] = [];
  #wrote = false;

  constructor(tx: SqlTransaction, nowMs: number) {
    this.#tx = tx;
    this.#nowMs = nowMs;
  }

  /** Writes what was gathered; afterwards all is in the store. */
  async flush(): Promise<void> {
    this.#sendGathered();
    const sent = this.#sent;
    this.#sent = [];
    await Promise.all(sent);
  }

  /** Whether anything was written; the batch's time is kept with it. */
  async finish(): Promise<boolean> {
    await this.flush();
    // On a server each sale keeps its own last time: one row that every sale changes would make them wait for each other.
    if (this.#wrote && !this.#tx.dialect.shared) await this.#tx.execute(noteTime, [this.#nowMs, this.#nowMs]);
    return this.#wrote;
  }

  async write(before: Before, writes: SaleWrites): Promise<void> {
    this.#wrote = true;
    if (isTakesOnly(writes)) this.#insertTakes([...writes.newPurchases.values()]);
    else {
      for (const entry of writes.ledger) this.#addEntry(entry);
      for (const purchase of writes.newPurchases.values()) this.#addPurchase(purchase);
    }
    if (writes.sale !== before.sale || isCountedAnew(writes)) this.#addStock(before, writes);
    if (this.#tx.dialect.shared) {
      this.#sendGathered();
      this.#send(addToChangeLog(this.#tx, { ...writes, nowMs: this.#nowMs }));
    }
    if (isRedefined(before.sale, writes.sale)) await this.#redefine(before.sale, writes);
    if (writes.adjustments.size > 0) await addAdjustments(this.#tx, writes.adjustments.values());
    if (writes.inventory.length > 0) await this.#moveInventory(before.inventory, writes.inventory);
    if (writes.changedPurchases.size > 0) await this.#movePurchases(before, writes);
    // A payment refers to its purchase's row, which may be one of this group's.
    if (writes.payments.size > 0 && writes.newPurchases.size > 0) await this.flush();
    for (const payment of writes.payments.values()) await this.#putPayment(payment, before.payments.has(payment.id));
    for (const capture of writes.captures.values()) await this.#addCapture(capture);
    for (const refund of writes.refunds.values()) await this.#putRefund(refund, before.refunds.has(refund.id));
    for (const id of writes.callbacks) await this.#one(insertCallback, [id, this.#nowMs]);
  }

  #sendGathered(): void {
    const purchases = this.#purchases;
    const unsettled = this.#unsettled;
    const entries = this.#entries;
    const stock = this.#stock;
    this.#purchases = [];
    this.#unsettled = [];
    this.#entries = [];
    this.#stock = [];
    if (purchases.length > 0) this.#send(this.#tx.insert(insertPurchases, purchases));
    if (unsettled.length > 0) this.#send(this.#tx.insert(insertUnsettled, unsettled));
    if (entries.length > 0) this.#send(this.#tx.insert(insertEntries, entries));
    if (stock.length > 0) this.#send(updateStock(this.#tx, stock, this.#nowMs));
  }

  #send(answer: Awaitable<unknown>): void {
    if (!(answer instanceof Promise)) return;
    // Should something else fail before anybody waits for it.
    answer.catch(() => {});
    this.#sent.push(answer);
  }

  /** Purchases of one sale accepted together, in the order of their ledger entries, which say nothing that they do not. */
  #insertTakes(purchases: readonly Purchase[]): void {
    const [first] = purchases;
    assert(first !== undefined, "there are purchases to insert");
    const { saleId, productId, price, changedAtMs, payByMs } = first;
    // A line was accepted before it comes here, each at its own time.
    const cameByCache = purchases.some(({ acceptedAtMs }) => acceptedAtMs !== changedAtMs);
    const rows: SqlValue[] = [];
    const entries: SqlValue[] = [];
    for (const { id, buyerId, key, quantity, limit, metadata, acceptedAtMs } of purchases) {
      rows.push(id, buyerId, key ?? null, quantity, limit, metadata ?? null);
      if (cameByCache) rows.push(acceptedAtMs);
      entries.push(id, quantity, limit);
    }
    const common = [saleId, productId, price.minor, price.currency, changedAtMs, payByMs];
    this.#send(this.#tx.insert(cameByCache ? insertSettled : insertAccepted, rows, common));
    this.#send(this.#tx.insert(insertTakes, entries, [saleId, changedAtMs]));
  }

  #addEntry({ saleId, sourceId, kind, units, limit, atMs }: LedgerEntry): void {
    this.#entries.push(saleId, sourceId, kind, units, limit ?? null, atMs);
  }

  #addPurchase(p: Purchase): void {
    const keeps = holdsKey(p);
    const rows = keeps ? this.#purchases : this.#unsettled;
    rows.push(
      p.id,
      p.saleId,
      p.productId,
      p.buyerId,
      keeps ? (p.key ?? null) : null,
      p.quantity,
      p.price.minor,
      p.price.currency,
      p.limit,
      p.metadata ?? null,
      p.acceptedAtMs,
      p.payByMs,
      p.state,
      p.holdUntilMs,
      p.changedAtMs,
      p.refunded ? 1 : 0,
      p.extensions,
    );
    if (!keeps) rows.push(p.key ?? null, p.refusedFor ?? null, p.supersededBy ?? null);
  }

  #addStock(before: Before, writes: SaleWrites): void {
    const { id, feed, balances } = writes.sale;
    const { reserved, paid, cancelled, expired, closed, queued, refused } = countsChanged(writes);
    this.#stock.push(id, before.sale.feed, feed, balances.issued, balances.available, balances.held, balances.sold, balances.withdrawn);
    this.#stock.push(newBuyers(before, writes), reserved, paid, cancelled, expired, closed, queued, refused);
  }

  async #redefine(before: Sale, { sale, copyQuotas: withQuotas }: SaleWrites): Promise<void> {
    const { id, name, price, stock, perBuyerLimit, limitGroup, payWindowMs, payExtensionsMax, startsAtMs, endsAtMs } = sale;
    if (before.phase === "draft" && !sameDraft(before, sale)) {
      const terms = [name, price.minor, price.currency, stock, perBuyerLimit, limitGroup ?? null, sale.refundedUnitsCount ? 1 : 0];
      await this.#one(updateDraft, [...terms, payWindowMs, payExtensionsMax, startsAtMs, endsAtMs, id]);
    }
    const flags = [sale.phase, sale.paused ? 1 : 0, sale.hasQuotas ? 1 : 0, endsAtMs, sale.fromInventory ? 1 : 0];
    await this.#one(updateSwitches, [...flags, sale.settledAtMs ?? null, sale.reopensAtMs ?? null, sale.scopeId ?? null, id]);
    if (withQuotas) await this.#tx.execute(copyQuotas, [sale.id, sale.productId]);
  }

  /** At once, for another group of the batch may be of the same product. */
  async #moveInventory(before: Inventory | undefined, entries: readonly InventoryEntry[]): Promise<void> {
    const last = entries.at(-1);
    assert(before !== undefined && last !== undefined, "units move from a count that was read");
    await this.#one(updateInventory, [last.balance, last.productId, before]);
    await addInventory(this.#tx, entries);
  }

  /** Purchases that make the same step move in one statement. */
  async #movePurchases(before: Before, writes: SaleWrites): Promise<void> {
    const steps = new Map<string, { to: Purchase; from: PurchaseState; ids: PurchaseId[] }>();
    for (const { purchase, from } of writes.changedPurchases.values()) {
      const old = before.purchases.get(purchase.id);
      assert(old !== undefined, "a purchase that changes was read or is new");
      if (from === "queued") await this.#settleParked(purchase, from);
      const isMoved = old.extensions !== purchase.extensions || (from !== "queued" && old.holdUntilMs !== purchase.holdUntilMs);
      if (isMoved) await this.#one(moveHold, [purchase.holdUntilMs, purchase.extensions, purchase.id, purchase.saleId]);
      if (from === "queued") continue;
      const name = `${from} ${purchase.state} ${purchase.changedAtMs} ${purchase.refunded}`;
      const step = steps.get(name);
      if (step === undefined) steps.set(name, { to: purchase, from, ids: [purchase.id] });
      else step.ids.push(purchase.id);
    }
    for (const { to, from, ids } of steps.values()) {
      const params = [to.state, to.changedAtMs, to.refunded ? 1 : 0, to.saleId, from];
      const matched = await movePurchases.execute(this.#tx, params, ids);
      assert(matched === ids.length, `${ids.length} purchases change from "${from}", the state they were decided in, got ${matched}`);
    }
  }

  async #settleParked(p: Purchase, from: PurchaseState): Promise<void> {
    const keys = holdsKey(p) ? [p.key ?? null, null] : [null, p.key ?? null];
    const how = [p.state, p.changedAtMs, p.payByMs, p.holdUntilMs, ...keys, p.refusedFor ?? null, p.supersededBy ?? null];
    await this.#one(settleParked, [...how, p.id, p.saleId, from]);
  }

  async #putPayment(p: Payment, known: boolean): Promise<void> {
    const { id, purchaseId, saleId, provider, money, state } = p;
    const ref = p.providerRef ?? null;
    const url = p.payUrl ?? null;
    if (known) return this.#one(updatePayment, [ref, url, state, p.changedAtMs, id]);
    const amount = [money.minor, money.currency];
    await this.#one(insertPayment, [id, purchaseId, saleId, provider, ref, url, ...amount, state, p.createdAtMs, p.changedAtMs]);
  }

  async #addCapture(c: Capture): Promise<void> {
    await this.#one(insertCapture, [c.id, c.paymentId, c.purchaseId, c.saleId, c.money.minor, c.money.currency, c.kept ? 1 : 0, c.atMs]);
  }

  async #putRefund(r: Refund, known: boolean): Promise<void> {
    if (known) return this.#one(updateRefund, [r.state, r.tries, r.nextTryAtMs, r.changedAtMs, r.id]);
    const what = [r.id, r.captureId, r.paymentId, r.purchaseId, r.saleId, r.provider, r.money.minor, r.money.currency, r.reason];
    const progress = [r.returnStock ? 1 : 0, r.state, r.tries, r.nextTryAtMs, r.createdAtMs, r.changedAtMs];
    await this.#one(insertRefund, [...what, ...progress]);
  }

  async #one(sql: string, params: readonly SqlValue[]): Promise<void> {
    const matched = await this.#tx.execute(sql, params);
    assert(matched === 1, `a change meets the one row it was decided on, got ${matched}: ${sql}`);
  }
}

/** Whether anything changed but the balances and the feed. */
export function isRedefined(before: Sale, after: Sale): boolean {
  return (
    before.phase !== after.phase ||
    before.paused !== after.paused ||
    before.hasQuotas !== after.hasQuotas ||
    before.endsAtMs !== after.endsAtMs ||
    before.fromInventory !== after.fromInventory ||
    before.settledAtMs !== after.settledAtMs ||
    before.reopensAtMs !== after.reopensAtMs ||
    (before.phase === "draft" && !sameDraft(before, after))
  );
}

/** A line that is parked or refused changes the sale's counts and nothing else of it. */
function isCountedAnew({ newPurchases, changedPurchases }: SaleWrites): boolean {
  if (newPurchases.size > 0) return true;
  for (const { from } of changedPurchases.values()) if (from === "queued") return true;
  return false;
}

function countsChanged({ newPurchases, changedPurchases }: SaleWrites): Record<PurchaseState, number> {
  const counts = { reserved: 0, paid: 0, cancelled: 0, expired: 0, closed: 0, queued: 0, refused: 0, offered: 0, stuck: 0 };
  for (const { state } of newPurchases.values()) counts[state] += 1;
  for (const { purchase, from } of changedPurchases.values()) {
    counts[from] -= 1;
    counts[purchase.state] += 1;
  }
  return counts;
}

/** Facts hold every purchase that a take's buyer has in the sale, so a buyer without any is new to it. */
function newBuyers({ purchases }: Before, { newPurchases }: SaleWrites): number {
  const buyers = new Set<BuyerId>();
  for (const { buyerId } of newPurchases.values()) buyers.add(buyerId);
  for (const { buyerId } of purchases.values()) buyers.delete(buyerId);
  return buyers.size;
}
