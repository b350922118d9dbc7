/**
 * A client's record as attempts: each request with when it left, when its fate was known and what that was. What never
 * completed is `info` for ever.
 */
import type { HistoryEvent, HistoryFunction, HistoryType } from "../../domain/history.ts";
import type { Balances } from "../../domain/ledger.ts";
import type { PurchaseState } from "../../domain/purchase.ts";
import { TextSet } from "./text-set.ts";

export type Attempt = {
  readonly name: string;
  readonly f: HistoryFunction;
  readonly user: string;
  readonly saleId: string;
  readonly key: string | undefined;
  readonly qty: number;
  readonly invokedT: number;
  /** Infinity while nothing is known. */
  doneT: number;
  type: Exclude<HistoryType, "invoke">;
  id: string | undefined;
  code: number | undefined;
  bodyHash: string | undefined;
  state: PurchaseState | undefined;
  stock: Balances | undefined;
};

export class HistoryLog {
  readonly attempts: Attempt[] = [];
  readonly #open = new Map<string, Attempt>();
  readonly #names = new TextSet();
  #lastI = -1;
  #lastT = 0;
  /** Last lines that a killed driver did not finish. */
  torn = 0;

  /** Files are read one after the other; each counts its own lines. */
  startFile(): void {
    this.#lastI = -1;
    this.#lastT = 0;
  }

  /** Takes the next event of the file, or says why it cannot be one. */
  add(event: HistoryEvent): string | undefined {
    if (event.i <= this.#lastI) return `"i" grows within a file, ${event.i} follows ${this.#lastI}`;
    if (event.t < this.#lastT) return `"t" never falls within a file, ${event.t} follows ${this.#lastT}`;
    this.#lastI = event.i;
    this.#lastT = event.t;
    return event.type === "invoke" ? this.#invoke(event) : this.#complete(event, event.type);
  }

  #invoke(event: HistoryEvent): string | undefined {
    if (!this.#names.add(event.attempt)) return `attempt "${event.attempt}" was invoked before`;
    const attempt: Attempt = {
      name: event.attempt,
      f: event.f,
      user: event.user ?? "",
      saleId: event.event ?? "",
      key: event.key,
      qty: event.qty ?? 0,
      invokedT: event.t,
      doneT: Number.POSITIVE_INFINITY,
      type: "info",
      id: event.id,
      code: undefined,
      bodyHash: undefined,
      state: undefined,
      stock: undefined,
    };
    this.attempts.push(attempt);
    this.#open.set(event.attempt, attempt);
    return undefined;
  }

  #complete(event: HistoryEvent, type: Attempt["type"]): string | undefined {
    const attempt = this.#open.get(event.attempt);
    if (attempt === undefined) return `attempt "${event.attempt}" completes without an open invoke`;
    this.#open.delete(event.attempt);
    if (attempt.f !== event.f || (event.user ?? "") !== attempt.user) return `attempt "${event.attempt}" completes as something else`;
    attempt.doneT = type === "info" ? Number.POSITIVE_INFINITY : event.t;
    attempt.type = type;
    attempt.id = event.id ?? attempt.id;
    attempt.code = event.code;
    attempt.bodyHash = event.bodyHash;
    attempt.state = event.state;
    attempt.stock = event.stock;
    return undefined;
  }
}
