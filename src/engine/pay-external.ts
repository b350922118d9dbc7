/**
 * The shop took the money itself and says so. There is nobody to ask and no callback to come: the payment is started and
 * its capture recorded at once. The capture's id is the shop's and makes repeats safe; it pays one order once.
 *
 * A wrong amount or an order that has stopped waiting is refused before anything is recorded, so the shop knows that its
 * money bought nothing. Only a sweep that comes between the two movements leaves a capture that is not kept; the refund
 * that then exists says what the shop owes.
 */
import { amountOf, type Purchase } from "../domain/purchase.ts";
import { sameMoney, type Money } from "../domain/money.ts";
import type { PurchaseId, RefundId } from "../domain/ids.ts";
import type { TakeCapture, UpdatePayment } from "../domain/movement.ts";
import type { Payment } from "../domain/payment.ts";
import type { NotTried, Unknown } from "../ports/acceptance.ts";
import { assert } from "../lib/assert.ts";
import { externalProviderName } from "../ports/payment-provider.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { findPurchase, type Viewer } from "./orders.ts";
import { startPayment, type PayDeps } from "./pay.ts";

export type ExternalPayment = { readonly purchaseId: PurchaseId; readonly captureId: string; readonly money: Money };

export type PayExternalAnswer =
  | { readonly kind: "started"; readonly payment: Payment; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "purchase_unknown" }
  | { readonly kind: "not_payable"; readonly purchase: Purchase }
  | { readonly kind: "wrong_amount"; readonly expected: Money }
  /** The capture's id was used for another payment. */
  | { readonly kind: "capture_reused" }
  | NotTried
  | Unknown;

export async function payExternal(deps: Omit<PayDeps, "provider">, viewer: Viewer, ask: ExternalPayment): Promise<PayExternalAnswer> {
  const purchase = await findPurchase(deps, viewer, ask.purchaseId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const earlier = (await deps.records.paymentsOf(purchase.id)).find((payment) => isSame(payment, ask) && payment.state === "captured");
  if (earlier !== undefined) return { kind: "started", payment: earlier, purchase, repeated: true };
  if (!sameMoney(ask.money, amountOf(purchase))) return { kind: "wrong_amount", expected: amountOf(purchase) };
  const started = await startPayment(deps, { purchase, provider: externalProviderName, viewer });
  if (started.kind !== "started") return started;
  const mayUse = started.payment.provider === externalProviderName && (started.payment.providerRef ?? ask.captureId) === ask.captureId;
  const sale = await deps.records.sale(purchase.saleId);
  assert(sale !== undefined, "a purchase has its sale");
  return mayUse ? capture(deps, started.payment, { ...ask, seller: sale.seller }) : { kind: "not_payable", purchase: started.purchase };
}

async function capture(
  deps: Omit<PayDeps, "provider">,
  payment: Payment,
  ask: ExternalPayment & { readonly seller: string },
): Promise<PayExternalAnswer> {
  const note: UpdatePayment = { kind: "update_payment", paymentId: payment.id, event: "submitted", providerRef: ask.captureId };
  const take: TakeCapture = {
    kind: "capture",
    // Captures of all providers share one space of ids, and this one is not minted by a provider: each shop has its own part.
    captureId: `${externalProviderName}:${ask.seller}:${ask.captureId}`,
    paymentId: payment.id,
    money: ask.money,
    // A freshly minted id is a refund's id by its use here.
    refundId: deps.ids.mint() as RefundId,
  };
  const [noted] = await deps.acceptance.submit(payment.saleId, [note]);
  if (noted?.kind !== "updated") return { kind: "unknown" };
  const [taken] = await deps.acceptance.submit(payment.saleId, [take]);
  if (taken?.kind !== "captured") return { kind: "unknown" };
  const now = await readAfter(deps, payment);
  if (now === "unread") return { kind: "unknown" };
  if (now?.state === "captured") return { kind: "started", payment: now, purchase: taken.purchase, repeated: false };
  await deps.acceptance.submit(payment.saleId, [{ kind: "update_payment", paymentId: payment.id, event: "failed" }]);
  return { kind: "capture_reused" };
}

/** The money is recorded by now: a read that fails must not look as if nothing had been tried. */
async function readAfter({ records }: Pick<PayDeps, "records">, { id }: Payment): Promise<Payment | undefined | "unread"> {
  try {
    return await records.payment(id);
  } catch (error) {
    if (error instanceof StoreUnavailable) return "unread";
    throw error;
  }
}

function isSame(payment: Payment, ask: ExternalPayment): boolean {
  return payment.provider === externalProviderName && payment.providerRef === ask.captureId;
}
