/** The store's captures and refunds against the provider's own record of them, both ways (I9). */
import { sameMoney } from "../../domain/money.ts";
import type { Capture, Payment, Refund } from "../../domain/payment.ts";
import type { Check, Checks } from "./check.ts";
import type { ProviderRecord } from "./provider-record.ts";

/** Money the shop took itself: no provider of ours knows of it. */
const externalProvider = "external";

export class ProviderCheck {
  readonly #record: ProviderRecord;
  readonly #check: Check;
  /** Whether everything the provider did must have reached the store. */
  readonly #complete: boolean;
  readonly #external = new Set<string>();
  readonly #capturesSeen = new Set<string>();
  readonly #refundsSeen = new Set<string>();

  constructor(record: ProviderRecord, checks: Checks, complete: boolean) {
    this.#record = record;
    this.#check = checks.of("I9");
    this.#complete = complete;
  }

  payment(payment: Payment): void {
    if (payment.provider === externalProvider) this.#external.add(payment.id);
  }

  capture(capture: Capture): void {
    if (this.#external.has(capture.paymentId)) return;
    this.#capturesSeen.add(capture.id);
    const theirs = this.#record.captures.get(capture.id);
    const row = `capture ${capture.id}`;
    if (theirs === undefined) return this.#check.off(row, "is not in the provider's record");
    if (theirs.paymentId !== capture.paymentId || !sameMoney(theirs.money, capture.money))
      this.#check.off(row, "differs from the provider's record");
  }

  refund(refund: Refund): void {
    if (this.#external.has(refund.paymentId)) return;
    this.#refundsSeen.add(refund.id);
    const theirs = this.#record.refunds.get(refund.id);
    const row = `refund ${refund.id}`;
    if (theirs === undefined) {
      if (refund.state === "done") this.#check.off(row, "is done, but not in the provider's record");
      return;
    }
    if (theirs.captureId !== refund.captureId || !sameMoney(theirs.money, refund.money))
      this.#check.off(row, "differs from the provider's record");
  }

  end(): void {
    for (const row of this.#record.contradictions) this.#check.off(row, "was carried out twice by the provider, with different terms");
    let late = 0;
    for (const id of this.#record.captures.keys()) {
      if (this.#capturesSeen.has(id)) continue;
      late += 1;
      // The next callback or look will bring it.
      if (this.#complete) this.#check.off(`capture ${id}`, "was taken by the provider and is not in the store");
    }
    for (const id of this.#record.refunds.keys())
      if (!this.#refundsSeen.has(id)) this.#check.off(`refund ${id}`, "was carried out by the provider and is not in the store");
    this.#check.count(this.#record.captures.size + this.#record.refunds.size);
    if (late > 0 && !this.#complete) this.#check.note(`${late} captures of the provider have not reached the store`);
  }
}
