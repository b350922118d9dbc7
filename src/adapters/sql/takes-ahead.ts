/**
 * The facts of a batch's plain groups, read for all of them together: a storm over many sales has one take per sale, and
 * a statement of its own for each would cost more than the rows do.
 *
 * Must stay true: a group is read ahead only if nothing that this batch writes before it can matter to it. So it is the
 * first of its sale, its sale counts with no other, and it holds only takes that are known by their keys.
 */
import { noFacts, type SaleFacts } from "../../domain/batch-state.ts";
import type { BuyerId, SaleId } from "../../domain/ids.ts";
import type { Movement } from "../../domain/movement.ts";
import type { Sale } from "../../domain/sale.ts";
import type { SaleGroup } from "../../ports/stock-ledger.ts";
import { RowsStatement } from "./chunks.ts";
import { purchaseColumns, purchaseOf, type PurchaseRow } from "./rows.ts";
import type { SqlTransaction, SqlValue } from "./sql-transaction.ts";

/** CROSS JOIN keeps the order: one step in the unique index for each row wanted. */
const purchasesOfPairs = new RowsStatement(
  `WITH wanted (in_sale, by_buyer) AS (VALUES :rows)
   SELECT ${purchaseColumns} FROM wanted CROSS JOIN purchase ON purchase.sale_id = in_sale AND purchase.buyer_id = by_buyer`,
  "(?, ?)",
);

export async function readTakesAhead(
  tx: SqlTransaction,
  groups: readonly SaleGroup[],
  sales: ReadonlyMap<SaleId, Sale>,
): Promise<Map<SaleId, SaleFacts>> {
  const ahead = new Map<SaleId, SaleFacts>();
  const pairs: SqlValue[] = [];
  const seen = new Set<SaleId>();
  for (const { saleId, movements } of groups) {
    const sale = sales.get(saleId);
    const first = !seen.has(saleId);
    seen.add(saleId);
    if (sale === undefined || !first || sale.limitGroup !== undefined || sale.hasQuotas) continue;
    const buyers = buyersOf(movements);
    if (buyers === undefined) continue;
    for (const buyerId of buyers) pairs.push(saleId, buyerId);
    ahead.set(saleId, noFacts(sale));
  }
  for (const row of await purchasesOfPairs.query<PurchaseRow>(tx, pairs)) ahead.get(row.sale_id)?.purchases.set(row.id, purchaseOf(row));
  return ahead;
}

/** Absent if there is anything but takes with keys. */
function buyersOf(movements: readonly Movement[]): Iterable<BuyerId> | undefined {
  const buyers = new Set<BuyerId>();
  for (const movement of movements) {
    if (movement.kind !== "take" || movement.key === undefined) return undefined;
    buyers.add(movement.buyerId);
  }
  return buyers;
}
