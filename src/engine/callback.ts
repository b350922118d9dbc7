/**
 * Applies what a provider said in a callback that was verified. Providers send at least once, in any order and for
 * longer than anybody waits, so every callback may come again: its id is applied once, and its money by the capture's id.
 * Amount and currency are taken as the provider says them; whether they are right is the domain's to judge.
 */
import { unreachable } from "../lib/assert.ts";
import type { PaymentId, RefundId } from "../domain/ids.ts";
import type { TakeCapture, UpdatePayment } from "../domain/movement.ts";
import type { Money } from "../domain/money.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { Ids } from "../ports/ids.ts";
import type { Records } from "../ports/records.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";

export type CallbackDeps = { readonly records: Records; readonly acceptance: Acceptance; readonly ids: Ids };

export const captureIdLengthMax = 128;

export type Callback = {
  readonly id: string;
  /** Whose signature it carries: it speaks for that provider's payments only. */
  readonly provider: string;
  readonly paymentId: PaymentId;
} & ({ readonly type: "payment.captured"; readonly captureId: string; readonly money: Money } | { readonly type: "payment.failed" });

/** `retry_later`: nothing is known to be applied; the provider shall send it again. */
export type CallbackAnswer =
  | { readonly kind: "applied"; readonly repeated: boolean }
  | { readonly kind: "payment_unknown" }
  | { readonly kind: "retry_later" };

export async function applyCallback(deps: CallbackDeps, callback: Callback): Promise<CallbackAnswer> {
  try {
    const payment = await deps.records.payment(callback.paymentId);
    if (payment === undefined || payment.provider !== callback.provider) return { kind: "payment_unknown" };
    const [answer] = await deps.acceptance.submit(payment.saleId, [movementOf(deps, callback)]);
    switch (answer?.kind) {
      case "captured":
      case "updated":
        return { kind: "applied", repeated: answer.repeated };
      case "payment_unknown":
      case "sale_unknown":
        return { kind: "payment_unknown" };
      case "not_tried":
      case "unknown":
      case undefined:
        return { kind: "retry_later" };
      default:
        return unreachable(answer);
    }
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: "retry_later" };
    throw error;
  }
}

function movementOf(deps: CallbackDeps, callback: Callback): TakeCapture | UpdatePayment {
  const { id: callbackId, paymentId } = callback;
  if (callback.type === "payment.failed") return { kind: "update_payment", paymentId, event: "failed", callbackId };
  // A freshly minted id is a refund's id by its use here.
  const refundId = deps.ids.mint() as RefundId;
  return { kind: "capture", captureId: callback.captureId, paymentId, money: callback.money, refundId, callbackId };
}
