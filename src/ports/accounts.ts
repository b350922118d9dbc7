import type { Role } from "../domain/access.ts";
import type { Account } from "../domain/account.ts";
import type { AccountId, SessionId } from "../domain/ids.ts";
import type { Listing, Page } from "./records.ts";

/**
 * Accounts as they are kept. Writes are durable when they answer, and may be repeated. Throws StoreUnavailable when the
 * store cannot answer.
 */
export interface Accounts {
  /** `taken`: another account has the name. The same id again is the same account. */
  addAccount(account: Account): Promise<"added" | "taken">;
  /**
   * Writes an account that was read and changed: its version is one more than the one that was read. With `end`, the
   * account's sessions end in the same commit, and their ids are told. `stale`: somebody changed it in between.
   */
  replaceAccount(account: Account, end?: EndSessions): Promise<readonly SessionId[] | "stale">;
  /** Forgets the account and ends its sessions, in one commit; its orders stay with the buyer's number. */
  removeAccount(id: AccountId, nowMs: number): Promise<readonly SessionId[]>;
  account(id: AccountId): Promise<Account | undefined>;
  accountByName(usernameKey: string): Promise<Account | undefined>;
  accounts(query: AccountQuery, page: Page): Promise<Listing<Account>>;
  hasAdmin(): Promise<boolean>;
}

export type EndSessions = {
  readonly nowMs: number;
  /** The session that goes on. */
  readonly except?: SessionId | undefined;
};
export type AccountQuery = {
  readonly role?: Role | undefined;
  readonly banned?: boolean | undefined;
  readonly usernameKey?: string | undefined;
};
