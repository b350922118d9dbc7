/** What `doorbuster doctor` learns about the embedded store without taking part in it: it is only read, also while a server runs. */
export type StoreFacts = {
  readonly sqliteVersion: string;
  readonly sqliteVersionMin: string;
  /** Whether a server has the folder, and which process as it noted itself. */
  readonly lock: { readonly held: boolean; readonly holder: string | undefined };
  readonly database: { readonly kind: "absent" } | { readonly kind: "unreadable"; readonly problem: string } | DatabaseFacts;
};

export type DatabaseFacts = {
  readonly kind: "read";
  readonly path: string;
  readonly bytes: number;
  /** Of the write-ahead log, which a checkpoint empties. */
  readonly logBytes: number;
  readonly schema: number;
  readonly schemaKnown: number;
  /** When the newest commit was made; undefined in a store of another schema. */
  readonly lastAtMs: number | undefined;
  /** What SQLite found wrong with its pages; "skipped" when the file is larger than was asked for. */
  readonly damage: readonly string[] | "skipped";
};
