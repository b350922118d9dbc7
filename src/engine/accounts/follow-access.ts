/**
 * Brings what this process remembers of sessions, bans and server keys up to date with the store, where other processes
 * write, too. Each round asks a little further back than the last answer reached: their clocks may differ from ours.
 */
import { accessLifetimeMs } from "../../domain/session.ts";
import type { AccountStore } from "../../ports/account-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KeyRing } from "../../ports/key-ring.ts";
import type { RevocationBoard } from "./revocation-board.ts";

export type FollowDeps = {
  readonly accounts: AccountStore;
  readonly revocations: RevocationBoard;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
};

/** How far another process's clock may be behind. */
const overlapMs = 60_000;
const purgeEveryMs = 600_000;
const purgeMax = 1_000;
/** Sessions that are over are kept a day, to tell their old tokens from inventions. */
const purgeAfterMs = 86_400_000;

export class AccessFollower {
  readonly #deps: FollowDeps;
  #since = { sessionsMs: 0, bansMs: 0, keysMs: 0 };
  #purgeAtMs = 0;

  constructor(deps: FollowDeps) {
    this.#deps = deps;
  }

  /** Reads all that counts; to be done before the first request is answered. Throws StoreUnavailable. */
  async start(): Promise<void> {
    this.#since = { sessionsMs: Math.floor(this.#deps.clock.nowMs()) - accessLifetimeMs - overlapMs, bansMs: 0, keysMs: 0 };
    await this.round();
  }

  /** Throws StoreUnavailable, and then takes up at the next round what it missed. */
  async round(): Promise<boolean> {
    const { accounts, revocations, keyRing, clock } = this.#deps;
    const nowMs = Math.floor(clock.nowMs());
    const { sessions, bans, keys } = await accounts.accessChanges(this.#since);
    for (const { id, atMs } of sessions) revocations.sessionsEnded([id], atMs);
    for (const { buyerId, banned, atMs } of bans) revocations.setBanned(buyerId, banned, atMs);
    for (const record of keys) keyRing.put(record);
    const sinceMs = nowMs - overlapMs;
    this.#since = { sessionsMs: sinceMs, bansMs: sinceMs, keysMs: sinceMs };
    revocations.forget(nowMs);
    const used = keyRing.takeUsed();
    if (used.length > 0) await accounts.touchKeys(used);
    return this.#purge(nowMs);
  }

  async #purge(nowMs: number): Promise<boolean> {
    if (nowMs < this.#purgeAtMs) return false;
    const purged = await this.#deps.accounts.purgeSessions(nowMs - purgeAfterMs, purgeMax);
    if (purged === purgeMax) return true;
    this.#purgeAtMs = nowMs + purgeEveryMs;
    return false;
  }
}
