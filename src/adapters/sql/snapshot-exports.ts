/** Exports of a store that nobody need serve: one snapshot, read on this thread, beside a running server or without one. */
import type { Exports } from "../../ports/exports.ts";
import { openSnapshot } from "./audit-source.ts";
import { exportReaders } from "./export-readers.ts";
import { SqliteConnection } from "./sqlite-connection.ts";

/** Throws StoreUnavailable when the folder holds no store of this version's schema. */
export function openSnapshotExports(dataDir: string): Exports & { close(): void } {
  const connection = new SqliteConnection(openSnapshot(dataDir));
  const readers = exportReaders(connection);
  return {
    ...readers,
    close: () => connection.close(),
  };
}
