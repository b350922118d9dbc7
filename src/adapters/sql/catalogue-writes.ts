/** Sales, quotas and buyers: writes outside the acceptance path, each one transaction of the writer. All of them may be repeated. */
import { assert } from "../../lib/assert.ts";
import type { Buyer, BuyerId, ProductId, SaleId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Catalogue, NewSale } from "../../ports/catalogue.ts";
import { stepwise } from "./chunks.ts";
import { insertInto } from "./insert-statement.ts";
import { readProduct } from "./product-writes.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

const selectSale = `SELECT ${saleColumns} FROM sale WHERE id = #`;
const insertSale = `INSERT INTO sale (id, product_id, name, price_minor, currency, stock, per_buyer_limit, limit_group,
    refunded_units_count, pay_window, starts_at, ends_at, phase, paused, has_quotas, issued, available, held, sold, withdrawn, feed,
    created_at, seller, pay_extensions_max) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'draft', 0, 0, 0, 0, 0, 0, 0, 0, ?, ?, ?)`;
const selectSubmission = `SELECT CAST(sale_id AS TEXT) AS sale_id, fingerprint FROM submission WHERE owner = ? AND submission_key = ?`;
const insertSubmission = `INSERT INTO submission (owner, submission_key, sale_id, fingerprint) VALUES (?, ?, ?, ?)`;
const deleteQuota = `DELETE FROM quota WHERE product_id = # AND buyer_id = ?`;
const insertQuota = `INSERT INTO quota (product_id, buyer_id, units) VALUES (?, ?, ?)`;
const buyersOfIssuer = stepwise({ columns: "id, issuer, subject", from: "buyer", by: "issuer", each: "subject", of: "texts" });
/** One process after another gives out numbers. */
const numbersMutex = `SELECT one FROM store WHERE one = 1 {lock}`;
const nextBuyer = `SELECT coalesce(max(id), 0) + 1 AS id FROM buyer`;
const insertBuyers = insertInto("buyer", { id: "integer", issuer: "text", subject: "text" });

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
  const { price, limitGroup, refundedUnitsCount, payWindowMs, payExtensionsMax, startsAtMs, endsAtMs } = draft;
  const what = [id, draft.productId, draft.name, price.minor, price.currency, draft.stock, draft.perBuyerLimit, limitGroup ?? null];
  const when = [payWindowMs, startsAtMs, endsAtMs, createdAtMs];
  await tx.execute(insertSale, [...what, refundedUnitsCount ? 1 : 0, ...when, product.seller, payExtensionsMax]);
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

/** Numbers count up from 1 without gaps, so the largest is how many there are. */
export async function internBuyers(tx: SqlTransaction, buyers: readonly Buyer[]): Promise<readonly BuyerId[]> {
  const known = await knownBuyers(tx, buyers);
  if (buyers.every((buyer) => known.has(nameOf(buyer)))) return idsOf(buyers, known);
  if (tx.dialect.shared) {
    await tx.query(numbersMutex, []);
    // Whoever had it before may have met some of them.
    for (const [name, id] of await knownBuyers(tx, buyers)) known.set(name, id);
  }
  const [first] = await tx.query<{ id: BuyerId }>(nextBuyer, []);
  assert(first !== undefined, "the next buyer has a number");
  let next: number = first.id;
  const rows: (string | number)[] = [];
  for (const buyer of buyers) {
    if (known.has(nameOf(buyer))) continue;
    // The next number is the buyer's by its use here.
    known.set(nameOf(buyer), next as BuyerId);
    rows.push(next++, buyer.issuer, buyer.subject);
  }
  await tx.insert(insertBuyers, rows);
  return idsOf(buyers, known);
}

type BuyerRow = Buyer & { readonly id: BuyerId };
const nameOf = ({ issuer, subject }: Buyer) => `${issuer}\n${subject}`;

async function knownBuyers(tx: SqlTransaction, buyers: readonly Buyer[]): Promise<Map<string, BuyerId>> {
  const known = new Map<string, BuyerId>();
  for (const [issuer, ofIssuer] of Map.groupBy(buyers, (buyer) => buyer.issuer)) {
    const subjects = [...new Set(ofIssuer.map(({ subject }) => subject))];
    for (const row of await buyersOfIssuer.query<BuyerRow>(tx, [issuer], subjects)) known.set(nameOf(row), row.id);
  }
  return known;
}

function idsOf(buyers: readonly Buyer[], known: ReadonlyMap<string, BuyerId>): readonly BuyerId[] {
  return buyers.map((buyer) => {
    const id = known.get(nameOf(buyer));
    assert(id !== undefined, "every buyer has a number");
    return id;
  });
}
