/**
 * What the cache is loaded with, in pages by buyer from one view of the ledger: nobody has to hold all of a large sale, and
 * no statement takes long. A page is read while the one before it is dealt with.
 */
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import { payloadFingerprint } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";
import type { CutKey, CutSale } from "../../ports/queue-ledger.ts";
import type { SqlReads } from "./sql-transaction.ts";

/**
 * MySQL alone reads what stands in such a comment: the name that it gave the key of sale, buyer and key. Left to itself it
 * begins at the sale's first buyer for every page.
 */
const byBuyer = "/*! FORCE INDEX (sale_id) */";
/** The state stands in no condition: an index that begins with it knows no order of buyers, and each page would read all. */
const unitsOf = `SELECT buyer_id, sum(CASE WHEN state = 'reserved' OR (state = 'paid' AND (refunded = 0 OR ? = 1)) THEN quantity ELSE 0 END) AS units
  FROM purchase ${byBuyer} WHERE sale_id = # AND buyer_id > ? GROUP BY buyer_id ORDER BY buyer_id LIMIT ?`;
const attemptsOf = `SELECT buyer_id, count(*) AS attempts FROM purchase ${byBuyer} WHERE sale_id = # AND buyer_id > ? GROUP BY buyer_id ORDER BY buyer_id LIMIT ?`;
const parkedOf = `SELECT buyer_id, count(*) AS parked FROM purchase WHERE sale_id = # AND state = 'queued' GROUP BY buyer_id`;
const quotasOf = `SELECT buyer_id, units FROM sale_quota WHERE sale_id = #`;
const keysOf = `SELECT CAST(id AS TEXT) AS id, buyer_id, idempotency_key, quantity, metadata FROM purchase ${byBuyer}
  WHERE sale_id = # AND buyer_id >= ? AND (buyer_id > ? OR idempotency_key > ?) AND idempotency_key IS NOT NULL
  ORDER BY buyer_id, idempotency_key LIMIT ?`;

const pageMax = 10_000;

type Counted = { readonly buyer_id: BuyerId };
type Units = readonly [buyerId: BuyerId, units: number];
type KeyRow = Counted & {
  readonly id: PurchaseId;
  readonly idempotency_key: string;
  readonly quantity: number;
  readonly metadata: string | null;
};

/** `countMax`: rows in a page. */
export type PageTerms = { readonly countMax?: number | undefined };

export async function cutSaleOf(db: SqlReads, sale: Sale, terms: PageTerms = {}): Promise<CutSale> {
  const quotas = sale.hasQuotas ? await db.query<Counted & { units: number }>(quotasOf, [sale.id]) : [];
  return {
    sale,
    quotas: quotas.map((row) => [row.buyer_id, row.units]),
    attempts: attemptsPages(db, sale.id, terms),
    keys: keysPages(db, sale.id, terms),
  };
}

async function* attemptsPages(db: SqlReads, saleId: SaleId, { countMax = pageMax }: PageTerms): AsyncGenerator<readonly Units[]> {
  // What came since the cut waits, and is an attempt when it is asked for.
  const parked = new Map<BuyerId, number>();
  for (const row of await db.query<Counted & { parked: number }>(parkedOf, [saleId])) parked.set(row.buyer_id, row.parked);
  const read = (after: BuyerId | 0) => db.query<Counted & { attempts: number }>(attemptsOf, [saleId, after, countMax]);
  for await (const rows of inPages(read, (row) => row.buyer_id, countMax))
    yield rows.map((row): Units => [row.buyer_id, row.attempts - (parked.get(row.buyer_id) ?? 0)]).filter(([, attempts]) => attempts > 0);
}

async function* keysPages(db: SqlReads, saleId: SaleId, { countMax = pageMax }: PageTerms): AsyncGenerator<readonly CutKey[]> {
  const read = (after: KeyRow | 0) => {
    const [buyer, key] = after === 0 ? [0, ""] : [after.buyer_id, after.idempotency_key];
    return db.query<KeyRow>(keysOf, [saleId, buyer, buyer, key, countMax]);
  };
  for await (const rows of inPages(read, (row) => row, countMax)) yield rows.map(keyOf);
}

const keyOf = ({ id, buyer_id: buyerId, idempotency_key: key, quantity, metadata }: KeyRow): CutKey => [
  buyerId,
  key,
  id,
  payloadFingerprint({ quantity, metadata: metadata ?? undefined }),
];

/** Units that count against buyers' limits, over all of the sales. */
export async function* unitsPages(
  db: SqlReads,
  sales: readonly Sale[],
  { countMax = pageMax }: PageTerms = {},
): AsyncGenerator<readonly Units[]> {
  const sources = sales.map((sale) => new Source(unitsOfSale(db, sale, Math.max(1, Math.ceil(countMax / sales.length)))));
  for (;;) {
    for (const source of sources) await source.fill();
    const left = sources.filter(({ last }) => last !== undefined);
    if (left.length === 0) return;
    // Of buyers up to here every sale has said what it has.
    const horizon = Math.min(...left.map(({ last = 0 }) => last));
    const sums = new Map<BuyerId, number>();
    for (const source of left)
      for (const [buyerId, units] of source.take(horizon)) if (units > 0) sums.set(buyerId, (sums.get(buyerId) ?? 0) + units);
    yield [...sums];
  }
}

async function* unitsOfSale(db: SqlReads, sale: Sale, countMax: number): AsyncGenerator<readonly Units[]> {
  const read = (after: BuyerId | 0) =>
    db.query<Counted & { units: number }>(unitsOf, [sale.refundedUnitsCount ? 1 : 0, sale.id, after, countMax]);
  for await (const rows of inPages(read, (row) => row.buyer_id, countMax)) yield rows.map((row) => [row.buyer_id, row.units]);
}

/** A sale's buyers in their order, as far as they are read and not taken. */
class Source {
  readonly #pages: AsyncIterator<readonly Units[]>;
  #page: readonly Units[] = [];

  constructor(pages: AsyncIterable<readonly Units[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  get last(): BuyerId | undefined {
    return this.#page.at(-1)?.[0];
  }

  async fill(): Promise<void> {
    while (this.#page.length === 0) {
      const next = await this.#pages.next();
      if (next.done === true) return;
      this.#page = next.value;
    }
  }

  take(upTo: number): readonly Units[] {
    const end = this.#page.findIndex(([buyerId]) => buyerId > upTo);
    const taken = end < 0 ? this.#page : this.#page.slice(0, end);
    this.#page = end < 0 ? [] : this.#page.slice(end);
    return taken;
  }
}

/** One page after the other, each behind the last row of the one before. */
async function* inPages<Row, Place>(
  read: (after: Place | 0) => Promise<readonly Row[]> | readonly Row[],
  placeOf: (row: Row) => Place,
  countMax: number,
): AsyncGenerator<readonly Row[]> {
  for (let next = Promise.resolve(read(0)); ;) {
    const rows = await next;
    const last = rows.length < countMax ? undefined : rows.at(-1);
    if (last !== undefined) {
      next = Promise.resolve(read(placeOf(last)));
      // Whoever leaves off in the middle does not wait for it.
      next.catch(() => undefined);
    }
    yield rows;
    if (last === undefined) return;
  }
}
