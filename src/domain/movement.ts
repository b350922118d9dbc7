/**
 * Everything that changes a sale's stock, its switches or its money is a movement, decided under the sale's lock in one
 * total order. One kind of movement has one kind of outcome; every one of them may be repeated.
 */
import type { AdjustmentId, BuyerId, PaymentId, PurchaseId, RefundId, SaleId } from "./ids.ts";
import type { Money } from "./money.ts";
import type { Payment, PaymentState, Refund, RefundReason, RefundState } from "./payment.ts";
import type { Line } from "./journal-message.ts";
import type { Purchase, Refusal, SettleRefusal } from "./purchase.ts";
import type { DraftChanges, DraftProblem, Sale, SaleSwitch, SaleStatus } from "./sale.ts";

export type Take = {
  readonly kind: "take";
  readonly purchaseId: PurchaseId;
  readonly buyerId: BuyerId;
  readonly key?: string | undefined;
  readonly quantity: number;
  readonly metadata?: string | undefined;
};
export type TakeOutcome =
  | { readonly kind: "accepted"; readonly purchase: Purchase; readonly replayed: boolean }
  /** Where the cache decides: its line is durable and gets exactly one outcome. "Not yet", and no outcome itself. */
  | { readonly kind: "queued"; readonly purchase: Purchase; readonly replayed: boolean }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Gives a reserved purchase's units back: by its buyer, by time, or by the shop. */
export type Release = {
  readonly kind: "cancel" | "expire" | "close";
  readonly purchaseId: PurchaseId;
  /** For a cancel by the buyer itself: somebody else's purchase is unknown to it. */
  readonly buyerId?: BuyerId | undefined;
};
export type ReleaseOutcome =
  | { readonly kind: "released"; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "not_allowed"; readonly purchase: Purchase }
  | { readonly kind: "too_early"; readonly holdUntilMs: number }
  | { readonly kind: "purchase_unknown" };

/** The buyer asks for more time to pay than until `payByMs`, the deadline that it saw. */
export type ExtendHold = {
  readonly kind: "extend_hold";
  readonly purchaseId: PurchaseId;
  readonly buyerId: BuyerId;
  readonly payByMs: number;
};
export type ExtendHoldOutcome =
  /** Repeated: it had been extended beyond that deadline before. */
  | { readonly kind: "extended"; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "not_extendable"; readonly purchase: Purchase }
  | { readonly kind: "extensions_used_up"; readonly purchase: Purchase; readonly extensionsMax: number }
  /** It never had the deadline that was named. */
  | { readonly kind: "deadline_unknown"; readonly purchase: Purchase }
  | { readonly kind: "purchase_unknown" };

export type StartPayment = {
  readonly kind: "start_payment";
  readonly paymentId: PaymentId;
  readonly purchaseId: PurchaseId;
  readonly provider: string;
  readonly buyerId?: BuyerId | undefined;
};
export type StartPaymentOutcome =
  | { readonly kind: "started"; readonly payment: Payment; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "not_payable"; readonly purchase: Purchase }
  | { readonly kind: "purchase_unknown" };

/** What the provider said of a payment, short of money. */
export type UpdatePayment = {
  readonly kind: "update_payment";
  readonly paymentId: PaymentId;
  readonly event: "submitted" | "failed" | "expired";
  readonly providerRef?: string | undefined;
  readonly payUrl?: string | undefined;
  /** The callback that said so, applied once. */
  readonly callbackId?: string | undefined;
};
export type UpdatePaymentOutcome =
  | { readonly kind: "updated"; readonly payment: Payment; readonly repeated: boolean }
  | { readonly kind: "payment_unknown" };

/** Money arrived. `refundId` is used if it must go back. */
export type TakeCapture = {
  readonly kind: "capture";
  readonly captureId: string;
  readonly paymentId: PaymentId;
  readonly money: Money;
  readonly refundId: RefundId;
  readonly callbackId?: string | undefined;
};
export type TakeCaptureOutcome =
  | {
      readonly kind: "captured";
      readonly purchase: Purchase;
      readonly kept: boolean;
      readonly refundReason?: RefundReason | undefined;
      readonly repeated: boolean;
    }
  | { readonly kind: "payment_unknown" };

/** The shop gives a paid order's money back, with or without its units. */
export type StartRefund = {
  readonly kind: "refund";
  readonly refundId: RefundId;
  readonly purchaseId: PurchaseId;
  readonly returnStock: boolean;
};
export type StartRefundOutcome =
  | { readonly kind: "refunding"; readonly refund: Refund; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "not_paid"; readonly purchase: Purchase }
  | { readonly kind: "purchase_unknown" };

export type UpdateRefund = {
  readonly kind: "update_refund";
  readonly refundId: RefundId;
  readonly event: "send" | "done" | "failed";
  /** When the next try is due, should this one get no answer. */
  readonly nextTryAtMs: number;
};
export type UpdateRefundOutcome =
  | { readonly kind: "updated"; readonly refund: Refund }
  | { readonly kind: "not_allowed"; readonly state: RefundState }
  | { readonly kind: "refund_unknown" };

