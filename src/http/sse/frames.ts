/** Events as bytes, in the format of the HTML standard's server-sent events. Data is JSON, which has no line breaks. */
import { answerOf } from "../../domain/availability.ts";
import type { Purchase } from "../../domain/purchase.ts";
import { statusOf, type Sale } from "../../domain/sale.ts";
import { isoTime } from "../time.ts";
import { purchaseView } from "../views.ts";

export type FrameName = "stock" | "purchase" | "ready" | "auth_expired" | "draining";

const encoder = new TextEncoder();

function frame(event: FrameName, data: unknown, id?: string): Uint8Array {
  return encoder.encode(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
}

/**
 * How long a client waits before it comes again. Spread, so that a restart does not bring all of them back at once: at
 * most an eighth of them in any second.
 */
export const retryMinMs = 2_000;
export const retrySpreadMs = 8_000;
export const retryMs = (random: number): number => Math.floor(retryMinMs + random * retrySpreadMs);

/** The first bytes of a stream. */
export const retryFrame = (random: number): Uint8Array => encoder.encode(`retry: ${retryMs(random)}\n\n`);

/** Comments: they keep connections and proxies awake, and no listener hears them. */
export const heartbeatFrame = (nowMs: number): Uint8Array => encoder.encode(`: ${isoTime(Math.floor(nowMs))}\n\n`);
export const nothingNewFrame = encoder.encode(": nothing new\n\n");

/** Names a state of a sale: another copy of it, or another status by time, has another id. */
export const stockIdOf = (sale: Sale, nowMs: number): string => `${sale.feed}.${statusOf(sale, nowMs)}`;

/** What everybody may know. The same bytes go to all. */
export function stockFrame(sale: Sale, nowMs: number): Uint8Array {
  return frame("stock", stockData(sale, nowMs), stockIdOf(sale, nowMs));
}

export function stockData(sale: Sale, nowMs: number) {
  return {
    sale_id: sale.id,
    status: statusOf(sale, nowMs),
    answer: answerOf(sale, nowMs),
    ...sale.balances,
    starts_at: isoTime(sale.startsAtMs),
    ends_at: isoTime(sale.endsAtMs),
    server_time: isoTime(Math.floor(nowMs)),
  };
}

export type PurchaseEventId = { readonly changedAtMs: number; readonly purchaseId: string };
export function parsePurchaseEventId(text: string): PurchaseEventId | undefined {
  const [, ms, purchaseId = ""] = /^(\d{1,15})-(\d{1,19})$/.exec(text) ?? [];
  return ms === undefined ? undefined : { changedAtMs: Number(ms), purchaseId };
}

export const purchaseFrame = (purchase: Purchase): Uint8Array =>
  frame("purchase", purchaseData(purchase), `${purchase.changedAtMs}-${purchase.id}`);

export const purchaseData = (purchase: Purchase) => ({ ...purchaseView(purchase), refunded: purchase.refunded });

/** What is open has been told; from here on come changes. `knownMs`: what changed until then is known to the client. */
export function readyFrame(nowMs: number, knownMs: number | undefined): Uint8Array {
  return frame("ready", { server_time: isoTime(Math.floor(nowMs)) }, knownMs === undefined ? undefined : `${Math.floor(knownMs)}-0`);
}

/** Last words. */
export const authExpiredFrame = frame("auth_expired", { reason: "unauthenticated" });
export const drainingFrame = frame("draining", { reason: "draining" });
