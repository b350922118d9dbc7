/** What a sale page knows: the sale by its last word, the buyer's own, and what has been asked and not answered. */
import type { PurchaseOnWire, SaleOnWire, StockOnWire } from "../../http/contract/wire.ts";
import { isOlder } from "../shared/newer.ts";

export type SaleNow = {
  readonly status: SaleOnWire["status"];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly issued: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
};

/** A purchase of the buyer's in this sale. */
export type OwnPurchase = Pick<PurchaseOnWire, "id" | "state" | "quantity" | "pay_by" | "hold_until" | "changed_at">;

export type SaleFacts = {
  /** By the server; undefined until it is known. */
  readonly nowMs: number | undefined;
  readonly sale: SaleNow;
  /** Who looks at it. Unknown is not nobody: it is about to be known. */
  readonly who: "unknown" | "nobody" | "account" | "banned";
  readonly own: readonly OwnPurchase[];
  /** Units that one buyer may have here, by the sale or by what the server said when it refused. */
  readonly limit: number;
  /** A purchase was sent and its outcome is not known. */
  readonly asking: boolean;
  /** Asked to come again later, by the server. */
  readonly waitUntilMs: number | undefined;
};

export function saleNow({ status, starts_at, ends_at, stock: { issued, available, held, sold, planned } }: SaleOnWire): SaleNow {
  const all = status === "draft" ? planned : issued;
  return { status, startsAtMs: Date.parse(starts_at), endsAtMs: Date.parse(ends_at), issued: all, available, held, sold };
}

export function saleFromStream({ status, starts_at, ends_at, issued, available, held, sold }: StockOnWire): SaleNow {
  return { status, startsAtMs: Date.parse(starts_at), endsAtMs: Date.parse(ends_at), issued, available, held, sold };
}

/** Where the sale stands by the clock, which is ahead of the last word by as long as that took to come. */
export function phaseOf({ sale, nowMs }: Pick<SaleFacts, "sale" | "nowMs">): "before" | "live" | "paused" | "ended" | "cancelled" {
  if (sale.status === "cancelled") return "cancelled";
  if (sale.status === "ended" || (nowMs !== undefined && nowMs >= sale.endsAtMs)) return "ended";
  if (sale.status === "paused") return "paused";
  if (nowMs === undefined) return sale.status === "live" ? "live" : "before";
  return nowMs < sale.startsAtMs ? "before" : "live";
}

/** When the clock alone changes what the page shows. */
export function nextEdgeMs({ sale, nowMs, waitUntilMs }: Pick<SaleFacts, "sale" | "nowMs" | "waitUntilMs">): number | undefined {
  const edges = [sale.startsAtMs, sale.endsAtMs, ...(waitUntilMs === undefined ? [] : [waitUntilMs])];
  return edges.filter((edge) => edge > (nowMs ?? 0)).toSorted((a, b) => a - b)[0];
}

/** What is the buyer's own and counts: not what was cancelled, ran out or was refused. */
const counting: readonly OwnPurchase["state"][] = ["queued", "stuck", "offered", "reserved", "paid"];
export const unitsOf = (own: readonly OwnPurchase[]): number =>
  own.filter(({ state }) => counting.includes(state)).reduce((units, { quantity }) => units + quantity, 0);

/** The same purchases with one heard of anew. An older word never replaces a newer one. */
export function withPurchase(own: readonly OwnPurchase[], heard: OwnPurchase): readonly OwnPurchase[] {
  const known = own.find(({ id }) => id === heard.id);
  if (known === undefined) return [heard, ...own];
  return isOlder(heard, known) ? own : own.map((each) => (each.id === heard.id ? heard : each));
}
