import { unreachable } from "../lib/assert.ts";
import type { ProductId, SaleId } from "./ids.ts";
import { isPriceMinor, priceMinorMax, sameMoney, type Currency, type Money } from "./money.ts";
import { unitsMax, type Balances } from "./ledger.ts";

/** One product, a price, a stock, a window. Published or cancelled is a switch; scheduled, live and ended are time. */
export type Sale = {
  readonly id: SaleId;
  readonly productId: ProductId;
  /** The merchant, as its product says: limit groups are a merchant's own. */
  readonly seller: string;
  readonly name: string;
  readonly price: Money;
  /** Units that publishing issues. */
  readonly stock: number;
  readonly perBuyerLimit: number;
  /** A merchant's sales with the same group count a buyer's units together. */
  readonly limitGroup?: string | undefined;
  /** Whether units paid and refunded since still count against the limit (I3). */
  readonly refundedUnitsCount: boolean;
  readonly payWindowMs: number;
  /** How often a buyer may ask for more time to pay an order. */
  readonly payExtensionsMax: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly phase: SalePhase;
  readonly paused: boolean;
  /** Whether publishing copied per-buyer quotas, so that deciding must look for them. */
  readonly hasQuotas: boolean;
  /** Whether its units come from its product's inventory, and go back to it. */
  readonly fromInventory: boolean;
  readonly balances: Balances;
  /** When it was found over with nothing held and nothing free; units that a refund returns later end it again. */
  readonly settledAtMs?: number | undefined;
  /**
   * Nobody new is accepted before. Set where several processes refuse from memory: when a mark (sold out, paused …) is
   * cleared, it must first have run out in all of them (see BatchState).
   */
  readonly reopensAtMs?: number | undefined;
  /** Whose lock, epoch and feed it has; present where the cache decides. */
  readonly scopeId?: SaleId | undefined;
  /** Grows with every change committed under the sale's lock; a copy with a lower number is older. */
  readonly feed: number;
  readonly createdAtMs: number;
};

export type SalePhase = "draft" | "published" | "cancelled";
export type SaleStatus = "draft" | "scheduled" | "live" | "paused" | "ended" | "cancelled";
export const saleStatuses: readonly SaleStatus[] = ["draft", "scheduled", "live", "paused", "ended", "cancelled"];

export const nameLengthMax = 200;
export const groupLengthMax = 64;
export const perBuyerLimitMax = 10_000;
export const payWindowDefaultMs = 15 * 60_000;
export const payWindowMinMs = 1_000;
export const payWindowMaxMs = 7 * 86_400_000;
/** People who read or type slowly are to have at least ten times as long (WCAG 2.2.1); a shop may choose otherwise. */
export const payExtensionsDefault = 10;
export const payExtensionsMost = 100;
/** Ten years: an everyday sale is a sale with a far end. */
export const windowMaxMs = 3_653 * 86_400_000;
/** A caller's clock may be a little behind ours. */
export const startToleranceMs = 60_000;

export function statusOf(sale: Pick<Sale, "phase" | "paused" | "startsAtMs" | "endsAtMs">, nowMs: number): SaleStatus {
  switch (sale.phase) {
    case "draft":
      return "draft";
    case "cancelled":
      return "cancelled";
    case "published":
      if (nowMs >= sale.endsAtMs) return "ended";
      if (nowMs < sale.startsAtMs) return "scheduled";
      return sale.paused ? "paused" : "live";
    default:
      return unreachable(sale.phase);
  }
}

export type SaleDraft = Pick<
  Sale,
  | "productId"
  | "name"
  | "price"
  | "stock"
  | "perBuyerLimit"
  | "limitGroup"
  | "refundedUnitsCount"
  | "payWindowMs"
  | "payExtensionsMax"
  | "startsAtMs"
  | "endsAtMs"
>;
/** What may be edited before publishing, and null where that means "none". */
export type DraftChanges = {
  readonly [Field in Exclude<keyof SaleDraft, "productId" | "price" | "limitGroup">]?: SaleDraft[Field] | undefined;
} & {
  readonly priceMinor?: number | undefined;
  readonly currency?: Currency | undefined;
  readonly limitGroup?: string | null | undefined;
};

export type DraftProblem = { readonly field: string; readonly problem: string };

/** Text that people read on one line: no database, log or page trips over it, and there is something to see. */
export const isLabel = (text: string, lengthMax: number): boolean =>
  text.length <= lengthMax && text.trim() !== "" && !/\p{Cc}/u.test(text);
export const labelProblem = (lengthMax: number): string =>
  `must have 1 to ${lengthMax} characters, some of them visible and none of them control characters`;

