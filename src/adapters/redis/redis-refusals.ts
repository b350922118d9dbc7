/** Why a Redis did not let us in, out of what the machine, its TLS, the client and the server call it; undefined for another error. */
import { ErrorReply } from "@redis/client";
import { connectFailureOf, firstFailure } from "../../lib/connect-error.ts";
import type { RefusalReason } from "../../ports/server-facts.ts";

/** How the server's replies begin, and what the client says without a code. */
const words: readonly (readonly [RegExp, RefusalReason])[] = [
  [/^(?:WRONGPASS|NOAUTH|NOPERM|DENIED)\b|without any password|invalid password/i, "not-let-in"],
  [/^LOADING\b/, "not-ready"],
  [/max number of clients/i, "full"],
  [/DB index|invalid DB/i, "no-database"],
  [/certificate|altnames|TLS|SSL/i, "transport"],
  [/time[d ]?out|closed unexpectedly|socket closed|disconnect/i, "silent"],
];

export function redisRefusalOf(error: unknown): { readonly reason: RefusalReason; readonly said: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const { first, code } = firstFailure(error);
  const reason = (code === undefined ? undefined : connectFailureOf(code)) ?? reasonIn(first.message);
  if (reason === undefined && !(error instanceof ErrorReply)) return undefined;
  return { reason: reason ?? "other", said: first.message === "" ? (code ?? first.name) : first.message.replaceAll(/\s+/g, " ") };
}

const reasonIn = (message: string): RefusalReason | undefined => words.find(([pattern]) => pattern.test(message))?.[1];
