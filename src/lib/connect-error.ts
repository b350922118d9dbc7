/** What the machine and its TLS call a connection that did not come about, whoever it was to. */
export type ConnectFailure = "no-such-host" | "unreachable" | "silent" | "transport";

const failures: Readonly<Record<string, ConnectFailure>> = {
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

/** `code`: as Node has it in an error's `code`. Undefined of one that is no word of the machine's. */
export const connectFailureOf = (code: string): ConnectFailure | undefined =>
  failures[code] ?? (ofTls.test(code) ? "transport" : undefined);

/** The first failure behind an error (an attempt at several addresses has one for each), and its code. */
export function firstFailure(error: Error): { readonly first: Error; readonly code: string | undefined } {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return { first, code: "code" in first && typeof first.code === "string" ? first.code : undefined };
}
