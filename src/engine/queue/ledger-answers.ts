/** Answers to takes whose sale the cache decides, out of the ledger: of lines that have settled, and of sales that are over. */
import type { SaleId } from "../../domain/ids.ts";
import { holdsKey, payloadFingerprint, refusalByStatus, type Purchase, type Refusal } from "../../domain/purchase.ts";
import type { Take } from "../../domain/movement.ts";
import { unreachable } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Records } from "../../ports/records.ts";
import { notTried, type LineAnswer } from "../open-lines.ts";
import type { CacheMarks } from "./cache-marks.ts";

type Asked = { readonly movement: Take };

export class LedgerAnswers {
  readonly #records: Pick<Records, "sale" | "purchase" | "purchaseByKey">;
  readonly #marks: Pick<CacheMarks, "observeOver">;
  readonly #clock: Clock;

  constructor(deps: {
    records: Pick<Records, "sale" | "purchase" | "purchaseByKey">;
    marks: Pick<CacheMarks, "observeOver">;
    clock: Clock;
  }) {
    this.#records = deps.records;
    this.#marks = deps.marks;
    this.#clock = deps.clock;
  }

  /** What became of a line that the cache accepted. Throws StoreUnavailable. */
  async settled(purchase: Purchase, replayed: boolean): Promise<LineAnswer> {
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
    return Promise.all(lines.map(({ movement }) => this.#afterwards(saleId, movement, refusal)));
  }

  async #afterwards(saleId: SaleId, take: Take, refusal: Refusal): Promise<LineAnswer> {
    const { buyerId, key } = take;
    const known = key === undefined ? undefined : await this.#records.purchaseByKey({ saleId, buyerId, key });
    if (known === undefined || !holdsKey(known)) return { kind: "refused", refusal };
    if (payloadFingerprint(known) !== payloadFingerprint(take)) return { kind: "refused", refusal: { reason: "key_reused" } };
    return { kind: "accepted", purchase: known, replayed: true };
  }
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