/** The first thing wrong with a sale to be created, or undefined. */
export function problemOf(draft: SaleDraft, nowMs: number): DraftProblem | undefined {
  if (!isLabel(draft.name, nameLengthMax)) return wrong("name", labelProblem(nameLengthMax));
  if (!isPriceMinor(draft.price.minor))
    return wrong("price_minor", `must be an integer of the currency's smallest unit from 1 to ${priceMinorMax}`);
  if (!isWithin(draft.stock, 1, unitsMax)) return wrong("stock", `must be an integer from 1 to ${unitsMax}`);
  if (!isWithin(draft.perBuyerLimit, 1, perBuyerLimitMax))
    return wrong("per_buyer_limit", `must be an integer from 1 to ${perBuyerLimitMax}`);
  if (draft.limitGroup !== undefined && !isLabel(draft.limitGroup, groupLengthMax))
    return wrong("limit_group", labelProblem(groupLengthMax));
  if (!isWithin(draft.payWindowMs, payWindowMinMs, payWindowMaxMs))
    return wrong("pay_window_seconds", `must be from ${payWindowMinMs / 1000} to ${payWindowMaxMs / 1000}`);
  if (!isWithin(draft.payExtensionsMax, 0, payExtensionsMost))
    return wrong("pay_extensions_max", `must be an integer from 0 to ${payExtensionsMost}`);
  if (draft.startsAtMs < nowMs - startToleranceMs) return wrong("starts_at", "must lie in the future");
  if (draft.endsAtMs <= draft.startsAtMs) return wrong("ends_at", "must be after starts_at");
  if (draft.endsAtMs <= nowMs) return wrong("ends_at", "must lie in the future");
  if (draft.endsAtMs - draft.startsAtMs > windowMaxMs) return wrong("ends_at", "must be within ten years of starts_at");
  return undefined;
}

/** The draft of a sale, as it would be submitted. */
export function draftOf(sale: Sale): SaleDraft {
  const { productId, name, price, stock, perBuyerLimit, limitGroup, refundedUnitsCount } = sale;
  const { payWindowMs, payExtensionsMax, startsAtMs, endsAtMs } = sale;
  const when = { payWindowMs, payExtensionsMax, startsAtMs, endsAtMs };
  return { productId, name, price, stock, perBuyerLimit, limitGroup, refundedUnitsCount, ...when };
}

export function editedDraft(draft: SaleDraft, { limitGroup, priceMinor, currency, ...changes }: DraftChanges): SaleDraft {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const price = { minor: priceMinor ?? draft.price.minor, currency: currency ?? draft.price.currency };
  return { ...draft, ...given, price, limitGroup: limitGroup === undefined ? draft.limitGroup : (limitGroup ?? undefined) };
}

export function sameDraft(a: SaleDraft, b: SaleDraft): boolean {
  return (
    a.name === b.name &&
    sameMoney(a.price, b.price) &&
    a.stock === b.stock &&
    a.perBuyerLimit === b.perBuyerLimit &&
    a.limitGroup === b.limitGroup &&
    a.refundedUnitsCount === b.refundedUnitsCount &&
    a.payWindowMs === b.payWindowMs &&
    a.payExtensionsMax === b.payExtensionsMax &&
    a.startsAtMs === b.startsAtMs &&
    a.endsAtMs === b.endsAtMs
  );
}

/** A sale nobody sells in any more, whatever is still held. */
export const isOver = (status: SaleStatus): boolean => status === "ended" || status === "cancelled";

const wrong = (field: string, problem: string): DraftProblem => ({ field, problem });
const isWithin = (value: number, min: number, max: number) => Number.isSafeInteger(value) && value >= min && value <= max;

export type SaleSwitch =
  /** `pastAllowed`: for demo data and imports, whose window may have begun or passed. */
  | { readonly kind: "publish"; readonly pastAllowed?: boolean | undefined }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "extend"; readonly endsAtMs: number }
  | { readonly kind: "cancel_sale" };

type SwitchVerdict = "apply" | "same" | "refuse";

/** Total: what each switch does in each status. "same" answers like success and changes nothing, so repeats are safe. */
export const switchTable: Readonly<Record<SaleSwitch["kind"], Readonly<Record<SaleStatus, SwitchVerdict>>>> = {
  publish: { draft: "apply", scheduled: "same", live: "same", paused: "same", ended: "same", cancelled: "refuse" },
  pause: { draft: "refuse", scheduled: "apply", live: "apply", paused: "same", ended: "refuse", cancelled: "refuse" },
  resume: { draft: "refuse", scheduled: "apply", live: "same", paused: "apply", ended: "refuse", cancelled: "refuse" },
  extend: { draft: "apply", scheduled: "apply", live: "apply", paused: "apply", ended: "refuse", cancelled: "refuse" },
  cancel_sale: { draft: "apply", scheduled: "apply", live: "apply", paused: "apply", ended: "apply", cancelled: "same" },
};
