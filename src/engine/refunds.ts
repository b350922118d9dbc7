/**
 * Gives money back. A refund is a row of its own, written before the provider is asked, and its id is the provider's key:
 *
 *   requested ──send──► sent ──► provider.refund(id) ──┬─ done
 *                        ▲                             ├─ declined ──► failed, for somebody to look at
 *                        └───────── back-off ──────────┴─ unknown  ──► still sent
 *
 * Must stay true: no call without a committed `send`, so a crash at any point leaves a row that is tried again; and the
 * same id at each try, so that trying again returns the money once.
 */
import { backoffMs } from "../lib/backoff.ts";
import type { PurchaseId, RefundId } from "../domain/ids.ts";
import type { SaleUnknown, StartRefundOutcome } from "../domain/movement.ts";
import type { Refund } from "../domain/payment.ts";
import type { Acceptance, NotTried, Unknown } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Fence } from "../ports/leases.ts";
import type { PaymentProvider } from "../ports/payment-provider.ts";
import type { Records } from "../ports/records.ts";
import { findPurchase, type Viewer } from "./orders.ts";

/** The shop gives a paid order's whole amount back, with or without its units. A repeat answers the first refund. */
export async function refundOrder(
  deps: { readonly records: Records; readonly acceptance: Acceptance; readonly ids: Ids },
  viewer: Viewer,
  ask: { purchaseId: PurchaseId; returnStock: boolean },
): Promise<StartRefundOutcome | SaleUnknown | NotTried | Unknown> {
  const purchase = await findPurchase(deps, viewer, ask.purchaseId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  // A freshly minted id is a refund's id by its use here.
  const refundId = deps.ids.mint() as RefundId;
  const [answer] = await deps.acceptance.submit(purchase.saleId, [{ kind: "refund", refundId, ...ask }]);
  return answer ?? { kind: "unknown" };
}

export type RefundDeps = {
  readonly records: Records;
  readonly acceptance: Acceptance;
  readonly clock: Clock;
  /** By the name that payments carry. */
  readonly providers: ReadonlyMap<string, PaymentProvider>;
};
export type RefundLimits = {
  /** Refunds in flight at once. */
  readonly refundsMax: number;
  readonly retry: { readonly baseMs: number; readonly ceilingMs: number };
  /** A declined refund waits for somebody to look at it, and is tried again after so long. */
  readonly declinedRetryMs: number;
};
export const refundLimitsDefault: RefundLimits = { refundsMax: 32, retry: { baseMs: 500, ceilingMs: 10_000 }, declinedRetryMs: 3_600_000 };

export type RefundResult = "done" | "failed" | "open";

/** Tries each refund that is due once. `fence`: whose process may send at this time. */
export async function sendDueRefunds(deps: RefundDeps, limits: RefundLimits, fence?: Fence): Promise<readonly RefundResult[]> {
  const due = await deps.records.dueRefunds(deps.clock.nowMs(), limits.refundsMax);
  return Promise.all(due.map((refund) => sendRefund(deps, refund, { ...limits, fence })));
}

async function sendRefund(
  deps: RefundDeps,
  refund: Refund,
  { retry, declinedRetryMs, fence }: RefundLimits & { fence: Fence | undefined },
): Promise<RefundResult> {
  const { id: refundId, captureId, money } = refund;
  const note = async (event: "send" | "done" | "failed") => {
    const waitMs = event === "failed" ? declinedRetryMs : backoffMs(refund.tries, retry);
    const nextTryAtMs = Math.floor(deps.clock.nowMs()) + waitMs;
    const [answer] = await deps.acceptance.submit(refund.saleId, [{ kind: "update_refund", refundId, event, nextTryAtMs }], { fence });
    return answer?.kind === "updated";
  };
  if (!(await note("send"))) return "open";
  const provider = deps.providers.get(refund.provider);
  const said = provider === undefined ? { kind: "unknown" as const } : await provider.refund({ refundId, captureId, money });
  if (said.kind === "unknown") return "open";
  const result = said.kind === "done" ? "done" : "failed";
  return (await note(result)) ? result : "open";
}
