/** Answers to takes whose sale the cache decides, out of the ledger: of lines that have settled, and of sales that are over. */
import type { PurchaseId, SaleId } from "../../domain/ids.ts";
import { holdsKey, payloadFingerprint, refusalByStatus, type Purchase, type Refusal } from "../../domain/purchase.ts";
import { asideUnder, type LineAside } from "../../domain/lines-aside.ts";
import type { Take } from "../../domain/movement.ts";
import { queuedPurchase } from "../../domain/queue-movements.ts";
import type { Sale } from "../../domain/sale.ts";
import { unreachable } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { Records } from "../../ports/records.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { notTried, unknown, type LineAnswer } from "../open-lines.ts";
import type { CacheMarks } from "./cache-marks.ts";

type Asked = { readonly movement: Take };
type Readers = Pick<Records, "sale" | "purchase" | "purchaseByKey" | "purchasesWithIds">;

export class LedgerAnswers {
  readonly #records: Readers;
  readonly #ledger: Pick<QueueLedger, "deadLetter" | "linesAside">;
  readonly #marks: Pick<CacheMarks, "observeOver">;
  readonly #clock: Clock;

  constructor(deps: {
    records: Readers;
    ledger: Pick<QueueLedger, "deadLetter" | "linesAside">;
    marks: Pick<CacheMarks, "observeOver">;
    clock: Clock;
  }) {
    this.#records = deps.records;
    this.#ledger = deps.ledger;
    this.#marks = deps.marks;
    this.#clock = deps.clock;
  }

  /** What the ledger says of purchases, to those who repeat; nothing of one that it does not know. Throws StoreUnavailable. */
  async repeated(ids: ReadonlySet<PurchaseId>): Promise<ReadonlyMap<PurchaseId, LineAnswer>> {
    const answers = new Map<PurchaseId, LineAnswer>();
    for (const purchase of await this.#records.purchasesWithIds([...ids])) answers.set(purchase.id, await this.settled(purchase, true));
    return answers;
  }

  /** Of a key that the cache was loaded with, and the ledger has no purchase for: its line was put aside. */
  async aside(id: PurchaseId, sale: Sale): Promise<LineAnswer> {
    try {
      const letter = await this.#ledger.deadLetter(id);
      return letter?.kind === "line" ? { kind: "queued", purchase: queuedPurchase(letter.line, sale), replayed: true } : unknown;
    } catch (error) {
      return unknownIfAway(error);
    }
  }

  /** What became of a line that the cache accepted: unknown, where that cannot be read. */
  async settled(purchase: Purchase, replayed: boolean): Promise<LineAnswer> {
    try {
      return await this.#settled(purchase, replayed);
    } catch (error) {
      return unknownIfAway(error);
    }
  }

  async #settled(purchase: Purchase, replayed: boolean): Promise<LineAnswer> {
    // It came when no cache stood, and waits for the next.
    if (purchase.state === "queued" || purchase.state === "stuck") return { kind: "queued", purchase, replayed };
    if (purchase.state !== "refused") return { kind: "accepted", purchase, replayed };
    const first = purchase.supersededBy === undefined ? undefined : await this.#records.purchase(purchase.supersededBy);
    if (first !== undefined && payloadFingerprint(first) === payloadFingerprint(purchase))
      return { kind: "accepted", purchase: first, replayed: true };
    const sale = await this.#records.sale(purchase.saleId);
    return { kind: "refused", refusal: refusalOf(purchase, sale?.endsAtMs ?? purchase.acceptedAtMs) };
  }

  /**
   * Takes of a sale in which nothing can be bought any more: a key that was accepted gets its answer, all others hear why.
   * Throws StoreUnavailable.
   */
  async afterwards(saleId: SaleId, lines: readonly Asked[]): Promise<readonly LineAnswer[]> {
    const sentAtMs = this.#clock.nowMs();
    const sale = await this.#records.sale(saleId);
    if (sale === undefined) return lines.map(() => ({ kind: "sale_unknown" }));
    const decidedAtMs = this.#clock.nowMs();
    const refusal = refusalByStatus(sale, decidedAtMs);
    // It is live: its first cut is on its way.
    if (refusal === undefined) return lines.map(() => notTried("rebuilding"));
    this.#marks.observeOver(sale, { sentAtMs, decidedAtMs });
    const aside = sale.scopeId === undefined ? [] : await this.#ledger.linesAside(sale.scopeId);
    return Promise.all(lines.map(({ movement }) => this.#afterwards({ sale, aside, refusal }, movement)));
  }

  async #afterwards({ sale, aside, refusal }: Over, take: Take): Promise<LineAnswer> {
    const saleId = sale.id;
    const { buyerId, key } = take;
    const known = key === undefined ? undefined : await this.#records.purchaseByKey({ saleId, buyerId, key });
    if (known === undefined || !holdsKey(known)) return this.#asideOrOver({ sale, aside, refusal }, take);
    if (payloadFingerprint(known) !== payloadFingerprint(take)) return { kind: "refused", refusal: { reason: "key_reused" } };
    return { kind: "accepted", purchase: known, replayed: true };
  }

  #asideOrOver({ sale, aside, refusal }: Over, { buyerId, key, quantity, metadata }: Take): LineAnswer {
    const line = key === undefined ? undefined : asideUnder(aside, { saleId: sale.id, buyerId, key });
    if (line === undefined) return { kind: "refused", refusal };
    if (payloadFingerprint(line) !== payloadFingerprint({ quantity, metadata }))
      return { kind: "refused", refusal: { reason: "key_reused" } };
    return { kind: "queued", purchase: queuedPurchase(line, sale), replayed: true };
  }
}

/** A sale in which nothing can be bought any more, and why; with what of it was put aside, which may become an order yet. */
type Over = { readonly sale: Sale; readonly aside: readonly LineAside[]; readonly refusal: Refusal };

function unknownIfAway(error: unknown): LineAnswer {
  if (!(error instanceof StoreUnavailable)) throw error;
  return unknown;
}

/** The reason as the buyer hears it. */
function refusalOf({ refusedFor, limit }: Purchase, endedAtMs: number): Refusal {
  switch (refusedFor) {
    case "limit":
      return { reason: "limit_reached", limit, units: limit };
    case "superseded":
      return { reason: "key_reused" };
    case "sale_cancelled":
      return { reason: "sale_cancelled" };
    case "ended":
      return { reason: "ended", endedAtMs };
    case "discarded":
      return { reason: "discarded" };
    case "stock":
    case undefined:
      return { reason: "sold_out", available: 0 };
    default:
      return unreachable(refusedFor);
  }
}
