/**
 * Product, sale and publishing in one call, for shops that think of a sale as "warm this product up". The same call
 * again gives the same sale; a call whose first try died half-way finishes it.
 */
import { mayReach, type Access } from "../domain/access.ts";
import type { ProductId } from "../domain/ids.ts";
import { sameMoney, type Money } from "../domain/money.ts";
import type { Product } from "../domain/product.ts";
import {
  payExtensionsDefault,
  payWindowDefaultMs,
  startToleranceMs,
  statusOf,
  windowMaxMs,
  type DraftProblem,
  type Sale,
  type SaleDraft,
} from "../domain/sale.ts";
import type { NotTried, Unknown } from "../ports/acceptance.ts";
import type { Records } from "../ports/records.ts";
import { createProduct } from "./products.ts";
import { createSale, switchSale, type SaleDeps } from "./sales.ts";

export type PrewarmDeps = SaleDeps & { readonly records: Records };

export type Prewarm = {
  /** Without an id a new product is made. */
  readonly product: Pick<Product, "name" | "seller" | "image"> & { readonly id?: ProductId | undefined };
  /** Whose products may be sold. */
  readonly access: Access;
  readonly price: Money;
  readonly stock: number;
  /** Now, if left out. */
  readonly startsAtMs?: number | undefined;
  /** As late as there is, if left out. */
  readonly endsAtMs?: number | undefined;
  /** Who asks, so that two shops' calls are not one. */
  readonly owner: string;
  /** Under which a product without an id is made once. */
  readonly key?: string | undefined;
  /** A window that has begun or passed is moved to now instead of being refused: for trying examples out. */
  readonly movesPast: boolean;
};

/** What is not as the caller wrote it. */
export type PrewarmWarning =
  /** The product was there before, with another name or price, and keeps them; the sale has those given. */
  { readonly kind: "product_kept" } | { readonly kind: "window_moved"; readonly startsAtMs: number; readonly endsAtMs: number };

export type PrewarmAnswer =
  | { readonly kind: "ready"; readonly sale: Sale; readonly repeated: boolean; readonly warnings: readonly PrewarmWarning[] }
  | ({ readonly kind: "invalid" } & DraftProblem)
  /** The id belongs to another shop's product. */
  | { readonly kind: "product_taken" }
  /** The key was used with another product. */
  | { readonly kind: "key_reused" }
  | NotTried
  | Unknown;

const salesLookedAtMax = 100;

export async function prewarm(deps: PrewarmDeps, ask: Prewarm): Promise<PrewarmAnswer> {
  const warnings: PrewarmWarning[] = [];
  const product = await keepProduct(deps, ask);
  if ("kind" in product) return product;
  if (product.name !== ask.product.name || !sameMoney(product.price, ask.price)) warnings.push({ kind: "product_kept" });
  const window = windowOf(ask, deps.clock.nowMs());
  const draft: SaleDraft = {
    productId: product.id,
    name: ask.product.name,
    price: ask.price,
    stock: ask.stock,
    perBuyerLimit: 1,
    refundedUnitsCount: true,
    payWindowMs: payWindowDefaultMs,
    payExtensionsMax: payExtensionsDefault,
    ...window,
  };
  const found = await findSame(deps, ask, draft);
  if (wasMoved(ask, window)) {
    const { startsAtMs, endsAtMs } = found ?? window;
    warnings.push({ kind: "window_moved", startsAtMs, endsAtMs });
  }
  const kept = found === undefined ? await keepSale(deps, ask, draft) : { sale: found, repeated: true };
  if ("kind" in kept) return kept;
  const published = await switchSale(deps, kept.sale.id, { kind: "publish", pastAllowed: ask.movesPast });
  switch (published.kind) {
    case "switched":
      return { kind: "ready", sale: published.sale, repeated: kept.repeated, warnings };
    case "invalid":
    case "not_tried":
    case "unknown":
      return published;
    case "not_allowed":
    case "sale_unknown":
      // Cancelled between finding and publishing it: the next call makes a new one.
      return { kind: "unknown" };
    default:
      return published satisfies never;
  }
}

