import type { ServerErrorKind } from "./server-driver.ts";

/** SQLSTATE codes, and their classes (the first two letters) behind them. */
const kinds: Readonly<Record<string, ServerErrorKind>> = {
  "40001": "conflict", // serialization_failure
  "40P01": "conflict", // deadlock_detected
  "55P03": "conflict", // lock_not_available
  "23505": "duplicate", // unique_violation
  "53100": "storage_full", // disk_full
  "25006": "unavailable", // read_only_sql_transaction: a standby
  "25P03": "unavailable", // idle_in_transaction_session_timeout, of a process that stood still: the connection is ended
  "25P04": "unavailable", // transaction_timeout: the same
  "57014": "unavailable", // query_canceled, by statement_timeout
  "22": "bad_line", // data exception
  "23": "bad_line", // integrity constraint violation
  "08": "unavailable", // connection exception
  "28": "unavailable", // invalid authorization
  "3D": "unavailable", // invalid catalog name
  "53": "unavailable", // insufficient resources
  "57": "unavailable", // operator intervention: shutting down
  "58": "unavailable", // system error
};

/** Without a code of the server's own no answer came, or half of one. */
export function postgresErrorKind(error: unknown): ServerErrorKind {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  // Node's own codes begin with an E, as no class of SQLSTATE does; most are longer, EPIPE is not.
  if (!/^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code)) return "lost";
  return kinds[code] ?? kinds[code.slice(0, 2)] ?? "defect";
}
