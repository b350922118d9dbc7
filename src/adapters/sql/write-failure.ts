/** What an error of the database means for the write that met it. */
export type WriteFailure =
  /** Rolled back, and the disk is full. */
  | "storage_full"
  /** Rolled back: what was to be written breaks a constraint or an assertion, which is a bug of ours. */
  | "bad_line"
  /** Rolled back: somebody else holds the database, or it cannot be read. */
  | "unavailable"
  /** Nobody knows what is on the disk: the connection is not to be used again. */
  | "unknown";

/**
 * `committing`: whether the error came out of the commit itself. A full disk keeps the last frame of a commit from being
 * written, so the commit cannot be in the log; after an I/O error it may be.
 */
export function failureOf(error: unknown, committing: boolean): WriteFailure {
  const code = codeOf(error);
  if (code === undefined) return committing ? "unknown" : "bad_line";
  if (code === "SQLITE_FULL") return "storage_full";
  if (code.startsWith("SQLITE_IOERR")) return "unknown";
  if (code.startsWith("SQLITE_BUSY")) return "unavailable";
  if (committing) return "unknown";
  if (code.startsWith("SQLITE_CONSTRAINT") || code === "SQLITE_MISMATCH" || code === "SQLITE_TOOBIG") return "bad_line";
  return "unavailable";
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code.startsWith("SQLITE_") ? error.code : undefined;
}
