/** Why a RabbitMQ did not let us in, out of what the machine, its TLS, the client and the server call it; undefined for another error. */
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
/** The client gives no code of what the broker says, and of a closed connection not even the text. */
const words: readonly (readonly [RegExp, RefusalReason])[] = [
  [/ACCESS.REFUSED|SASL|Login was refused/i, "not-let-in"],
  [/NOT.ALLOWED|Expected ConnectionOpenOk/i, "no-database"],
  [/certificate|altnames|TLS|SSL/i, "transport"],
  [/time[d ]?out|closed|Unexpected close|in time/i, "silent"],
];
const saidOfPlaces = "it closed the connection when asked for this virtual host";

export function rabbitRefusalOf(error: unknown): { readonly reason: RefusalReason; readonly said: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in first && typeof first.code === "string" ? first.code : undefined;
  const reason =
    (code === undefined ? undefined : (reasons[code] ?? (ofTls.test(code) ? "transport" : undefined))) ??
    words.find(([pattern]) => pattern.test(first.message))?.[1];
  if (reason === undefined) return undefined;
  const text = first.message === "" ? (code ?? first.name) : first.message.replaceAll(/\s+/g, " ");
  return { reason, said: reason === "no-database" && text.startsWith("Expected") ? saidOfPlaces : text };
}
