/** What a database server's driver has to bring; everything above it is one code for all servers. */
import type { Dialect } from "./dialect.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

export interface ServerDriver {
  readonly dialect: Dialect;
  /** The server without its password, for messages. */
  readonly name: string;
  /** A connection out of a bounded pool. Rejects with ServerError, at the latest after `acquireTimeoutMs`. */
  connect(purpose: "write" | "read"): Promise<ServerConnection>;
  close(): Promise<void>;
}

/** Every method rejects with ServerError, at the latest after the driver's statement timeout. */
export interface ServerConnection extends SqlTransaction {
  begin(): Promise<void>;
  /** One transaction that sees one commit and changes nothing. */
  beginSnapshot(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Back into the pool. */
  release(): void;
  /** Out of the pool for good: nobody knows what the server still does on it, until it hears that the other end is gone. */
  destroy(): void;
}

export type ServerErrorKind =
  /** The transaction met another one (deadlock, lock timeout, serialisation): the whole of it may be run again. */
  | "conflict"
  /** A row with the same key was there, which a transaction that ran at the same time may just have written. */
  | "duplicate"
  /** What was to be written breaks a constraint. */
  | "bad_line"
  | "storage_full"
  /** The server refused or cannot be reached, and did nothing. */
  | "unavailable"
  /** No answer came: whatever was sent may have been done. */
  | "lost"
  /**
   * The server does not do a statement, for a reason that has no name here: it is wrong, or the schema, the rights or the
   * server are not what they should be just now. No line is to blame: it would be so for every other.
   */
  | "defect";

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly kind: ServerErrorKind;
  constructor(kind: ServerErrorKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export type ServerLimits = {
  /** Connections at once, for writing and for reading. */
  readonly writesMax: number;
  readonly readsMax: number;
  /** How long a transaction may wait for a connection. */
  readonly acquireTimeoutMs: number;
  /** How long a statement may take before its connection is given up. */
  readonly statementTimeoutMs: number;
  /** How long the server lets a statement wait for a lock: less than that, so that it is the server who ends it. */
  readonly lockTimeoutMs: number;
  /**
   * How long a transaction that writes may lie about without a statement, for it holds its locks: a process that was
   * stopped in the middle of one would stop the sale for all. Servers that know no such bound (MySQL) keep it until the
   * connection ends.
   */
  readonly idleTimeoutMs: number;
};

/** Rejects after `ms` with `late`; what comes afterwards goes to `tooLate`. */
export function within<Value>(
  promise: Promise<Value>,
  ms: number,
  { late, tooLate }: { late: () => Error; tooLate?: ((value: Value) => void) | undefined },
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let open = true;
    const timer = setTimeout(() => {
      open = false;
      reject(late());
    }, ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        if (open) resolve(value);
        else tooLate?.(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        if (open) reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
