/**
 * Units that count against each buyer's limit, as the ledger goes by (I3): taken and not released, and where a sale frees
 * refunded units, not refunded since. The ledger does not show a refund without its units, so those come from the refunds'
 * times; a refund in the same millisecond as a take counts as before it.
 */
import type { LedgerRow } from "../../ports/audit-source.ts";
import type { SaleAudit, StoreTables } from "./store-tables.ts";

type Freed = { readonly atMs: number; readonly units: number };

export class BuyerUnits {
  readonly #units = new Map<string, Map<number, number>>();
  /** Latest first, so that the next one to count is at the end. */
  readonly #freed = new Map<string, Freed[]>();

  constructor(tables: StoreTables) {
    const { purchases } = tables;
    for (const { refund } of tables.refunds.values()) {
      const audit = tables.saleOf(refund.saleId);
      const row = tables.purchaseIn(refund.saleId, refund.purchaseId);
      if (audit === undefined || row < 0 || audit.sale.refundedUnitsCount || refund.reason !== "requested_by_shop") continue;
      const name = nameOf(audit, purchases.buyer.get(row));
      const list = this.#freed.get(name) ?? [];
      list.push({ atMs: refund.createdAtMs, units: purchases.quantity.get(row) });
      this.#freed.set(name, list);
    }
    for (const list of this.#freed.values()) list.sort((a, b) => b.atMs - a.atMs);
  }

  /** The buyer's units with this take. */
  take(audit: SaleAudit, buyer: number, entry: LedgerRow): number {
    return this.#add(audit, buyer, entry.units - this.#freedBy(audit, buyer, entry.atMs));
  }

  release(audit: SaleAudit, buyer: number, entry: LedgerRow): void {
    this.#add(audit, buyer, -entry.units);
  }

  #add(audit: SaleAudit, buyer: number, change: number): number {
    let group = this.#units.get(audit.limitGroup);
    if (group === undefined) this.#units.set(audit.limitGroup, (group = new Map()));
    const units = (group.get(buyer) ?? 0) + change;
    if (units === 0) group.delete(buyer);
    else group.set(buyer, units);
    return units;
  }

  #freedBy(audit: SaleAudit, buyer: number, atMs: number): number {
    const list = this.#freed.size === 0 ? undefined : this.#freed.get(nameOf(audit, buyer));
    let units = 0;
    for (let next = list?.at(-1); list !== undefined && next !== undefined && next.atMs <= atMs; next = list.at(-1)) {
      units += next.units;
      list.pop();
    }
    return units;
  }
}

const nameOf = (audit: SaleAudit, buyer: number) => `${buyer}\n${audit.limitGroup}`;
