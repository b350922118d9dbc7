/**
 * The whole story of a purchase: find the sale, refuse early what may be refused early, hand the rest to whoever may
 * say yes. Cheap before dear, and no local no for a key that may have been accepted (see sale-board.ts).
 */
import { mayBuyFrom } from "../domain/access.ts";
import { strangerId, type BuyerId, type PurchaseId, type SaleId } from "../domain/ids.ts";
import type { Take } from "../domain/movement.ts";
import type { Refusal } from "../domain/purchase.ts";
import type { Acceptance, Answer } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { SaleBoard, SaleView } from "./sale-board.ts";

export type PurchaseDeps = {
  readonly board: SaleBoard;
  /** From whose copies takes are refused, where that is not the ledger's board. */
  readonly marks?: SaleBoard | undefined;
  readonly acceptance: Acceptance;
  readonly clock: Clock;
  readonly ids: Ids;
};

export type PurchaseRequest = {
  readonly saleId: SaleId;
  readonly buyerId: BuyerId;
  /** Who vouches for the buyer: a shop, for its own sales alone, or we ourselves. */
  readonly issuer: string;
  readonly key?: string | undefined;
  readonly quantity: number;
  readonly metadata?: string | undefined;
  /** See SubmitOptions. */
  readonly wait?: boolean | undefined;
};

const marksOf = ({ marks, board }: Pick<PurchaseDeps, "board" | "marks">): SaleBoard => marks ?? board;

/** An outcome at once when memory suffices, else a promise of one. */
export function purchase(deps: PurchaseDeps, request: PurchaseRequest): Answer<Take> | Promise<Answer<Take>> {
  const view = marksOf(deps).peek(request.saleId);
  return view === undefined ? purchaseUnseen(deps, request) : purchaseIn(deps, view, request);
}

/**
 * What memory refuses to somebody who was never accepted in the sale, at this moment. Whoever asks must find out
 * afterwards that the buyer is a stranger indeed: then the refusal was right when it was made.
 */
export async function refuseStranger(
  deps: Pick<PurchaseDeps, "board" | "marks" | "clock">,
  { saleId, issuer }: Pick<PurchaseRequest, "saleId" | "issuer">,
): Promise<Refusal | undefined> {
  const board = marksOf(deps);
  const view = board.peek(saleId) ?? (await board.load(saleId));
  if (view === undefined || !mayBuyFrom(view.sale.seller, issuer)) return { reason: "sale_unknown" };
  return board.refuse(view, { buyerId: strangerId, pending: () => false, nowMs: deps.clock.nowMs() });
}

async function purchaseUnseen(deps: PurchaseDeps, request: PurchaseRequest): Promise<Answer<Take>> {
  const view = await marksOf(deps).load(request.saleId);
  if (view !== undefined) return purchaseIn(deps, view, request);
  return mayBeKnownElsewhere(deps, request) ? purchaseAnew(deps, request) : { kind: "sale_unknown" };
}

/** What others may have published, sold and told under this key since it was looked at: a sale may begin with its publishing. */
const mayBeKnownElsewhere = (deps: PurchaseDeps, { key }: PurchaseRequest): boolean => key !== undefined && marksOf(deps).isShared;

async function purchaseAnew(deps: PurchaseDeps, request: PurchaseRequest): Promise<Answer<Take>> {
  const view = await marksOf(deps).loadFresh(request.saleId);
  return view === undefined ? { kind: "sale_unknown" } : purchaseIn(deps, view, request, true);
}

function purchaseIn(deps: PurchaseDeps, view: SaleView, request: PurchaseRequest, isFresh = false): Answer<Take> | Promise<Answer<Take>> {
  const { saleId, buyerId, issuer, key, quantity, metadata, wait } = request;
  // A shop's wall: to another shop's buyers its sales do not exist.
  if (!mayBuyFrom(view.sale.seller, issuer)) return { kind: "sale_unknown" };
  const pending = () => deps.acceptance.isPending(saleId, buyerId);
  const refusal = marksOf(deps).refuse(view, { buyerId, pending, nowMs: deps.clock.nowMs() });
  if (refusal?.reason === "sale_unknown" && !isFresh && mayBeKnownElsewhere(deps, request)) return purchaseAnew(deps, request);
  if (refusal !== undefined) return { kind: "refused", refusal };
  // A freshly minted id is a purchase's id by its use here.
  const purchaseId = deps.ids.mint() as PurchaseId;
  return submitOne(deps.acceptance, saleId, { kind: "take", purchaseId, buyerId, key, quantity, metadata }, wait);
}

async function submitOne(acceptance: Acceptance, saleId: SaleId, take: Take, wait: boolean | undefined): Promise<Answer<Take>> {
  const [answer] = await acceptance.submit(saleId, [take], { wait });
  return answer ?? { kind: "unknown" };
}
