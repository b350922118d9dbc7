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

export function unitsAside(lines: readonly LineAside[], of: SaleId): number {
  return lines.reduce((units, { saleId, line }) => units + (saleId === of ? line.quantity : 0), 0);
}

type Counts = readonly (readonly [buyerId: BuyerId, count: number])[];
type Loaded = {
  readonly sale: Sale;
  readonly attempts: Counts;
  readonly keys: readonly (readonly [buyerId: BuyerId, key: string, purchaseId: PurchaseId, fingerprint: string])[];
};

/** What the cache is loaded with of one sale, with what its lines aside hold. A key that has its purchase keeps it. */
export function saleWithAside<Cut extends Loaded>(cut: Cut, all: readonly LineAside[]): Cut {
  const { sale, attempts, keys } = cut;
  const lines = all.filter(({ saleId }) => saleId === sale.id);
  if (lines.length === 0) return cut;
  const { available, held } = sale.balances;
  // After a loss of the cache others may have been given what these had.
  const units = Math.min(available, unitsAside(lines, sale.id));
  const named = new Set(keys.map(([buyerId, key]) => nameOf(buyerId, key)));
  const more: Loaded["keys"][number][] = [];
  for (const { line } of lines) {
    const { key, buyerId, purchaseId } = line;
    if (key === undefined || named.has(nameOf(buyerId, key))) continue;
    named.add(nameOf(buyerId, key));
    more.push([buyerId, key, purchaseId, payloadFingerprint(line)]);
  }
  return {
    ...cut,
    sale: { ...sale, balances: { ...sale.balances, available: available - units, held: held + units } },
    attempts: added(
      attempts,
      lines.map(({ line }) => [line.buyerId, 1]),
    ),
    keys: [...keys, ...more],
  };
}

/** Units that count against the buyers' limits. */
export function unitsWithAside(units: Counts, lines: readonly LineAside[]): Counts {
  return lines.length === 0
    ? units
    : added(
        units,
        lines.map(({ line }) => [line.buyerId, line.quantity]),
      );
}

function added(counts: Counts, more: Counts): Counts {
  const sums = new Map(counts);
  for (const [buyerId, count] of more) sums.set(buyerId, (sums.get(buyerId) ?? 0) + count);
  return [...sums];
}

const nameOf = (buyerId: BuyerId, key: string): string => `${buyerId} ${key}`;
