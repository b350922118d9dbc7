import { openSqliteStore } from "../adapters/sql/sqlite-store.ts";
import type { Config } from "../config/options.ts";
import type { OpenedStore } from "./opened-store.ts";

/** One process, one folder, no services. */
export function openEmbedded({ dataDir, answerTimeoutMs }: Config): Promise<OpenedStore> {
  return openSqliteStore({ dataDir, callTimeoutMs: answerTimeoutMs });
}
