/** Sales, quotas and buyers: writes outside the acceptance path, each one transaction of the writer. All of them may be repeated. */
import { assert } from "../../lib/assert.ts";
import type { Buyer, BuyerId, ProductId, SaleId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Catalogue, NewSale } from "../../ports/catalogue.ts";
import { RowsStatement } from "./chunks.ts";
import { readProduct } from "./product-writes.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

const selectSale = `SELECT ${saleColumns} FROM sale WHERE id = ?`;
const insertSale = `INSERT INTO sale (id, product_id, name, price_minor, currency, stock, per_buyer_limit, limit_group,
    refunded_units_count, pay_window, starts_at, ends_at, phase, paused, has_quotas, issued, available, held, sold, withdrawn, feed,
    created_at, seller) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'draft', 0, 0, 0, 0, 0, 0, 0, 0, ?, ?)`;
const selectSubmission = `SELECT CAST(sale_id AS TEXT) AS sale_id, fingerprint FROM submission WHERE owner = ? AND submission_key = ?`;
const insertSubmission = `INSERT INTO submission (owner, submission_key, sale_id, fingerprint) VALUES (?, ?, ?, ?)`;
const deleteQuota = `DELETE FROM quota WHERE product_id = ? AND buyer_id = ?`;
const insertQuota = `INSERT INTO quota (product_id, buyer_id, units) VALUES (?, ?, ?)`;
const selectBuyer = `SELECT id FROM buyer WHERE issuer = ? AND subject = ?`;
const nextBuyer = `SELECT coalesce(max(id), 0) + 1 AS id FROM buyer`;
const insertBuyers = new RowsStatement(`INSERT INTO buyer (id, issuer, subject) VALUES :rows`, "(?, ?, ?)");

export async function addSale(tx: SqlTransaction, { id, draft, createdAtMs, submission }: NewSale): ReturnType<Catalogue["addSale"]> {
  type Row = { readonly sale_id: SaleId; readonly fingerprint: string };
  const [first] = submission === undefined ? [] : await tx.query<Row>(selectSubmission, [submission.owner, submission.key]);
  if (first !== undefined) {
    const sale = await readSale(tx, first.sale_id);
    assert(sale !== undefined, "a submission has its sale");
    return first.fingerprint === submission?.fingerprint ? { kind: "exists", sale } : { kind: "differs" };
  }
  const product = await readProduct(tx, draft.productId);
  if (product === undefined) return { kind: "product_unknown" };
  const again = await readSale(tx, id);
  if (again !== undefined) return { kind: "exists", sale: again };
  const { price, limitGroup, refundedUnitsCount, payWindowMs, startsAtMs, endsAtMs } = draft;
  const what = [id, draft.productId, draft.name, price.minor, price.currency, draft.stock, draft.perBuyerLimit, limitGroup ?? null];
  await tx.execute(insertSale, [...what, refundedUnitsCount ? 1 : 0, payWindowMs, startsAtMs, endsAtMs, createdAtMs, product.seller]);
  if (submission !== undefined) await tx.execute(insertSubmission, [submission.owner, submission.key, id, submission.fingerprint]);
  const sale = await readSale(tx, id);
  assert(sale !== undefined, "a sale just written is there");
  return { kind: "added", sale };
}

async function readSale(tx: SqlTransaction, id: SaleId): Promise<Sale | undefined> {
  const [row] = await tx.query<SaleRow>(selectSale, [id]);
  return row && saleOf(row);
}

export async function setQuota(
  tx: SqlTransaction,
  productId: ProductId,
  buyerId: BuyerId,
  units: number | undefined,
): ReturnType<Catalogue["setQuota"]> {
  if ((await readProduct(tx, productId)) === undefined) return "product_unknown";
  await tx.execute(deleteQuota, [productId, buyerId]);
  if (units !== undefined) await tx.execute(insertQuota, [productId, buyerId, units]);
  return "set";
}

/** Ids count up from 1 without gaps, so the largest is how many there are. */
export async function internBuyers(tx: SqlTransaction, buyers: readonly Buyer[]): Promise<readonly BuyerId[]> {
  const ids: BuyerId[] = [];
  const fresh = new Map<string, BuyerId>();
  let next: BuyerId | undefined;
  for (const { issuer, subject } of buyers) {
    const name = `${issuer}\n${subject}`;
    let id = fresh.get(name) ?? (await tx.query<{ id: BuyerId }>(selectBuyer, [issuer, subject]))[0]?.id;
    if (id === undefined) {
      next ??= (await tx.query<{ id: BuyerId }>(nextBuyer, []))[0]?.id;
      assert(next !== undefined, "the next buyer has a number");
      id = next;
      fresh.set(name, id);
      // One more than a buyer's id is a buyer's id by its use here.
      next = (next + 1) as BuyerId;
    }
    ids.push(id);
  }
  await insertBuyers.execute(
    tx,
    [...fresh].flatMap(([name, id]) => [id, name.slice(0, name.indexOf("\n")), name.slice(name.indexOf("\n") + 1)]),
  );
  return ids;
}