async function keepProduct(
  deps: PrewarmDeps,
  { product, price, access, owner, key }: Prewarm,
): Promise<Product | Extract<PrewarmAnswer, { kind: "invalid" | "product_taken" | "key_reused" }> | Unknown> {
  const known = product.id === undefined ? undefined : await deps.records.product(product.id);
  if (known !== undefined) return mayReach(access, known.seller) ? known : { kind: "product_taken" };
  const submission = key === undefined ? undefined : { owner, key };
  const answer = await createProduct(deps, { ...product, price }, { submission, actor: owner });
  if (answer.kind === "invalid" || answer.kind === "key_reused") return answer;
  if (answer.kind === "added" || answer.kind === "exists") return answer.product;
  // Somebody else was first.
  const first = product.id === undefined ? undefined : await deps.records.product(product.id);
  // A deleted product's id stays taken.
  if (first === undefined) return { kind: "product_taken" };
  return mayReach(access, first.seller) ? first : { kind: "product_taken" };
}

type Window = Pick<SaleDraft, "startsAtMs" | "endsAtMs">;

/** A window that lies behind keeps its length, one that has begun its end. */
function windowOf({ startsAtMs: wanted, endsAtMs: end, movesPast }: Prewarm, now: number): Window {
  const nowMs = Math.floor(now);
  const startsAtMs = wanted ?? nowMs;
  const endsAtMs = end ?? startsAtMs + windowMaxMs;
  const hasBegun = startsAtMs < nowMs - startToleranceMs && endsAtMs > startsAtMs;
  if (!movesPast || !hasBegun) return { startsAtMs, endsAtMs };
  return { startsAtMs: nowMs, endsAtMs: endsAtMs > nowMs ? endsAtMs : nowMs + endsAtMs - startsAtMs };
}

const wasMoved = (ask: Prewarm, { startsAtMs }: Window) => ask.startsAtMs !== undefined && ask.startsAtMs !== startsAtMs;

/** Whether the sale's window is the one asked for; what was left out may be anything. */
function hasWindow(sale: Sale, ask: Prewarm, window: Window): boolean {
  const { startsAtMs } = ask;
  if (startsAtMs === undefined) return ask.endsAtMs === undefined || ask.endsAtMs === sale.endsAtMs;
  if (!wasMoved(ask, window)) return sale.startsAtMs === window.startsAtMs && sale.endsAtMs === window.endsAtMs;
  const endsAtMs = ask.endsAtMs ?? startsAtMs + windowMaxMs;
  return sale.endsAtMs === endsAtMs || sale.endsAtMs - sale.startsAtMs === endsAtMs - startsAtMs;
}

/** A sale that an earlier call with the same fields has made and that can still sell. */
async function findSame({ records, clock }: PrewarmDeps, ask: Prewarm, draft: SaleDraft): Promise<Sale | undefined> {
  const nowMs = clock.nowMs();
  const { items } = await records.sales({ productId: draft.productId, nowMs, withDrafts: true }, { offset: 0, limit: salesLookedAtMax });
  return items.find((sale) => {
    const status = statusOf(sale, nowMs);
    if (status === "ended" || status === "cancelled" || sale.name !== draft.name) return false;
    if (sale.stock !== draft.stock || !sameMoney(sale.price, draft.price)) return false;
    return hasWindow(sale, ask, draft);
  });
}

/** Two calls at once meet in the submission; where only that is gone by, a sale is made beside it. */
async function keepSale(
  deps: PrewarmDeps,
  ask: Prewarm,
  draft: SaleDraft,
): Promise<{ sale: Sale; repeated: boolean } | ({ kind: "invalid" } & DraftProblem) | Unknown> {
  const key = `prewarm ${draft.productId} ${ask.startsAtMs ?? "now"} ${ask.endsAtMs ?? "open"} ${draft.stock} ${draft.price.minor}`;
  let made = await createSale(deps, { draft, submission: { owner: ask.owner, key } });
  if (made.kind === "differs" || (made.kind === "exists" && !maySell(made.sale, deps.clock.nowMs()))) {
    const found = await findSame(deps, ask, draft);
    if (found !== undefined) return { sale: found, repeated: true };
    made = await createSale(deps, { draft });
  }
  if (made.kind === "invalid") return made;
  if (made.kind === "added" || made.kind === "exists") return { sale: made.sale, repeated: made.kind === "exists" };
  return { kind: "unknown" };
}

function maySell(sale: Sale, nowMs: number): boolean {
  const status = statusOf(sale, nowMs);
  return status !== "ended" && status !== "cancelled";
}
