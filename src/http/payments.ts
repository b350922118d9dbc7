/** The use cases of money as the routes need them; main.ts binds them to the engine. */
import type { PurchaseId } from "../domain/ids.ts";
import type { StartPaymentOutcome, StartRefundOutcome, SaleUnknown } from "../domain/movement.ts";
import type { Money } from "../domain/money.ts";
import type { Payment } from "../domain/payment.ts";
import type { Viewer } from "../engine/orders.ts";
import type { NotTried, Unknown } from "../ports/acceptance.ts";

type Unsettled = SaleUnknown | NotTried | Unknown;

export interface OrderPayments {
  start(viewer: Viewer, id: PurchaseId, scenario: string | undefined): Promise<StartPaymentOutcome | { readonly kind: "declined"; readonly message: string } | Unsettled>;
  /** Money that the shop took itself. */
  recordExternal(id: PurchaseId, capture: { captureId: string; money: Money }): Promise<{ readonly kind: "recorded"; readonly payment: Payment; readonly repeated: boolean } | { readonly kind: "purchase_unknown" } | { readonly kind: "not_payable" } | Unsettled>;
  refund(id: PurchaseId, returnStock: boolean): Promise<StartRefundOutcome | Unsettled>;
  callback(provider: string, delivery: { headers: Readonly<Record<string, string>>; body: string }): Promise<CallbackOutcome>;
}

export type CallbackOutcome =
  | { readonly kind: "applied"; readonly repeated: boolean }
  | { readonly kind: "rejected"; readonly problem: string }
  | { readonly kind: "malformed"; readonly field: string; readonly problem: string }
  | { readonly kind: "payment_unknown" }
  | { readonly kind: "provider_unknown" }
  | NotTried
  | Unknown;
