/**
 * Who must not be believed although its token is still good: sessions that have ended, as long as an access token of
 * theirs may live, and buyers that are banned.
 *
 * Invariant: what this process ended is refused from that moment on; what another process ended, as soon as the store has
 * been read (see follow-access.ts). Asked on every request with a token, so it costs one look while nothing is revoked.
 */
import type { BuyerId, SessionId } from "../../domain/ids.ts";
import { accessLifetimeMs } from "../../domain/session.ts";
import type { Revocations } from "../../ports/revocations.ts";
import type { TokenHolder } from "../../ports/tokens.ts";

/** Beyond the last token's life, for clocks that differ. */
const marginMs = 60_000;

export class RevocationBoard implements Revocations {
  /** By session, when it ended; oldest first as far as this process ended them. */
  readonly #sessions = new Map<string, number>();
  readonly #banned = new Set<BuyerId>();
  /** Of every buyer that was ever banned, when that changed last: what was read before does not undo it. */
  readonly #banChanges = new Map<BuyerId, number>();

  isRevoked({ buyerId, account }: TokenHolder): boolean {
    if (this.#banned.size > 0 && this.#banned.has(buyerId)) return true;
    return this.#sessions.size > 0 && account !== undefined && this.#sessions.has(account.session);
  }

  isBanned(buyerId: BuyerId): boolean {
    return this.#banned.has(buyerId);
  }

  sessionsEnded(ids: readonly SessionId[], atMs: number): void {
    for (const id of ids) this.#sessions.set(id, atMs);
  }

  setBanned(buyerId: BuyerId, banned: boolean, atMs: number): void {
    if ((this.#banChanges.get(buyerId) ?? 0) > atMs) return;
    this.#banChanges.set(buyerId, atMs);
    if (banned) this.#banned.add(buyerId);
    else this.#banned.delete(buyerId);
  }

  /** Forgets sessions whose last access token has expired. */
  forget(nowMs: number): void {
    for (const [id, atMs] of this.#sessions) if (atMs + accessLifetimeMs + marginMs <= nowMs) this.#sessions.delete(id);
  }

  get size(): { readonly sessions: number; readonly banned: number } {
    return { sessions: this.#sessions.size, banned: this.#banned.size };
  }
}
