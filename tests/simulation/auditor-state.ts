/**
 * What the auditor believes of the shop: its own books, written without a line of the domain's code, and a diary of
 * moments by which answers given to clients are judged.
 */
export type Moment = {
  /** When it became durable. */
  readonly atMs: number;
  /** Until when a memory may rightly speak from this one: the engine knows that a later one is durable, or every mark has run out. */
  replacedMs: number;
  readonly available: number;
  readonly held: number;
  readonly paused: boolean;
  readonly phase: "draft" | "published" | "cancelled";
  readonly endsAtMs: number;
};

export type AuditedSale = {
  readonly id: string;
  readonly product: AuditedProduct;
  readonly seller: string;
  readonly group: string | undefined;
  readonly stock: number;
  readonly limit: number;
  readonly priceMinor: number;
  readonly payWindowMs: number;
  readonly payExtensionsMax: number;
  readonly startsAtMs: number;
  readonly refundedUnitsCount: boolean;
  endsAtMs: number;
  phase: "draft" | "published" | "cancelled";
  paused: boolean;
  /** Whether its units come from its product's inventory. */
  supplied: boolean;
  settled: boolean;
  quotas: Map<number, number>;
  issued: number;
  available: number;
  held: number;
  sold: number;
  withdrawn: number;
  readonly diary: Moment[];
  firstAcceptedMs: number;
  /** By the time of its last commit. */
  lastAtMs: number;
  /** Nobody new before, where memories may still refuse. */
  reopensAtMs: number | undefined;
};

/** `free`: as counted, or null where nobody counts. */
export type AuditedProduct = { readonly id: string; readonly seller: string; free: number | null };

export type AuditedPurchase = {
  readonly id: string;
  readonly sale: AuditedSale;
  readonly buyer: number;
  readonly key: string | undefined;
  readonly quantity: number;
  readonly metadata: string | undefined;
  readonly limit: number;
  payByMs: number;
  /** Virtual time at which it became durable that it holds units. */
  appliedMs: number;
  state: "queued" | "refused" | "reserved" | "paid" | "cancelled" | "expired" | "closed";
  extensions: number;
  holdUntilMs: number;
  refunded: boolean;
};

export type AuditedPayment = { readonly id: string; readonly purchase: AuditedPurchase; state: string };
export type AuditedCapture = {
  readonly id: string;
  readonly payment: AuditedPayment;
  readonly amountMinor: number;
  readonly kept: boolean;
  refundId: string | undefined;
};
export type AuditedRefund = { readonly id: string; readonly captureId: string; readonly reason: string; state: string };

/** A take that the decider refused: evidence that a client's refusal has a ground. */
export type RefusedTake = { readonly atMs: number; readonly saleId: string; readonly key: string | undefined; readonly reason: string };

export class Books {
  readonly products = new Map<string, AuditedProduct>();
  readonly sales = new Map<string, AuditedSale>();
  readonly purchases = new Map<string, AuditedPurchase>();
  readonly byBuyer = new Map<number, AuditedPurchase[]>();
  readonly refusals = new Map<number, RefusedTake[]>();
  readonly payments = new Map<string, AuditedPayment>();
  readonly captures = new Map<string, AuditedCapture>();
  readonly refunds = new Map<string, AuditedRefund>();
  readonly callbacks = new Set<string>();
  readonly adjustments = new Map<string, number>();

  ofBuyer(buyer: number): readonly AuditedPurchase[] {
    return this.byBuyer.get(buyer) ?? [];
  }

  byKey(saleId: string, buyer: number, key: string): AuditedPurchase | undefined {
    return this.ofBuyer(buyer).find((purchase) => purchase.sale.id === saleId && purchase.key === key && holds(purchase));
  }

  /** Units that count: everything reserved or paid, over the sale's whole limit group. */
  unitsOf(buyer: number, sale: AuditedSale): number {
    let units = 0;
    for (const purchase of this.ofBuyer(buyer)) {
      const together =
        purchase.sale === sale || (sale.group !== undefined && purchase.sale.group === sale.group && purchase.sale.seller === sale.seller);
      const paid = purchase.state === "paid" && (!purchase.refunded || purchase.sale.refundedUnitsCount);
      if (together && (purchase.state === "reserved" || paid)) units += purchase.quantity;
    }
    return units;
  }

  addPurchase(purchase: AuditedPurchase): void {
    this.purchases.set(purchase.id, purchase);
    const theirs = this.byBuyer.get(purchase.buyer);
    if (theirs === undefined) this.byBuyer.set(purchase.buyer, [purchase]);
    else theirs.push(purchase);
  }

  refuse(buyer: number, refused: RefusedTake): void {
    const theirs = this.refusals.get(buyer);
    if (theirs === undefined) this.refusals.set(buyer, [refused]);
    else theirs.push(refused);
  }
}

/** It has, or had, its units; a line that waits or was refused has its key no longer. */
export const holds = ({ state }: AuditedPurchase): boolean => state !== "queued" && state !== "refused";

/** Moves units between two accounts of a sale; I1 and I2 are looked at by the caller. */
export function shift(
  sale: AuditedSale,
  from: "available" | "held" | "sold",
  to: "available" | "held" | "sold" | "withdrawn",
  units: number,
): void {
  sale[from] -= units;
  sale[to] += units;
}

/** `markLifeMs`: how long a memory that is not told may go on speaking from the moment before. */
export function noteMoment(
  sale: Pick<AuditedSale, keyof Omit<Moment, "atMs" | "replacedMs"> | "diary">,
  atMs: number,
  markLifeMs = Infinity,
): void {
  const { available, held, paused, phase, endsAtMs } = sale;
  const before = sale.diary.at(-1);
  if (before !== undefined) before.replacedMs = atMs + markLifeMs;
  sale.diary.push({ atMs, replacedMs: Infinity, available, held, paused, phase, endsAtMs });
}

/** The engine knows the newest state of a sale from now on. */
export function noteKnown(sale: AuditedSale, atMs: number): void {
  for (let i = sale.diary.length - 2; i >= 0; i--) {
    const moment = sale.diary[i];
    if (moment === undefined || moment.replacedMs <= atMs) return;
    moment.replacedMs = atMs;
  }
}

/** What must have been true of a sale for a refusal that speaks to everybody. */
export function groundOf(reason: string, nowMs: number): ((moment: Moment) => boolean) | undefined {
  switch (reason) {
    case "sold_out":
      return (m) => m.available === 0 && m.held === 0;
    case "all_taken":
      return (m) => m.available === 0 && m.held > 0;
    case "paused":
      return (m) => m.paused && m.phase === "published";
    case "sale_cancelled":
      return (m) => m.phase === "cancelled";
    case "ended":
      return (m) => m.phase === "published" && nowMs >= m.endsAtMs;
    case "sale_unknown":
      return (m) => m.phase === "draft";
    default:
      return undefined;
  }
}
