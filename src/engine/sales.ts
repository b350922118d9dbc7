import type { AdjustmentId, SaleId } from "../domain/ids.ts";
import type { Adjust, AdjustOutcome, Edit, EditOutcome, SwitchOutcome, SaleUnknown } from "../domain/movement.ts";
import { payExtensionsDefault, problemOf, type DraftProblem, type Sale, type SaleDraft, type SaleSwitch } from "../domain/sale.ts";
import type { Acceptance, NotTried, Unknown } from "../ports/acceptance.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import { claimId, type Submission } from "./claims.ts";
import type { ProductCache } from "./product-cache.ts";
import type { SaleBoard } from "./sale-board.ts";

export type SaleDeps = {
  readonly catalogue: Catalogue;
  readonly acceptance: Acceptance;
  readonly board: SaleBoard;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Forgets products whose inventory a sale takes from or gives back to. */
  readonly products: ProductCache;
};

export type CreateSaleAnswer =
  | { readonly kind: "added" | "exists"; readonly sale: Sale }
  | { readonly kind: "product_unknown" }
  /** The submission key was used with another sale. */
  | { readonly kind: "differs" }
  | ({ readonly kind: "invalid" } & DraftProblem);

export type DefaultedField = "name" | "price_minor" | "currency";

export type CreateSale = {
  readonly draft: SaleDraft;
  /** Who submits and under which key, so that the same submission twice makes one sale. */
  readonly submission?: Submission | undefined;
  /** Fields that the submission left to its product, which may say something else by the time of a repeat. */
  readonly leftOut?: readonly DefaultedField[] | undefined;
  /** For demo data and imports: a window may have begun or passed. */
  readonly pastAllowed?: boolean | undefined;
};

/** Keeps a sale as a draft: nobody sees or buys it until it is published. */
export async function createSale(deps: SaleDeps, { draft, submission, leftOut = [], pastAllowed }: CreateSale): Promise<CreateSaleAnswer> {
  const nowMs = Math.floor(deps.clock.nowMs());
  const problem = problemOf(draft, pastAllowed ? Math.min(nowMs, draft.startsAtMs) : nowMs);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  // A freshly minted id is a sale's id by its use here.
  const id = deps.ids.mint() as SaleId;
  const kept = submission && { ...submission, fingerprint: fingerprintOf(draft, leftOut) };
  const answer = await deps.catalogue.addSale({ id, draft, createdAtMs: nowMs, submission: kept });
  if (answer.kind === "added" || answer.kind === "exists") deps.board.observe(answer.sale);
  return answer;
}

/** Equal submissions have equal fingerprints: fields in a fixed order, null for those left out. */
function fingerprintOf(draft: SaleDraft, leftOut: readonly DefaultedField[]): string {
  const { productId, name, price, stock, perBuyerLimit, limitGroup, refundedUnitsCount } = draft;
  const { payWindowMs, payExtensionsMax, startsAtMs, endsAtMs } = draft;
  return JSON.stringify([
    productId,
    leftOut.includes("name") ? null : name,
    leftOut.includes("price_minor") ? null : price.minor,
    leftOut.includes("currency") ? null : price.currency,
    stock,
    perBuyerLimit,
    limitGroup ?? null,
    refundedUnitsCount,
    payWindowMs,
    startsAtMs,
    endsAtMs,
    // Where it is the default nothing stands, as in fingerprints from before there was a choice.
    ...(payExtensionsMax === payExtensionsDefault ? [] : [payExtensionsMax]),
  ]);
}

type Answered<Outcome> = Outcome | SaleUnknown | NotTried | Unknown;

/** Publishes, pauses, resumes, extends or cancels. Each may be repeated. */
export async function switchSale(
  deps: Pick<SaleDeps, "acceptance" | "products">,
  saleId: SaleId,
  change: SaleSwitch,
): Promise<Answered<SwitchOutcome>> {
  const [answer] = await deps.acceptance.submit(saleId, [{ kind: "switch", change }]);
  if (answer?.kind === "switched") deps.products.forget(answer.sale.productId);
  return answer ?? { kind: "unknown" };
}

/** Changes a draft, if it is still what the caller saw. */
export async function editSale(
  deps: Pick<SaleDeps, "acceptance">,
  saleId: SaleId,
  edit: Omit<Edit, "kind">,
): Promise<Answered<EditOutcome>> {
  const [answer] = await deps.acceptance.submit(saleId, [{ kind: "edit", ...edit }]);
  return answer ?? { kind: "unknown" };
}

export type AdjustStock = Pick<Adjust, "units" | "reason" | "actor"> & { readonly submission?: Submission | undefined };

/** Adds units, or takes back what is free of the units asked for. The same submission again has one effect. */
export async function adjustStock(
  deps: Pick<SaleDeps, "acceptance" | "catalogue" | "ids" | "products">,
  saleId: SaleId,
  { submission, ...asked }: AdjustStock,
): Promise<Answered<AdjustOutcome> | { readonly kind: "key_reused" }> {
  const claim = await claimId(deps, submission, { what: `adjust ${saleId}`, fields: [asked.units, asked.reason] });
  if (claim.kind === "differs") return { kind: "key_reused" };
  // A claimed id is an adjustment's by its use here.
  const [answer] = await deps.acceptance.submit(saleId, [{ kind: "adjust", adjustmentId: claim.id as AdjustmentId, ...asked }]);
  if (answer?.kind === "adjusted") deps.products.forget(answer.sale.productId);
  return answer ?? { kind: "unknown" };
}
