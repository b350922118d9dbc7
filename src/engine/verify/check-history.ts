/**
 * Holds a store against a client's own record of its answers. The store's stream is fed in while the store is checked;
 * `end` then judges. What each check demands is written in docs/spec/history.md.
 */
import type { Payment } from "../../domain/payment.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { BuyerRow, LedgerRow, SaleRow } from "../../ports/audit-source.ts";
import { checkAccepts, checkAsked } from "./check-accepts.ts";
import { checkKeys } from "./check-answers.ts";
import type { Checks } from "./check.ts";
import { checkOrder } from "./check-order.ts";
import { checkReads } from "./check-reads.ts";
import type { RestRule } from "./check-purchases.ts";
import { HistoryFacts } from "./history-facts.ts";
import type { HistoryLog } from "./history-log.ts";

/** Fewer than these, and a run proves too little to be called valid. */
export type HistoryThresholds = {
  /** Purchases answered with a yes. */
  readonly acceptsMin: number;
  /** Attempts whose fate stayed unknown: what faults leave behind. */
  readonly unknownsMin: number;
};
export const thresholdsDefault: HistoryThresholds = { acceptsMin: 1_000, unknownsMin: 20 };

export type HistoryTerms = {
  /** How long memories may speak of a state that is over, where several processes share the store; 0 where one has it. */
  readonly reopenDelayMs: number;
};

export class HistoryCheck {
  readonly #log: HistoryLog;
  readonly #thresholds: HistoryThresholds;
  readonly #terms: HistoryTerms;
  readonly #facts: HistoryFacts;

  constructor(log: HistoryLog, thresholds: HistoryThresholds, terms: HistoryTerms = { reopenDelayMs: 0 }) {
    this.#log = log;
    this.#thresholds = thresholds;
    this.#terms = terms;
    this.#facts = new HistoryFacts(log.attempts);
  }

  sale(row: SaleRow): void {
    this.#facts.sale(row);
  }

  buyer(row: BuyerRow): void {
    this.#facts.buyer(row);
  }

  purchase(purchase: Purchase): void {
    this.#facts.purchase(purchase);
  }

  entry(entry: LedgerRow): void {
    this.#facts.entry(entry);
  }

  payment(payment: Payment): void {
    this.#facts.payment(payment);
  }

  end(checks: Checks, rest: RestRule): void {
    const { attempts } = this.#log;
    const facts = this.#facts;
    checks.of("C1").echo([checks.of("I1"), checks.of("I2")]);
    checks.of("C5").echo([checks.of("I3")]);
    checkAccepts(attempts, facts, checks, rest);
    checkAsked(attempts, facts, checks);
    checkKeys(attempts, facts, checks);
    checkOrder(attempts, facts, checks, this.#terms.reopenDelayMs);
    this.#checkMoney(checks);
    checkReads(attempts, facts, checks);
    checks.of("I12").echo([checks.of("C2"), checks.of("C11")]);
    this.#checkVacuity(checks);
  }

  #checkMoney(checks: Checks): void {
    const check = checks.of("C9");
    for (const { f, type, id, name } of this.#log.attempts) {
      if (f !== "pay" || type !== "ok") continue;
      check.count();
      if (this.#facts.rows.get(id ?? "")?.hasPayment !== true)
        check.off(`attempt ${name}`, `started a payment of purchase ${id} that is not in the store`);
    }
    check.echo([checks.of("I9")]);
  }

  #checkVacuity(checks: Checks): void {
    const { attempts, torn } = this.#log;
    const check = checks.of("V");
    check.count(attempts.length);
    const purchases = attempts.filter((attempt) => attempt.f === "purchase");
    const accepts = new Set(purchases.flatMap(({ type, id }) => (type === "ok" && id !== undefined ? [id] : []))).size;
    const unknowns = attempts.filter((attempt) => attempt.type === "info").length;
    check.note(`${accepts} accepts, ${purchases.filter(({ type }) => type === "fail").length} refusals, ${unknowns} unknown`);
    if (torn > 0) check.note(`${torn} torn last lines dropped`);
    const { acceptsMin, unknownsMin } = this.#thresholds;
    if (accepts < acceptsMin) check.doubt(`fewer than ${acceptsMin} accepts`);
    if (unknowns < unknownsMin) check.doubt(`fewer than ${unknownsMin} attempts whose fate stayed unknown`);
  }
}
