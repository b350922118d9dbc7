/**
 * One click, one key, kept until the outcome is definite. An answer that is lost is no outcome: the key is looked up, and
 * while the click is fresh the same request is repeated with the same key, which has one effect however often it comes.
 *
 *   click ─► key is kept ─► asked ─┬─ accepted, or refused ─► definite: the key is forgotten
 *                                  ├─ not tried (busy, limited) ─► definite, unless an earlier try was lost
 *                                  └─ nothing heard, 5xx ─► UNKNOWN: look up ─ found ─► definite
 *                                                              └─ not found ─► repeat (fresh) or definite no (old)
 *
 * Must stay true: a key that may have been accepted is never given up for a new one, also not when the page is closed and
 * opened again.
 */
import type { AcceptedOnWire, PurchaseOnWire } from "../../http/contract/wire.ts";
import { newKey, type Ask, type Problem, type Told } from "../shared/api.ts";
import type { Storage } from "../shared/storage.ts";

export type Outcome =
  | { readonly kind: "accepted"; readonly purchase: AcceptedOnWire | PurchaseOnWire }
  | { readonly kind: "refused"; readonly problem: Problem }
  /** Nothing was tried: busy, too many, or nobody is signed in. */
  | { readonly kind: "not_tried"; readonly status: number; readonly problem: Problem; readonly retryAfterMs: number | undefined }
  /** An earlier click of which nothing was ever heard has had no effect. */
  | { readonly kind: "nothing" };

export type AttemptDeps = {
  readonly storage: Storage;
  /** Asks in the buyer's name. */
  readonly call: <Data>(path: string, ask?: Ask) => Promise<Told<Data>>;
  readonly wait: (ms: number) => Promise<void>;
  readonly random: () => number;
  /** Of the monotonic clock or the wall's: only how much later it is counts. */
  readonly nowMs: () => number;
  readonly makeKey?: () => string;
};

type Kept = { readonly key: string; readonly quantity: number; readonly atMs: number };

/** A click is repeated for this long. The server is done with a request, one way or the other, long before. */
const freshForMs = 60_000;
const waitFirstMs = 500;
const waitMaxMs = 8_000;
/** An answer that takes longer is looked for. */
const askTimeoutMs = 8_000;

export class Attempts {
  readonly #deps: AttemptDeps;
  readonly #saleId: string;
  readonly #slot: string;

  constructor(saleId: string, buyerId: string, deps: AttemptDeps) {
    this.#deps = deps;
    this.#saleId = saleId;
    this.#slot = `doorbuster.attempt.${buyerId}.${saleId}`;
  }

  /** Whether an earlier click still waits for its outcome. */
  get isOpen(): boolean {
    return this.#kept() !== undefined;
  }

  /** A new click; while one is open, that one. */
  async buy(quantity: number): Promise<Outcome> {
    const known = this.#kept();
    if (known !== undefined) return this.#resolve(known, true);
    const attempt = { key: (this.#deps.makeKey ?? newKey)(), quantity, atMs: this.#deps.nowMs() };
    this.#deps.storage.set(this.#slot, JSON.stringify(attempt));
    const outcome = await this.#ask(attempt, false);
    return outcome ?? this.#resolve(attempt, false);
  }

  /** What became of a click from before the page was opened; undefined if there was none. */
  async resume(): Promise<Outcome | undefined> {
    const known = this.#kept();
    return known === undefined ? undefined : this.#resolve(known, true);
  }

  /** Until it is known. `atOnce`: nothing was asked just now. */
  async #resolve(attempt: Kept, atOnce: boolean): Promise<Outcome> {
    const { wait, random, nowMs } = this.#deps;
    let floorMs = 0;
    for (let tries = 0; ; tries++) {
      const backOffMs = Math.min(waitMaxMs, waitFirstMs * 2 ** tries) * (0.5 + random());
      if (!atOnce || tries > 0) await wait(Math.max(floorMs, backOffMs));
      const found = await this.#lookUp(attempt);
      floorMs = found.kind === "no" ? (found.retryAfterMs ?? 0) : 0;
      if (found.kind === "done") return this.#definite({ kind: "accepted", purchase: found.data });
      // Nobody is signed in any more. The key stays, for whoever signs in again.
      if (found.kind === "no" && found.status === 401) return { ...found, kind: "not_tried" };
      if (found.kind !== "no" || found.problem.reason !== "purchase_unknown") continue;
      if (nowMs() - attempt.atMs > freshForMs) return this.#definite({ kind: "nothing" });
      const outcome = await this.#ask(attempt, true);
      if (outcome !== undefined) return outcome;
    }
  }

  #lookUp({ key }: Kept): Promise<Told<PurchaseOnWire>> {
    return this.#deps.call<PurchaseOnWire>(`/api/v1/sales/${this.#saleId}/purchases/by-key/${key}`, { timeoutMs: askTimeoutMs });
  }

  /** Undefined while the outcome is not known: then the key is kept. */
  async #ask({ key, quantity }: Kept, maybeAccepted: boolean): Promise<Outcome | undefined> {
    const path = `/api/v1/sales/${this.#saleId}/purchases`;
    const told = await this.#deps.call<AcceptedOnWire>(path, { method: "POST", body: { quantity }, key, timeoutMs: askTimeoutMs });
    if (told.kind === "silence") return undefined;
    if (told.kind === "done") return this.#definite({ kind: "accepted", purchase: told.data });
    const { status, problem, retryAfterMs } = told;
    if (isRefusal(status)) return this.#definite({ kind: "refused", problem });
    const tookNothing = status === 401 || status === 403 || status === 429 || status === 503;
    if (!tookNothing || maybeAccepted) return undefined;
    return this.#definite({ kind: "not_tried", status, problem, retryAfterMs });
  }

  #definite(outcome: Outcome): Outcome {
    this.#deps.storage.remove(this.#slot);
    return outcome;
  }

  #kept(): Kept | undefined {
    const text = this.#deps.storage.get(this.#slot);
    // Written above and by nobody else.
    return text === undefined ? undefined : (JSON.parse(text) as Kept);
  }
}

/** Looked at and declined: a definite no, which a key that was accepted never hears. */
const isRefusal = (status: number): boolean => [404, 409, 410, 422, 400].includes(status);