/** More or fewer units in a running sale. A decrease takes what is free and says how much that was. */
export type Adjust = {
  readonly kind: "adjust";
  readonly adjustmentId: AdjustmentId;
  readonly units: number;
  readonly reason: string;
  readonly actor: string;
};
export type AdjustOutcome =
  | {
      readonly kind: "adjusted";
      readonly applied: number;
      readonly adjustment: Adjustment;
      readonly sale: Sale;
      readonly repeated: boolean;
    }
  | { readonly kind: "not_adjustable"; readonly status: SaleStatus }
  | ({ readonly kind: "invalid" } & DraftProblem);

/** What an adjustment, or settling, did: kept also when it found nothing to take. */
export type Adjustment = {
  readonly id: AdjustmentId;
  readonly saleId: SaleId;
  readonly kind: "adjust" | "settle";
  readonly asked: number;
  readonly applied: number;
  readonly reason: string;
  readonly actor: string;
  readonly atMs: number;
};

/** Takes what is free out of a sale that is over and holds nothing: nobody can buy it any more. */
export type Settle = { readonly kind: "settle"; readonly adjustmentId: AdjustmentId };
export type SettleOutcome =
  | { readonly kind: "settled"; readonly units: number; readonly sale: Sale; readonly repeated: boolean }
  | { readonly kind: "not_over"; readonly status: SaleStatus; readonly held: number };

/** Changes a draft. `expectedFeed`: the copy that the editor saw. */
export type Edit = { readonly kind: "edit"; readonly changes: DraftChanges; readonly expectedFeed?: number | undefined };
export type EditOutcome =
  | { readonly kind: "edited"; readonly sale: Sale; readonly repeated: boolean }
  | { readonly kind: "version_differs"; readonly sale: Sale }
  | { readonly kind: "not_allowed"; readonly status: SaleStatus }
  | ({ readonly kind: "invalid" } & DraftProblem);

export type Switch = { readonly kind: "switch"; readonly change: SaleSwitch };
export type SwitchOutcome =
  | { readonly kind: "switched"; readonly sale: Sale; readonly repeated: boolean }
  | { readonly kind: "not_allowed"; readonly status: SaleStatus }
  | ({ readonly kind: "invalid" } & DraftProblem);

/** A line that the cache accepted comes to the ledger, in a message of this epoch. */
export type Admit = { readonly kind: "admit"; readonly line: Line; readonly epoch: number };
export type AdmitOutcome =
  /** Reserved or refused, now or when it came before. */
  | { readonly kind: "admitted"; readonly purchase: Purchase; readonly repeated: boolean }
  /** It waits for the cut, and holds nothing. */
  | { readonly kind: "parked"; readonly purchase: Purchase; readonly repeated: boolean }
  /** The cache that stands must be asked first; nothing was written. */
  | { readonly kind: "readmit" };

/** At the cut: a line that waited is decided by stock and limit. */
export type Unpark = { readonly kind: "unpark"; readonly purchaseId: PurchaseId; readonly buyerId: BuyerId };
export type UnparkOutcome =
  | { readonly kind: "admitted"; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "purchase_unknown" };

/** A line that is not to be settled: the cache that stands said no, or an operator discards it. */
export type Decline = {
  readonly kind: "decline";
  readonly line: Line;
  readonly epoch: number;
  readonly reason: Extract<SettleRefusal, "stock" | "limit" | "superseded" | "ended" | "discarded">;
  readonly supersededBy?: PurchaseId | undefined;
};
export type DeclineOutcome = { readonly kind: "admitted"; readonly purchase: Purchase; readonly repeated: boolean };

type Movements = {
  take: { movement: Take; outcome: TakeOutcome };
  release: { movement: Release; outcome: ReleaseOutcome };
  extendHold: { movement: ExtendHold; outcome: ExtendHoldOutcome };
  startPayment: { movement: StartPayment; outcome: StartPaymentOutcome };
  updatePayment: { movement: UpdatePayment; outcome: UpdatePaymentOutcome };
  capture: { movement: TakeCapture; outcome: TakeCaptureOutcome };
  refund: { movement: StartRefund; outcome: StartRefundOutcome };
  updateRefund: { movement: UpdateRefund; outcome: UpdateRefundOutcome };
  adjust: { movement: Adjust; outcome: AdjustOutcome };
  settle: { movement: Settle; outcome: SettleOutcome };
  switch: { movement: Switch; outcome: SwitchOutcome };
  edit: { movement: Edit; outcome: EditOutcome };
  admit: { movement: Admit; outcome: AdmitOutcome };
  unpark: { movement: Unpark; outcome: UnparkOutcome };
  decline: { movement: Decline; outcome: DeclineOutcome };
};
export type Movement = Movements[keyof Movements]["movement"];
export type MovementOutcome = Movements[keyof Movements]["outcome"] | SaleUnknown;
/** The sale a movement names does not exist. */
export type SaleUnknown = { readonly kind: "sale_unknown" };

/** The outcome that belongs to a movement. */
export type OutcomeOf<M extends Movement> =
  | { [K in keyof Movements]: M extends Movements[K]["movement"] ? Movements[K]["outcome"] : never }[keyof Movements]
  | SaleUnknown;

/** Payment states in which the provider may still take money. */
export const openPaymentStates: readonly PaymentState[] = ["created", "pending"];
