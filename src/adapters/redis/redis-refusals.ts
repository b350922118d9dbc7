/** Why a Redis did not let us in, out of what the machine, its TLS, the client and the server call it; undefined for another error. */
import { ErrorReply } from "@redis/client";
import type { RefusalReason } from "../../ports/server-facts.ts";

/** Names of the machine. */
const reasons: Readonly<Record<string, RefusalReason>> = {
  ENOTFOUND: "no-such-host",
  EAI_AGAIN: "no-such-host",
  EAI_NONAME: "no-such-host",
  ECONNREFUSED: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ECONNRESET: "silent",
  EPIPE: "silent",
  ETIMEDOUT: "silent",
};
const ofTls = /^ERR_(?:TLS|SSL)|CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/;
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
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in first && typeof first.code === "string" ? first.code : undefined;
  const reason =
    (code === undefined ? undefined : (reasons[code] ?? (ofTls.test(code) ? "transport" : undefined))) ?? reasonIn(first.message);
  if (reason === undefined && !(error instanceof ErrorReply)) return undefined;
  return { reason: reason ?? "other", said: first.message === "" ? (code ?? first.name) : first.message.replaceAll(/\s+/g, " ") };
}

const reasonIn = (message: string): RefusalReason | undefined => words.find(([pattern]) => pattern.test(message))?.[1];
