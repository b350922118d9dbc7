/** Why a RabbitMQ did not let us in, out of what the machine, its TLS, the client and the server call it; undefined for another error. */
import { connectFailureOf, firstFailure } from "../../lib/connect-error.ts";
import type { RefusalReason } from "../../ports/server-facts.ts";

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
  const { first, code } = firstFailure(error);
  const reason = (code === undefined ? undefined : connectFailureOf(code)) ?? words.find(([pattern]) => pattern.test(first.message))?.[1];
  if (reason === undefined) return undefined;
  const text = first.message === "" ? (code ?? first.name) : first.message.replaceAll(/\s+/g, " ");
  return { reason, said: reason === "no-database" && text.startsWith("Expected") ? saidOfPlaces : text };
}
