/** What clients remember: every request to buy, with the time it left, the time its fate was known, and that fate. */
import type { Reply } from "./server.ts";

export type Attempt = {
  readonly number: number;
  readonly buyer: number;
  readonly saleId: string;
  readonly key: string | undefined;
  readonly quantity: number;
  readonly note: string | undefined;
  readonly invokedMs: number;
  endedMs: number;
  fate: Fate;
  /** The network made two of the request, so its answer speaks for one of them only. */
  copied: boolean;
};

/** `refused`: declined, changed nothing. `untried`: nothing was taken by it. `unknown`: may have happened or may yet. */
export type Fate =
  | { readonly kind: "open" }
  | { readonly kind: "accepted"; readonly id: string; readonly text: string }
  /** Accepted, and to be an order soon. */
  | { readonly kind: "queued"; readonly id: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "untried"; readonly reason: string }
  | { readonly kind: "unknown" };

export type Envelope = { readonly code: number; readonly data: Readonly<Record<string, unknown>> };

export function envelopeOf(text: string): Envelope {
  // Handlers answer nothing but envelopes; the end-to-end suite holds them to that.
  return JSON.parse(text) as Envelope;
}

const untried = new Set([401, 403, 429, 503]);

/** What an answer to a purchase means (DESIGN: what an answer means). */
export function fateOf(reply: Reply): Fate {
  if (reply.kind === "down") return { kind: "untried", reason: "down" };
  if (reply.kind === "lost") return { kind: "unknown" };
  const { status, text } = reply;
  if (status === 504) return { kind: "unknown" };
  const { data } = envelopeOf(text);
  const reason = typeof data["reason"] === "string" ? data["reason"] : `status ${status}`;
  if (status === 201) return { kind: "accepted", id: String(data["id"]), text };
  if (status === 202) return { kind: "queued", id: String(data["id"]) };
  if (status === 500) return { kind: "untried", reason: "internal" };
  if (untried.has(status)) return { kind: "untried", reason };
  return { kind: "refused", reason };
}
