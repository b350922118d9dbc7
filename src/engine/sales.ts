import type { AdjustmentId, SaleId } from "../domain/ids.ts";
import type { AdjustOutcome, SwitchOutcome, SaleUnknown } from "../domain/movement.ts";
import { problemOf, type DraftProblem, type Sale, type SaleDraft, type SaleSwitch } from "../domain/sale.ts";
import type { Acceptance, NotTried, Unknown } from "../ports/acceptance.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { SaleBoard } from "./sale-board.ts";

export type SaleDeps = {
  readonly catalogue: Catalogue;
  readonly acceptance: Acceptance;
  readonly board: SaleBoard;
  readonly clock: Clock;
  readonly ids: Ids;
};

export type CreateSaleAnswer =
  | { readonly kind: "added" | "exists"; readonly sale: Sale }
  | { readonly kind: "product_unknown" }
  /** The submission key was used with another sale. */
  | { readonly kind: "differs" }
  | ({ readonly kind: "invalid" } & DraftProblem);

export type CreateSale = {
  readonly draft: SaleDraft;
  /** Who submits and under which key, so that the same submission twice makes one sale. */
  readonly submission?: { readonly owner: string; readonly key: string } | undefined;
  /** For demo data and imports: a window may have begun or passed. */
  readonly pastAllowed?: boolean | undefined;
};

/** Keeps a sale as a draft: nobody sees or buys it until it is published. */
export async function createSale(deps: SaleDeps, { draft, submission, pastAllowed }: CreateSale): Promise<CreateSaleAnswer> {
  const nowMs = Math.floor(deps.clock.nowMs());
  const problem = problemOf(draft, pastAllowed ? Math.min(nowMs, draft.startsAtMs) : nowMs);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  // A freshly minted id is a sale's id by its use here.
  const id = deps.ids.mint() as SaleId;
  const kept = submission && { ...submission, fingerprint: fingerprintOf(draft) };
  const answer = await deps.catalogue.addSale({ id, draft, createdAtMs: nowMs, submission: kept });
  if (answer.kind === "added" || answer.kind === "exists") deps.board.observe(answer.sale);
  return answer;
}

/** Equal drafts have equal fingerprints: fields in a fixed order. */
function fingerprintOf(draft: SaleDraft): string {
  const { productId, name, price, stock, perBuyerLimit, limitGroup, refundedUnitsCount, payWindowMs, startsAtMs, endsAtMs } = draft;
  return JSON.stringify([
    productId,
    name,
    price.minor,
    price.currency,
    stock,
    perBuyerLimit,
    limitGroup ?? null,
    refundedUnitsCount,
    payWindowMs,
    startsAtMs,
    endsAtMs,
  ]);
}

/** Publishes, pauses, resumes, extends or cancels. Each may be repeated. */
export async function switchSale(
  deps: Pick<SaleDeps, "acceptance">,
  saleId: SaleId,
  change: SaleSwitch,
): Promise<SwitchOutcome | SaleUnknown | NotTried | Unknown> {
  const [answer] = await deps.acceptance.submit(saleId, [{ kind: "switch", change }]);
  return answer ?? { kind: "unknown" };
}

/** Adds units, or takes back what is free of the units asked for. */
export async function adjustStock(
  deps: Pick<SaleDeps, "acceptance">,
  saleId: SaleId,
  adjustment: { id: AdjustmentId; units: number },
): Promise<AdjustOutcome | SaleUnknown | NotTried | Unknown> {
  const [answer] = await deps.acceptance.submit(saleId, [{ kind: "adjust", adjustmentId: adjustment.id, units: adjustment.units }]);
  return answer ?? { kind: "unknown" };
}
