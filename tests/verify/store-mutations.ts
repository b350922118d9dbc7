/**
 * Every single way we know to make good store evidence bad: one row dropped, doubled or altered. A mutation is listed only
 * where it contradicts something else that is stored or was answered; what nothing contradicts, no checker could find.
 */
import type { AuditRows } from "../../src/adapters/memory/audit-source.ts";
import type { LedgerRow } from "../../src/ports/audit-source.ts";
import { extensionMs } from "../../src/domain/purchase.ts";
import { idOf, type Evidence } from "./good-run.ts";

export type Mutation = { readonly name: string; readonly mutate: () => Evidence };
type Table = keyof AuditRows;
type RowOf<T extends Table> = AuditRows[T][number];

const freshId = "999999999999999";

export class StoreMutations {
  readonly #good: Evidence;
  readonly #found: Mutation[] = [];

  constructor(good: Evidence) {
    this.#good = good;
  }

  list(): Mutation[] {
    this.#products();
    this.#sales();
    this.#adjustments();
    this.#inventory();
    this.#quotas();
    this.#purchases();
    this.#ledger();
    this.#payments();
    this.#captures();
    this.#refunds();
    const { callbacks } = this.#good.rows;
    for (const id of callbacks) this.#replace("callbacks", "applied twice", [...callbacks, id]);
    return this.#found;
  }

