/**
 * Holds one process's feed of changes to its contract: each commit since it began is told once, of one sale in the order
 * of its commits, and soon after it was there.
 */
import type { ChangeFeed, CommittedChange } from "../../../src/ports/change-feed.ts";
import type { Server } from "../server.ts";
import type { LogRow } from "./model-server.ts";
import type { SqlWorld } from "./sql-world.ts";

export class FeedWitness implements ChangeFeed {
  readonly by: string;
  readonly #world: SqlWorld;
  readonly #feed: ChangeFeed;
  /** When the first look was asked for, and when it was answered: what was committed in between may be told or not. */
  #began: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly #told = new Map<string, number>();
  readonly #latest = new Map<string, number>();

  constructor(world: SqlWorld, server: Server, feed: ChangeFeed) {
    this.#world = world;
    this.#feed = feed;
    this.by = server.by;
    world.witnesses.push(this);
  }

  async next(): Promise<readonly CommittedChange[]> {
    const fromMs = this.#world.sim.now;
    const told = await this.#feed.next();
    this.#began ??= { fromMs, toMs: this.#world.sim.now };
    for (const { saleId, feed } of told) this.#hear(saleId, feed);
    return told;
  }

  buyersBetween(ask: Parameters<ChangeFeed["buyersBetween"]>[0]): ReturnType<ChangeFeed["buyersBetween"]> {
    return this.#feed.buyersBetween(ask);
  }

  #hear(saleId: string, feed: number): void {
    const name = `${saleId} ${feed}`;
    const latest = this.#latest.get(saleId) ?? 0;
    this.#world.sim.check(feed >= latest, "feed", () => `${this.by} was told of sale ${saleId} at ${feed} after ${latest}`);
    this.#latest.set(saleId, Math.max(feed, latest));
    this.#told.set(name, (this.#told.get(name) ?? 0) + 1);
  }

  /** When nothing changes any more, all of it was told. */
  checkAtRest(): void {
    if (this.#began === undefined) return;
    const { fromMs, toMs } = this.#began;
    const rows = new Map<string, LogRow[]>();
    for (const row of this.#world.database.log.values()) {
      const name = `${row.saleId} ${row.feed}`;
      rows.set(name, [...(rows.get(name) ?? []), row]);
    }
    for (const [name, ofName] of rows) {
      const least = ofName.filter(({ committedMs }) => committedMs > toMs).length;
      const most = ofName.filter(({ committedMs }) => committedMs >= fromMs).length;
      const told = this.#told.get(name) ?? 0;
      this.#world.sim.check(
        told >= least && told <= most,
        "feed",
        () => `${this.by} was told ${told} times of ${least} to ${most} commits at sale ${name}`,
      );
    }
  }
}
