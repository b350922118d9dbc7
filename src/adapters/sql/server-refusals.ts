/** Why a server did not let us in, out of what drivers, servers and the machine call it; undefined for an error that is no refusal. */
import { connectFailureOf } from "../../lib/connect-error.ts";
import type { RefusalReason } from "../../ports/server-facts.ts";
import { ServerError } from "./server-driver.ts";

/** MySQL's numbers, SQLSTATE of PostgreSQL, and what drivers say themselves. */
const reasons: Readonly<Record<string, RefusalReason>> = {
  1040: "full", // ER_CON_COUNT_ERROR
  1044: "no-database", // ER_DBACCESS_DENIED_ERROR: also said of one that is not there
  1045: "not-let-in", // ER_ACCESS_DENIED_ERROR
  1049: "no-database", // ER_BAD_DB_ERROR
  1053: "not-ready", // ER_SERVER_SHUTDOWN
  1130: "not-let-in", // ER_HOST_NOT_PRIVILEGED
  1203: "full", // ER_TOO_MANY_USER_CONNECTIONS
  1226: "full", // ER_USER_LIMIT_REACHED
  1698: "not-let-in", // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  3118: "not-let-in", // ER_ACCOUNT_HAS_BEEN_LOCKED
  3159: "transport", // ER_SECURE_TRANSPORT_REQUIRED
  4151: "not-let-in", // ER_ACCOUNT_HAS_BEEN_LOCKED (MariaDB)
  "28000": "not-let-in", // invalid_authorization_specification
  "28P01": "not-let-in", // invalid_password
  "3D000": "no-database", // invalid_catalog_name
  "42501": "no-database", // insufficient_privilege: CONNECT is not granted
  "53300": "full", // too_many_connections
  "57P01": "not-ready", // admin_shutdown
  "57P03": "not-ready", // cannot_connect_now
  ENOENT: "unreachable", // a socket that is not there
  PROTOCOL_CONNECTION_LOST: "silent",
  HANDSHAKE_NO_SSL_SUPPORT: "transport",
};
/** Where a driver gives no code. */
const words: readonly (readonly [RegExp, RefusalReason])[] = [
  [/SSL|TLS|certificate/i, "transport"],
  [/SASL|SCRAM|password|authentication/i, "not-let-in"],
  [/time[d ]?out|in time|terminated/i, "silent"],
];
const chainMax = 8;

export function refusalOf(error: unknown): { readonly reason: RefusalReason; readonly said: string } | undefined {
  const chain = chainOf(error);
  // A statement that the server does not understand is a mistake of ours.
  if (!chain.some((link) => link instanceof ServerError && link.kind !== "defect")) return undefined;
  const said = chain.find(({ message }) => message !== "")?.message.replaceAll(/\s+/g, " ");
  return { reason: reasonOf(chain) ?? "other", said: said ?? chain.flatMap(codesOf)[0] ?? "no reason was given" };
}

function reasonOf(chain: readonly Error[]): RefusalReason | undefined {
  for (const code of chain.flatMap(codesOf)) {
    const reason = reasons[code] ?? connectFailureOf(code);
    if (reason !== undefined) return reason;
  }
  return words.find(([pattern]) => pattern.test(chain[0]?.message ?? ""))?.[1];
}

/** What it began with comes first, and says most. */
function chainOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let link = error; link instanceof Error && chain.length < chainMax; link = link.cause) chain.unshift(link);
  return chain;
}

function codesOf(link: Error): readonly string[] {
  const marks: unknown[] = ["errno" in link ? link.errno : undefined, "code" in link ? link.code : undefined];
  return marks.filter((value) => typeof value === "string" || (typeof value === "number" && value > 0)).map(String);
}
