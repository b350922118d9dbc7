/**
 * Lines that were accepted, could not be settled, and were put aside for somebody to look at. Until that is done they hold
 * what the cache gave them: a cut that counted them free would sell their units once more, and the purchase that heard yes
 * would be refused for want of stock.
 */
import type { BuyerId, PurchaseId, SaleId } from "./ids.ts";
import type { Line } from "./journal-message.ts";
import { payloadFingerprint } from "./purchase.ts";
import type { Sale } from "./sale.ts";

export type LineAside = {
  readonly saleId: SaleId;
  /** Of the cache that counts it: where that is gone, none does. */
  readonly epoch: number;
  readonly line: Line;
};

/**
 * Those that a cut can give what they hold, the free units of their sales being so many. After a loss of the cache others
 * may have got the units of some: whoever had theirs under a later epoch is served first, and whoever gets none keeps the
 * epoch that it had, which no cache counts any more. So a letter is of a cut's epoch if and only if its unit is its own.
 */
export function countedAside<L extends LineAside>(lines: readonly L[], availableIn: ReadonlyMap<SaleId, number>): readonly L[] {
  const left = new Map(availableIn);
  const inTurn = lines.toSorted((a, b) => b.epoch - a.epoch || Number(BigInt(a.line.purchaseId) - BigInt(b.line.purchaseId)));
  return inTurn.filter(({ saleId, line }) => {
    const units = (left.get(saleId) ?? 0) - line.quantity;
    if (units >= 0) left.set(saleId, units);
    return units >= 0;
  });
}

export function unitsAside(lines: readonly LineAside[], of: SaleId): number {
  return lines.reduce((units, { saleId, line }) => units + (saleId === of ? line.quantity : 0), 0);
}

/** What was put aside of a buyer's under a key. */
export function asideUnder(
  lines: readonly LineAside[],
  of: { readonly saleId: SaleId; readonly buyerId: BuyerId; readonly key: string },
): Line | undefined {
  const found = lines.find(({ saleId, line }) => saleId === of.saleId && line.buyerId === of.buyerId && line.key === of.key);
  return found?.line;
}

type Count = readonly [buyerId: BuyerId, count: number];
type Key = readonly [buyerId: BuyerId, key: string, purchaseId: PurchaseId, fingerprint: string];
/** All at once, or in pages, where nobody comes twice. */
type Rows<Row> = readonly Row[] | AsyncIterable<readonly Row[]>;
type Loaded = { readonly sale: Sale; readonly attempts: Rows<Count>; readonly keys: Rows<Key> };

/** What the cache is loaded with of one sale, with what its counted lines aside hold. A key that has its purchase keeps it. */
export function saleWithAside<Cut extends Loaded>(cut: Cut, all: readonly LineAside[]): Cut {
  const { sale, attempts, keys } = cut;
  const lines = all.filter(({ saleId }) => saleId === sale.id);
  if (lines.length === 0) return cut;
  const { available, held } = sale.balances;
  // The cut counted those that it has units for: whatever else, nobody is sold less than nothing.
  const units = Math.min(available, unitsAside(lines, sale.id));
  return {
    ...cut,
    sale: { ...sale, balances: { ...sale.balances, available: available - units, held: held + units } },
    attempts: withRows(attempts, () => new MoreCounts(lines.map(({ line }) => [line.buyerId, 1]))),
    keys: withRows(keys, () => new MoreKeys(lines)),
  };
}

/** Units that count against the buyers' limits. */
export function unitsWithAside(units: Rows<Count>, lines: readonly LineAside[]): Rows<Count> {
  if (lines.length === 0) return units;
  return withRows(units, () => new MoreCounts(lines.map(({ line }) => [line.buyerId, line.quantity])));
}

/** What is put to rows that go by, and what is left of it behind the last of them. */
interface More<Row> {
  meet(row: Row): Row;
  left(): readonly Row[];
}

function withRows<Row>(rows: Rows<Row>, begin: () => More<Row>): Rows<Row> {
  if (!(Symbol.asyncIterator in rows)) {
    const more = begin();
    return [...rows.map((row) => more.meet(row)), ...more.left()];
  }
  return pagesWith(rows, begin());
}

async function* pagesWith<Row>(pages: AsyncIterable<readonly Row[]>, more: More<Row>): AsyncGenerator<readonly Row[]> {
  for await (const page of pages) yield page.map((row) => more.meet(row));
  yield more.left();
}

class MoreCounts implements More<Count> {
  readonly #sums = new Map<BuyerId, number>();

  constructor(counts: readonly Count[]) {
    for (const [buyerId, count] of counts) this.#sums.set(buyerId, (this.#sums.get(buyerId) ?? 0) + count);
  }

  meet(row: Count): Count {
    const [buyerId, count] = row;
    const more = this.#sums.get(buyerId);
    if (more === undefined) return row;
    this.#sums.delete(buyerId);
    return [buyerId, count + more];
  }

  left = (): readonly Count[] => [...this.#sums];
}

class MoreKeys implements More<Key> {
  readonly #keys = new Map<string, Key>();

  constructor(lines: readonly LineAside[]) {
    for (const { line } of lines) {
      const { key, buyerId, purchaseId } = line;
      const name = key === undefined ? undefined : nameOf(buyerId, key);
      if (key === undefined || name === undefined || this.#keys.has(name)) continue;
      this.#keys.set(name, [buyerId, key, purchaseId, payloadFingerprint(line)]);
    }
  }

  meet(row: Key): Key {
    this.#keys.delete(nameOf(row[0], row[1]));
    return row;
  }

  left = (): readonly Key[] => [...this.#keys.values()];
}

const nameOf = (buyerId: BuyerId, key: string): string => `${buyerId} ${key}`;
