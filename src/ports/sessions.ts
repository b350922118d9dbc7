import type { AccountId, SessionId } from "../domain/ids.ts";
import type { Rotate, Rotation, Session } from "../domain/session.ts";

/** Sessions as they are kept: of their tokens, digests. Throws StoreUnavailable when the store cannot answer. */
export interface Sessions {
  /** Tells which ones ended to make room: an account has at most `sessionsPerAccountMax`. */
  beginSession(session: Session): Promise<readonly SessionId[]>;
  /** Decides as domain/session.ts does, in one commit: of any number of requests with one token, one makes the next. */
  rotateSession(ask: Rotate): Promise<Rotation>;
  /** Ends one session of the account, or all; tells which had not ended before. */
  endSessions(ask: { accountId: AccountId; only?: SessionId | undefined; nowMs: number }): Promise<readonly SessionId[]>;
  /** Those that are not over, newest first. */
  sessionsOf(accountId: AccountId, nowMs: number): Promise<readonly Session[]>;
  /** Forgets sessions that were over before; tells how many. */
  purgeSessions(overBeforeMs: number, countMax: number): Promise<number>;
}
