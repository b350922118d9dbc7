import type { ServerErrorKind } from "./server-driver.ts";

/** Error numbers of MySQL and MariaDB, which mean the same in both unless said otherwise. */
const kinds: Readonly<Record<number, ServerErrorKind>> = {
  1213: "conflict", // ER_LOCK_DEADLOCK
  1205: "conflict", // ER_LOCK_WAIT_TIMEOUT
  1020: "conflict", // ER_CHECKREAD: MariaDB's innodb_snapshot_isolation
  1062: "duplicate", // ER_DUP_ENTRY
  1022: "duplicate", // ER_DUP_KEY
  1586: "duplicate", // ER_DUP_ENTRY_WITH_KEY_NAME
  1048: "bad_line", // ER_BAD_NULL_ERROR
  1216: "bad_line", // ER_NO_REFERENCED_ROW
  1217: "bad_line", // ER_ROW_IS_REFERENCED
  1264: "bad_line", // ER_WARN_DATA_OUT_OF_RANGE
  1265: "bad_line", // WARN_DATA_TRUNCATED
  1292: "bad_line", // ER_TRUNCATED_WRONG_VALUE
  1300: "bad_line", // ER_INVALID_CHARACTER_STRING
  1366: "bad_line", // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
  1406: "bad_line", // ER_DATA_TOO_LONG
  1451: "bad_line", // ER_ROW_IS_REFERENCED_2
  1452: "bad_line", // ER_NO_REFERENCED_ROW_2
  1690: "bad_line", // ER_DATA_OUT_OF_RANGE
  3819: "bad_line", // ER_CHECK_CONSTRAINT_VIOLATED (MySQL)
  4025: "bad_line", // ER_CONSTRAINT_FAILED (MariaDB)
  1021: "storage_full", // ER_DISK_FULL
  1026: "storage_full", // ER_ERROR_ON_WRITE
  1114: "storage_full", // ER_RECORD_FILE_FULL
  1040: "unavailable", // ER_CON_COUNT_ERROR
  1044: "unavailable", // ER_DBACCESS_DENIED_ERROR
  1045: "unavailable", // ER_ACCESS_DENIED_ERROR
  1049: "unavailable", // ER_BAD_DB_ERROR
  1053: "unavailable", // ER_SERVER_SHUTDOWN
  1080: "unavailable", // ER_FORCING_CLOSE
  1152: "unavailable", // ER_ABORTING_CONNECTION
  1158: "unavailable", // ER_NET_READ_ERROR
  1159: "unavailable", // ER_NET_READ_INTERRUPTED
  1160: "unavailable", // ER_NET_ERROR_ON_WRITE
  1161: "unavailable", // ER_NET_WRITE_INTERRUPTED
  1184: "unavailable", // ER_NEW_ABORTING_CONNECTION
  1203: "unavailable", // ER_TOO_MANY_USER_CONNECTIONS
  1290: "unavailable", // ER_OPTION_PREVENTS_STATEMENT: read only, a standby
  1317: "unavailable", // ER_QUERY_INTERRUPTED
  1792: "unavailable", // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836: "unavailable", // ER_READ_ONLY_MODE
  1927: "unavailable", // ER_CONNECTION_KILLED (MariaDB), also of a transaction that lay idle for too long
  1969: "unavailable", // ER_STATEMENT_TIMEOUT (MariaDB)
  3024: "unavailable", // ER_QUERY_TIMEOUT (MySQL)
  4031: "unavailable", // ER_CLIENT_INTERACTION_TIMEOUT (MySQL)
};

/** Without a number of the server's own no answer came, or half of one. */
export function mysqlErrorKind(error: unknown): ServerErrorKind {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number" || !("sqlState" in error)) return "lost";
  return kinds[error.errno] ?? "defect";
}
