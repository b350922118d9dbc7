/**
 * Starts a payment: the row first, then the provider, then what the provider said.
 *
 *   start_payment ──► created ──► provider.submit ──┬─ submitted ──► pending      (its callback brings the rest)
 *                        ▲                          ├─ declined  ──► failed
 *                        └── a repeat, or the poller ┴─ unknown   ──► still created
 *
 * Must stay true: the provider is asked only for a payment that is in the store, by that payment's id, so whatever was
 * lost on the way can be asked again; and never for an order that has stopped waiting.
 */
import { unreachable } from "../lib/assert.ts";
import type { PaymentId, PurchaseId } from "../domain/ids.ts";
import type { StartPayment, UpdatePayment } from "../domain/movement.ts";
import type { Payment } from "../domain/payment.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Acceptance, Answer, NotTried, Unknown } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { PaymentProvider } from "../ports/payment-provider.ts";
import type { Records } from "../ports/records.ts";
import { findPurchase, type Viewer } from "./orders.ts";

export type PayDeps = {
  readonly records: Records;
  readonly acceptance: Acceptance;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly provider: PaymentProvider;
};

export type PayRequest = {
  readonly purchaseId: PurchaseId;
  /** For the simulated provider. */
  readonly scenario?: string | undefined;
};

/** `unknown`: something may have been started; the same request again finds it. */
export type PayAnswer =
  | { readonly kind: "started"; readonly payment: Payment; readonly purchase: Purchase; readonly repeated: boolean }
  | { readonly kind: "purchase_unknown" }
  | { readonly kind: "not_payable"; readonly purchase: Purchase }
  | { readonly kind: "payment_failed"; readonly payment: Payment; readonly message: string }
  | NotTried
  | Unknown;

export async function pay(deps: PayDeps, viewer: Viewer, request: PayRequest): Promise<PayAnswer> {
  const purchase = await findPurchase(deps, viewer, request.purchaseId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const started = await startPayment(deps, { purchase, provider: deps.provider.name, viewer });
  if (started.kind !== "started" || started.payment.state !== "created") return started;
  // Another way to pay is under way; the buyer gets that one.
  if (started.payment.provider !== deps.provider.name) return started;
  return submit(deps, started, request.scenario);
}

export type Started = Extract<PayAnswer, { kind: "started" }>;

/** The order's open payment, new if it had none. An order that has stopped waiting has none to pay with. */
export async function startPayment(
  deps: Pick<PayDeps, "acceptance" | "clock" | "ids">,
  ask: { purchase: Purchase; provider: string; viewer: Viewer },
): Promise<Exclude<PayAnswer, { kind: "payment_failed" }>> {
  const { purchase, provider, viewer } = ask;
  // There is no order yet that could be paid; a moment later there is.
  if (purchase.state === "queued" || purchase.state === "stuck") return { kind: "not_payable", purchase };
  // A buyer's own word is held to its own purchase once more where it is decided.
  const buyerId = viewer.buyerId === purchase.buyerId ? viewer.buyerId : undefined;
  // A freshly minted id is a payment's id by its use here.
  const paymentId = deps.ids.mint() as PaymentId;
  const start: StartPayment = { kind: "start_payment", paymentId, purchaseId: purchase.id, provider, buyerId };
  const [answer = { kind: "unknown" }]: readonly (Answer<StartPayment> | undefined)[] = await deps.acceptance.submit(purchase.saleId, [
    start,
  ]);
  switch (answer.kind) {
    case "started": {
      const waits = answer.purchase.state === "reserved" && deps.clock.nowMs() < answer.purchase.holdUntilMs;
      return waits ? answer : { kind: "not_payable", purchase: answer.purchase };
    }
    case "sale_unknown":
      return { kind: "purchase_unknown" };
    case "purchase_unknown":
    case "not_payable":
    case "not_tried":
    case "unknown":
      return answer;
    default:
      return unreachable(answer);
  }
}

async function submit(deps: PayDeps, started: Started, scenario: string | undefined): Promise<PayAnswer> {
  const { payment, purchase } = started;
  const { id: paymentId, purchaseId, money } = payment;
  const said = await deps.provider.submit({ paymentId, purchaseId, money, holdUntilMs: purchase.holdUntilMs, scenario });
  switch (said.kind) {
    case "unknown":
      return said;
    case "submitted": {
      const { providerRef, payUrl } = said;
      const noted = await update(deps, payment, { kind: "update_payment", paymentId, event: "submitted", providerRef, payUrl });
      return noted.kind === "unknown" ? noted : { ...started, payment: noted.payment };
    }
    case "declined": {
      const noted = await update(deps, payment, { kind: "update_payment", paymentId, event: "failed" });
      return noted.kind === "unknown" ? noted : { kind: "payment_failed", payment: noted.payment, message: said.message };
    }
    default:
      return unreachable(said);
  }
}

/** What the provider said is not lost when the store cannot note it now: a repeat or the poller asks it again. */
async function update(
  deps: Pick<PayDeps, "acceptance">,
  payment: Payment,
  movement: UpdatePayment,
): Promise<{ kind: "updated"; payment: Payment } | Unknown> {
  const [answer] = await deps.acceptance.submit(payment.saleId, [movement]);
  return answer?.kind === "updated" ? answer : { kind: "unknown" };
}
