import type { BuyerId, SessionId } from "../domain/ids.ts";
import type { KeyRecord } from "../domain/server-key.ts";

/** What another process may have ended or allowed since: the memory of this one is brought up to date with it. */
export interface AccessChanges {
  /** Everything that changed at `sinceMs` or later. Throws StoreUnavailable when the store cannot answer. */
  accessChanges(sinceMs: AccessSince): Promise<AccessChange>;
}

export type AccessSince = { readonly sessionsMs: number; readonly bansMs: number; readonly keysMs: number };
export type AccessChange = {
  readonly sessions: readonly { readonly id: SessionId; readonly atMs: number }[];
  readonly bans: readonly { readonly buyerId: BuyerId; readonly banned: boolean; readonly atMs: number }[];
  readonly keys: readonly KeyRecord[];
};