  #replace<T extends Table>(table: T, name: string, rows: AuditRows[T]): void {
    this.#found.push({ name: `${table}: ${name}`, mutate: () => ({ ...this.#good, rows: { ...this.#good.rows, [table]: rows } }) });
  }

  /** Replaces the row at `index` by these rows: none drops it. */
  #splice<T extends Table>(table: T, index: number, name: string, rows: readonly RowOf<T>[]): void {
    // A table's rows are all of its own type; TypeScript cannot see that for a table named by a parameter.
    const all = this.#good.rows[table] as readonly RowOf<T>[];
    this.#replace(table, `row ${index} ${name}`, [...all.slice(0, index), ...rows, ...all.slice(index + 1)] as unknown as AuditRows[T]);
  }

  #alter<T extends Table>(table: T, index: number, row: RowOf<T>, changes: readonly Partial<RowOf<T>>[]): void {
    for (const change of changes) {
      // A partial row over a row is a row.
      if (Object.entries(change as object).every(([field, value]) => (row as Record<string, unknown>)[field] === value)) continue;
      this.#splice(
        table,
        index,
        JSON.stringify(change, (_, value: unknown) => value ?? "absent"),
        [{ ...(row as object), ...(change as object) } as RowOf<T>],
      );
    }
  }

  #dropAndDouble<T extends Table>(table: T, index: number, row: RowOf<T>): void {
    this.#splice(table, index, "dropped", []);
    this.#splice(table, index, "doubled", [row, row]);
  }

  #products(): void {
    const { products, sales } = this.#good.rows;
    for (const [i, product] of products.entries()) {
      this.#splice("products", i, "doubled", [product, product]);
      const sells = sales.some(({ productId }) => productId === product.id);
      if (sells) this.#splice("products", i, "dropped", []);
      if (sells) this.#alter("products", i, product, [{ seller: "somebody" }]);
      const { inventory } = product;
      this.#alter("products", i, product, [
        { inventory: inventory === null ? 0 : null },
        { inventory: (inventory ?? 0) + 1 },
        { version: 0 },
      ]);
    }
  }

  #adjustments(): void {
    const { adjustments, ledger } = this.#good.rows;
    for (const [i, row] of adjustments.entries()) {
      this.#splice("adjustments", i, "doubled", [row, row]);
      this.#alter("adjustments", i, row, [
        { applied: row.applied + 1 },
        { applied: row.applied - 1 },
        { asked: 0 },
        { saleId: idOf<typeof row.saleId>(99) },
        { kind: "gift" as "adjust" },
      ]);
      if (!ledger.some(({ sourceId }) => sourceId === row.id)) continue;
      this.#splice("adjustments", i, "dropped", []);
      this.#alter("adjustments", i, row, [
        { id: idOf<typeof row.id>(Number(freshId)) },
        { asked: -row.asked },
        { saleId: idOf<typeof row.saleId>(row.saleId === "100" ? 101 : 100) },
        { atMs: row.atMs + 1 },
        ...(row.kind === "adjust" ? [{ kind: "settle" as const }] : [{ asked: row.asked - 1 }]),
      ]);
    }
  }

  #inventory(): void {
    const { inventory } = this.#good.rows;
    for (const [i, row] of inventory.entries()) {
      const before = inventory[i - 1]?.balance ?? null;
      this.#splice("inventory", i, "doubled", [row, row]);
      this.#alter("inventory", i, row, [
        { units: row.units === null ? 1 : row.units + 1 },
        { balance: row.balance === null ? 1 : row.balance + 1 },
        { productId: idOf<typeof row.productId>(8) },
        { kind: "gift" as "count" },
      ]);
      const moves = row.kind === "allot" || row.kind === "return";
      // A count that finds what there was, or a step in uncounted times, may be left out unnoticed.
      if (moves || before !== row.balance) this.#splice("inventory", i, "dropped", []);
      if (moves) this.#alter("inventory", i, row, [{ sourceId: idOf<typeof row.sourceId>(Number(freshId)) }, { atMs: row.atMs + 1 }]);
      if (moves)
        this.#alter("inventory", i, row, [{ kind: row.kind === "allot" ? "return" : "allot" }, { kind: "adjust" }, { kind: "count" }]);
    }
  }

  #sales(): void {
    const { sales, purchases } = this.#good.rows;
    for (const [i, sale] of sales.entries()) {
      this.#dropAndDouble("sales", i, sale);
      const { balances: b } = sale;
      for (const account of ["issued", "available", "held", "sold", "withdrawn"] as const)
        this.#alter("sales", i, sale, [
          { balances: { ...b, [account]: b[account] + 1 } },
          { balances: { ...b, [account]: b[account] - 1 } },
        ]);
      this.#alter("sales", i, sale, [
        { balances: { ...b, held: b.held + 1, available: b.available - 1 } },
        { stock: sale.stock + 1 },
        { phase: "draft" },
        { seller: "somebody" },
        { productId: idOf(8) },
        { fromInventory: !sale.fromInventory },
        { settledAtMs: 1 },
      ]);
      if (!purchases.some(({ saleId }) => saleId === sale.id)) continue;
      this.#alter("sales", i, sale, [
        { payWindowMs: sale.payWindowMs + 1 },
        { productId: idOf(8) },
        { startsAtMs: sale.startsAtMs + 1_000_000 },
      ]);
      const plain = purchases.some((row) => row.saleId === sale.id && row.limit === sale.perBuyerLimit);
      if (plain) this.#alter("sales", i, sale, [{ perBuyerLimit: 1 }, { perBuyerLimit: 3 }]);
    }
  }

  #quotas(): void {
    const { quotas, purchases } = this.#good.rows;
    for (const [i, quota] of quotas.entries()) {
      if (!purchases.some((row) => row.saleId === quota.saleId && row.buyerId === quota.buyerId)) continue;
      this.#splice("quotas", i, "dropped", []);
      this.#alter("quotas", i, quota, [{ units: quota.units + 1 }, { units: quota.units - 1 }]);
    }
  }

  #purchases(): void {
    const { purchases, payments, buyers } = this.#good.rows;
    for (const [i, row] of purchases.entries()) {
      this.#dropAndDouble("purchases", i, row);
      const other = buyers.find(({ id }) => id !== row.buyerId);
      // Where a payment was started, rows do not say how many extensions came before it.
      const isPaidFor = payments.some(({ purchaseId }) => purchaseId === row.id);
      const blurMs = isPaidFor ? row.extensions * extensionMs : 0;
      const elsewhere = row.saleId === "100" ? "101" : "100";
      this.#alter("purchases", i, row, [
        { id: idOf<typeof row.id>(Number(freshId)) },
        { saleId: idOf<typeof row.saleId>(Number(elsewhere)) },
        { productId: idOf<typeof row.productId>(9) },
        { buyerId: other?.id ?? row.buyerId },
        { key: "never asked" },
        { key: row.key === undefined ? "new" : undefined },
        { quantity: row.quantity + 1 },
        { limit: row.limit + 1 },
        { limit: row.limit - 1 },
        { refunded: !row.refunded },
        { acceptedAtMs: row.acceptedAtMs - 1 },
        { payByMs: row.payByMs - 1 },
        { payByMs: row.payByMs + 1 },
        { holdUntilMs: row.holdUntilMs - blurMs - 1 },
        { holdUntilMs: row.holdUntilMs + blurMs + 1 },
        // Beyond what any sale gives.
        { extensions: 3 },
        { extensions: -1 },
        ...(isPaidFor ? [] : [{ extensions: row.extensions + 1 }]),
        { changedAtMs: row.changedAtMs + 1 },
        ...(["queued", "refused", "offered", "reserved", "paid", "cancelled", "expired", "closed", "stuck"] as const).map((state) => ({
          state,
        })),
      ]);
      // A state no table knows: what a bad migration or a flipped bit would leave.
      this.#alter("purchases", i, row, [{ state: "lost" as "paid" }]);
      if (isPaidFor) this.#alter("purchases", i, row, [{ price: { ...row.price, minor: row.price.minor + 1 } }]);
      const twin = purchases.find(
        ({ saleId, buyerId, key, id }) => saleId === row.saleId && buyerId === row.buyerId && key !== undefined && id !== row.id,
      );
      if (twin !== undefined) this.#alter("purchases", i, row, [{ key: twin.key }]);
    }
  }

  #ledger(): void {
    const { ledger } = this.#good.rows;
    for (const [i, row] of ledger.entries()) {
      this.#dropAndDouble("ledger", i, row);
      this.#splice("ledger", i, "doubled at the end of its kind", [row, { ...row, number: row.number + 1 }]);
      this.#alter("ledger", i, row, [{ units: row.units + 1 }, { units: row.units - 1 }, { units: 0 }, { units: row.units + 0.5 }]);
      const kinds = ["issue", "take", "pay", "cancel", "expire", "close", "return", "withdraw"] as const;
      this.#alter("ledger", i, row, [...kinds.map((kind) => ({ kind })), { kind: "gift" as "issue" }]);
      this.#alter("ledger", i, row, [{ saleId: idOf<typeof row.saleId>(row.saleId === "100" ? 101 : 100) }]);
      const { adjustments, sales } = this.#good.rows;
      const adjusted = adjustments.some(({ id }) => id === row.sourceId);
      const supplied = sales.some(({ id, fromInventory }) => id === row.saleId && fromInventory);
      if ((row.kind === "issue" || row.kind === "withdraw") && !adjusted && !supplied) continue;
      this.#alter("ledger", i, row, [
        { sourceId: idOf<typeof row.sourceId>(Number(freshId)) },
        { atMs: row.atMs + 1 },
        { atMs: row.atMs - 1 },
      ]);
      if (row.kind === "take")
        this.#alter("ledger", i, row, [{ limit: (row.limit ?? 0) + 1 }, { limit: (row.limit ?? 0) - 1 }, { limit: undefined }]);
      this.#early(i, row);
      this.#beforeItsTake(i, row);
    }
  }

  /** Expired before the deadline, with every date telling the same lie. */
  #early(i: number, row: LedgerRow): void {
    if (row.kind !== "expire") return;
    const { rows } = this.#good;
    const lie = (holdUntilMs: number) => holdUntilMs - 1;
    const purchases = rows.purchases.map((p) => (p.id === row.sourceId ? { ...p, changedAtMs: lie(p.holdUntilMs) } : p));
    const early = rows.purchases.find((p) => p.id === row.sourceId)?.holdUntilMs ?? 0;
    const ledger = rows.ledger.map((entry, n) => (n === i ? { ...entry, atMs: lie(early) } : entry));
    this.#found.push({ name: `ledger: row ${i} expires early`, mutate: () => ({ ...this.#good, rows: { ...rows, purchases, ledger } }) });
  }

  #beforeItsTake(i: number, row: LedgerRow): void {
    const { ledger } = this.#good.rows;
    const take = ledger.findIndex(({ kind, sourceId }) => kind === "take" && sourceId === row.sourceId);
    const [taken] = ledger.slice(take, take + 1);
    if (take < 0 || take >= i || taken === undefined) return;
    const moved = ledger.map((entry, n) => (n === i ? taken : n === take ? row : entry));
    this.#replace("ledger", `row ${i} stands before its take`, moved);
  }

  #payments(): void {
    const { payments, captures, purchases } = this.#good.rows;
    for (const [i, row] of payments.entries()) {
      this.#splice("payments", i, "doubled", [row, row]);
      if (captures.some(({ paymentId }) => paymentId === row.id)) this.#splice("payments", i, "dropped", []);
      const other = purchases.find(
        ({ id, saleId }) =>
          id !== row.purchaseId && saleId === row.saleId && captures.some(({ purchaseId }) => purchaseId === row.purchaseId),
      );
      this.#alter("payments", i, row, [
        {
          money: {
            ...row.money,
            minor: row.money.minor + 1,
          },
        },
        {
          money: {
            ...row.money,
            currency: "EUR" as typeof row.money.currency,
          },
        },
        { state: row.state === "captured" ? ("failed" as const) : ("captured" as const) },
        { state: "lost" as "failed" },
        { purchaseId: idOf<typeof row.purchaseId>(Number(freshId)) },
        { saleId: idOf<typeof row.saleId>(row.saleId === "100" ? 101 : 100) },
      ]);
      const captured = captures.some(({ paymentId }) => paymentId === row.id);
      if (other !== undefined && captured) this.#alter("payments", i, row, [{ purchaseId: other.id }]);
    }
  }

  #captures(): void {
    for (const [i, row] of this.#good.rows.captures.entries()) {
      this.#dropAndDouble("captures", i, row);
      this.#splice("captures", i, "taken once more under another id", [row, { ...row, id: `${row.id}-again` }]);
      this.#alter("captures", i, row, [
        { kept: !row.kept },
        {
          money: {
            ...row.money,
            minor: row.money.minor - 1,
          },
        },
        { id: "c-other" },
        {
          money: {
            ...row.money,
            currency: "EUR" as typeof row.money.currency,
          },
        },
        { paymentId: idOf<typeof row.paymentId>(Number(freshId)) },
        { purchaseId: idOf<typeof row.purchaseId>(Number(freshId)) },
      ]);
    }
  }

  #refunds(): void {
    for (const [i, row] of this.#good.rows.refunds.entries()) {
      this.#dropAndDouble("refunds", i, row);
      this.#splice("refunds", i, "made once more under another id", [row, { ...row, id: idOf<typeof row.id>(Number(freshId)) }]);
      const reasons = ["order_closed", "second_capture", "wrong_amount", "requested_by_shop"] as const;
      this.#alter("refunds", i, row, [
        ...reasons.map((reason) => ({ reason })),
        { money: { ...row.money, minor: row.money.minor - 1 } },
        { captureId: "c-other" },
        { returnStock: !row.returnStock },
        { purchaseId: idOf<typeof row.purchaseId>(Number(freshId)) },
        { paymentId: idOf<typeof row.paymentId>(Number(freshId)) },
        { state: "lost" as "done" },
        { id: idOf<typeof row.id>(Number(freshId)) },
        ...(row.returnStock ? [{ createdAtMs: row.createdAtMs + 1 }] : []),
      ]);
    }
  }
}
