/**
 * A buyer's own purchases, live: first those that are open, then every change. Changes are listened to before the open
 * ones are read, so nothing falls between; what was heard meanwhile waits until the reading is told.
 *
 *   listen ─► read ─► tell what was read ─► ready ─► tell what was heard, and what comes
 *
 * Must stay true: of a purchase no older copy follows a newer one, and the last is told.
 */
import type { PurchaseId } from "../../domain/ids.ts";
import { isNewer, type Purchase, type PurchaseState } from "../../domain/purchase.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventStream } from "./event-stream.ts";
import { purchaseFrame, readyFrame, type PurchaseEventId } from "./frames.ts";
import type { Streams } from "./streams.ts";

/** The newest purchases of a buyer, among which the open ones and the missed changes are looked for. */
export const snapshotMax = 100;
/** Copies remembered, to know what is new. Who changes more purchases than this at a time hears some copies twice. */
const rememberedMax = 1_000;
/** A change bears the time at which it was decided, and is told when it is committed: later than this it is not. */
const commitMaxMs = 60_000;

export class PurchaseFeed {
  readonly #stream: EventStream;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #told = new Map<PurchaseId, Purchase>();
  /** Heard before the reading was told. */
  #early: Purchase[] | undefined = [];

  constructor(stream: EventStream, { streams, clock }: { streams: Streams; clock: Clock }) {
    this.#stream = stream;
    this.#streams = streams;
    this.#clock = clock;
  }

  hear(purchase: Purchase): void {
    if (this.#early === undefined) return this.#tell(purchase);
    if (this.#early.length >= rememberedMax) return this.#stream.cut();
    this.#early.push(purchase);
  }

  /** `read`: the buyer's newest purchases. `since`: what the client heard last. */
  begin(read: readonly Purchase[], since: PurchaseEventId | undefined): void {
    const wanted = read.filter((purchase) => isOpen(purchase.state) || (since !== undefined && mayBeMissed(purchase, since)));
    const ordered = wanted.toSorted((a, b) => a.changedAtMs - b.changedAtMs);
    for (const purchase of ordered) this.#tell(purchase);
    const nowMs = this.#clock.nowMs();
    // Without an id of its own a client that has heard of no purchase could not say what it missed.
    const knownMs = Math.max(0, nowMs - commitMaxMs);
    const isNews = knownMs > (ordered.at(-1)?.changedAtMs ?? -1);
    this.#streams.tell(this.#stream, readyFrame(nowMs, isNews ? knownMs : undefined));
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const purchase of early) this.#tell(purchase);
  }

  #tell(purchase: Purchase): void {
    const told = this.#told.get(purchase.id);
    if (told !== undefined && !isNewer(purchase, told)) return;
    if (!this.#streams.mayHear(this.#stream)) return;
    if (told === undefined && this.#told.size >= rememberedMax) {
      const [oldest] = this.#told.keys();
      if (oldest !== undefined) this.#told.delete(oldest);
    }
    this.#told.set(purchase.id, purchase);
    this.#streams.tell(this.#stream, purchaseFrame(purchase));
  }
}

const isOpen = (state: PurchaseState): boolean => state === "queued" || state === "offered" || state === "reserved";

/** A refund leaves the time of the last change as it is, so one is told again rather than never. */
function mayBeMissed(purchase: Purchase, since: PurchaseEventId): boolean {
  if (purchase.refunded || purchase.changedAtMs > since.changedAtMs) return true;
  return purchase.changedAtMs === since.changedAtMs && purchase.id !== since.purchaseId;
}
