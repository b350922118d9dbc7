/** The store did not answer. Nothing is known of a write (`unknown`), or nothing happened (the other codes). */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly code: "storage_full" | "unavailable" | "unknown";
  readonly retryable: boolean;

  constructor(code: "storage_full" | "unavailable" | "unknown", message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.retryable = code !== "storage_full";
  }
}
