import type { SessionId } from "../domain/ids.ts";

/** What needs this installation's own secret. */
export interface AccountSecrets {
  /** The first refresh token of a session. */
  firstToken(session: SessionId): RefreshToken;
  /** A refresh token that was presented, if we ever made it, with the one that follows it: always the same. */
  readToken(text: string): PresentedToken | undefined;
  /** Encrypts for the store. `owner` goes in, so that nobody's secret opens as somebody else's. */
  seal(text: string, owner: string): string;
  open(sealed: string, owner: string): string | undefined;
  /** New recovery codes, and the digest under which a code is kept. */
  recoveryCodes(count: number): readonly string[];
  recoveryDigest(code: string, owner: string): string;
}

export type RefreshToken = { readonly text: string; readonly digest: string };
export type PresentedToken = { readonly session: SessionId; readonly digest: string; readonly next: RefreshToken };
