/**
 * W3C Trace Context, as far as a log needs it: whose trace a request belongs to, and how an answer says so. A caller's
 * `traceparent` is taken when it is exactly of the form; anything else counts as none, for a trace id must never be a way
 * to write into the log.
 */
import { createHash } from "node:crypto";
import type { Entropy } from "../ports/entropy.ts";

export type Trace = { readonly traceId: string; readonly spanId: string };

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]{1,400})?$/;

/** The id of the trace that the caller is in. Later versions may append, the first may not. */
export function traceIdOf(header: string | null): string | undefined {
  const [, version, traceId = "", parentId = "", more] = traceparent.exec(header ?? "") ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  return /[^0]/.test(traceId) && /[^0]/.test(parentId) ? traceId : undefined;
}

/** The caller's trace, or a new one. */
export function traceOf(header: string | null, entropy: Pick<Entropy, "secret">): Trace {
  const chance = createHash("sha256").update(entropy.secret(24)).digest("hex");
  return { traceId: traceIdOf(header) ?? chance.slice(0, 32), spanId: chance.slice(32, 48) };
}

/** Tells a caller which trace its request is logged under. */
export const traceresponse = ({ traceId, spanId }: Trace): string => `00-${traceId}-${spanId}-01`;
