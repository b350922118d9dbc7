import type { PaymentId, PurchaseId, RefundId } from "../domain/ids.ts";
import type { Money } from "../domain/money.ts";

/** The provider of payments that the shop took itself; it cannot be asked to take any. */
export const externalProviderName = "external";

/**
 * Takes and returns money. Every call is idempotent by the id we give, so an unknown answer is repeated as it was.
 * Never throws: what is not definite is `unknown`.
 */
export interface PaymentProvider {
  /** As payments name it. */
  readonly name: string;
  submit(request: PaymentRequest): Promise<SubmitAnswer>;
  /** What the provider knows of a payment, for when its callbacks do not come. */
  look(paymentId: PaymentId): Promise<LookAnswer>;
  refund(request: RefundRequest): Promise<RefundAnswer>;
}

export type PaymentRequest = {
  readonly paymentId: PaymentId;
  readonly purchaseId: PurchaseId;
  readonly money: Money;
  /** Until when the order waits for this payment: money taken later comes back. */
  readonly holdUntilMs: number;
  /** For the simulated provider: how it shall behave. Real ones ignore it. */
  readonly scenario?: string | undefined;
};
export type SubmitAnswer =
  | { readonly kind: "submitted"; readonly providerRef: string; readonly payUrl?: string | undefined }
  | { readonly kind: "declined"; readonly message: string }
  | { readonly kind: "unknown" };

export type ProviderCapture = { readonly captureId: string; readonly money: Money };
export type LookAnswer =
  | { readonly kind: "known"; readonly state: "pending" | "failed"; readonly captures: readonly ProviderCapture[] }
  | { readonly kind: "not_found" }
  | { readonly kind: "unknown" };

export type RefundRequest = { readonly refundId: RefundId; readonly captureId: string; readonly money: Money };
export type RefundAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "declined"; readonly message: string }
  | { readonly kind: "unknown" };
