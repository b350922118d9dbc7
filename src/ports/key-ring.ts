import type { KeyId } from "../domain/ids.ts";
import type { KeyRecord } from "../domain/server-key.ts";
import type { ServerKeys } from "./server-keys.ts";

/** The server keys that count, in memory, where every request with a key looks. */
export interface KeyRing extends ServerKeys {
  /** A new key. It is shown once and kept nowhere; the rest of it goes into its record. */
  make(): { readonly secret: string; readonly digest: string; readonly prefix: string };
  /** Takes in what the store says of a key: new, rotated, or revoked. */
  put(record: KeyRecord): void;
  /** Keys used since the last call, with the day. */
  takeUsed(): readonly { readonly id: KeyId; readonly day: number }[];
}
