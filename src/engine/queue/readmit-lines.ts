/**
 * Lines of a cache that is gone, while another one stands: that one is asked whether they may come in, with their old ids,
 * by limit and stock alone. Those it takes are published anew under its epoch before their old message is acknowledged;
 * the others are refused in the ledger.
 */
import type { PurchaseId, SaleId } from "../../domain/ids.ts";
import { messageLinesMax, type Line, type ScopeId } from "../../domain/journal-message.ts";
import type { Decline } from "../../domain/movement.ts";
import { lineOf } from "../../domain/queue-movements.ts";
import type { Scope } from "../../domain/scope.ts";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { ReserveOutcome, StockCache } from "../../ports/stock-cache.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { Carrier } from "./carrier.ts";

/** A line out of a message of this epoch. */
export type LineInHand = { readonly saleId: SaleId; readonly scopeId: ScopeId; readonly epoch: number; readonly line: Line };

/** Of lines that were asked for: which the ledger must look at again, and which it cannot keep the refusal of. */
export type Asked = { readonly again: readonly LineInHand[]; readonly failed: readonly FailedLine[] };
export type FailedLine = { readonly item: LineInHand; readonly problem: string };

export type ReadmissionDeps = {
  readonly stockLedger: StockLedger;
  readonly ledger: Pick<QueueLedger, "scope" | "close" | "parked" | "linesAside">;
  readonly cache: Pick<StockCache, "reserve" | "findKey">;
  readonly carrier: Carrier;
  readonly clock: Clock;
};

export class Readmission {
  readonly #deps: ReadmissionDeps;
  readonly counts = { readmitted: 0, declined: 0 };

  constructor(deps: ReadmissionDeps) {
    this.#deps = deps;
  }

  /** Lines of one sale. Throws StoreUnavailable, and then may have dealt with some. */
  async ask(all: readonly LineInHand[]): Promise<Asked> {
    const again: LineInHand[] = [];
    const failed: FailedLine[] = [];
    for (let at = 0; at < all.length; at += messageLinesMax) {
      const asked = await this.#askSome(all.slice(at, at + messageLinesMax));
      again.push(...asked.again);
      failed.push(...asked.failed);
    }
    return { again, failed };
  }

  /** As many as one call of the cache, and one message, may hold. */
  async #askSome(all: readonly LineInHand[]): Promise<Asked> {
    const { ledger, cache } = this.#deps;
    const [first] = all;
    assert(first !== undefined, "there are lines to ask for");
    const { scopeId, saleId } = first;
    const scope = await ledger.scope(scopeId);
    if (scope?.state !== "open") return { again: all, failed: [] };
    const { epoch } = scope;
    // The cache that stands has counted what is aside, under no record: it would count it again, or refuse it. Its letter waits.
    const aside = await ledger.linesAside(scopeId);
    const counted = new Set(aside.filter((each) => each.epoch >= epoch).map(({ line }) => line.purchaseId));
    const items = all.filter(({ line }) => !counted.has(line.purchaseId));
    if (items.length === 0) return done;
    const answer = await cache.reserve({ scopeId, epoch, saleId, lines: items.map(({ line }) => line), readmit: true });
    if (answer.kind === "closed") {
      await ledger.close({ scopeId, epoch, cause: "cache_lost" });
      return { again: items, failed: [] };
    }
    // Of a sale that was over when the cache was loaded nothing more is taken in.
    if (answer.kind === "absent") {
      return this.#decline(
        items.map((item): Declined => ({ item, decline: { kind: "decline", line: item.line, epoch: item.epoch, reason: "ended" } })),
      );
    }
    if (answer.kind !== "ok") throw new StoreUnavailable("unavailable", answer.message);
    const { outcomes, entry } = answer.value;
    if (entry !== undefined) await this.#carry(scope, entry);
    const declined: Declined[] = [];
    for (const [index, item] of items.entries()) {
      const decline = await this.#dealWith(scope, item, outcomes[index]);
      if (decline !== undefined) declined.push({ item, decline });
    }
    return this.#decline(declined);
  }

  /** Lines that were parked while the cache that stands was being loaded. Whether there may be more. */
  async askParked(scopeId: ScopeId, countMax: number): Promise<boolean> {
    const parked = await this.#deps.ledger.parked({ scopeId, countMax });
    const bySale = Map.groupBy(parked, ({ saleId }) => saleId);
    let left = 0;
    for (const [saleId, purchases] of bySale) {
      // Of an epoch before any: none that stands has counted them.
      const { again, failed } = await this.ask(purchases.map((purchase) => ({ saleId, scopeId, epoch: 0, line: lineOf(purchase) })));
      left += again.length + failed.length;
    }
    // What stays where it is would be found again at once.
    return left === 0 && parked.length >= countMax;
  }

  /** Undefined of a line that is in, and published. */
  async #dealWith(scope: Scope, item: LineInHand, outcome: ReserveOutcome | undefined): Promise<Decline | undefined> {
    const { line, epoch } = item;
    assert(outcome !== undefined, "the cache answers every line");
    const decline = (reason: Decline["reason"], supersededBy?: PurchaseId): Decline => ({
      kind: "decline",
      line,
      epoch,
      reason,
      supersededBy,
    });
    switch (outcome.kind) {
      case "accepted":
        this.counts.readmitted += 1;
        return undefined;
      case "known":
        if (outcome.purchaseId !== line.purchaseId) return decline("superseded", outcome.purchaseId);
        if (outcome.record?.entry !== undefined) await this.#carry(scope, outcome.record.entry);
        return undefined;
      case "refused":
        if (outcome.refusal.reason === "limit_reached") return decline("limit");
        if (outcome.refusal.reason === "key_reused") return decline("superseded", await this.#firstUnderKey(scope, item));
        return decline("stock");
    }
  }

  async #firstUnderKey({ id: scopeId, epoch }: Scope, { saleId, line }: LineInHand): Promise<PurchaseId | undefined> {
    const { buyerId, key } = line;
    const found = key === undefined ? undefined : await this.#deps.cache.findKey({ scopeId, epoch, saleId, buyerId, key });
    if (found?.kind === "ok") return found.value;
    throw new StoreUnavailable("unavailable", "The cache did not say whose the key is");
  }

  async #carry(scope: Scope, entry: { readonly id: string; readonly text: string }): Promise<void> {
    if (!(await this.#deps.carrier.carry(scope, entry))) throw new StoreUnavailable("unavailable", "The process stops");
  }

  /** One that makes the commit fail is found, and named; its neighbours pass. */
  async #decline(all: readonly Declined[]): Promise<Asked> {
    const [first] = all;
    if (first === undefined) return done;
    const nowMs = Math.floor(this.#deps.clock.nowMs());
    const movements = all.map(({ decline }) => decline);
    const result = await this.#deps.stockLedger.commit({ nowMs, groups: [{ saleId: first.item.saleId, movements }] });
    if (result.kind === "failed" && result.cause === "bad_line") {
      if (all.length === 1) return { again: [], failed: [{ item: first.item, problem: result.message }] };
      const middle = Math.ceil(all.length / 2);
      const halves = [await this.#decline(all.slice(0, middle)), await this.#decline(all.slice(middle))];
      return { again: [], failed: halves.flatMap(({ failed }) => failed) };
    }
    if (result.kind !== "committed") throw new StoreUnavailable(result.kind === "unknown" ? "unknown" : "unavailable", result.message);
    this.counts.declined += movements.length;
    return done;
  }
}

type Declined = { readonly item: LineInHand; readonly decline: Decline };
const done: Asked = { again: [], failed: [] };
