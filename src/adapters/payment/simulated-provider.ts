/**
 * An honest stand-in for an external payment provider. It takes money as its scenarios say, tells the shop by callbacks
 * until the shop has acknowledged them, and returns money when asked. It knows nothing of the shop but what it is told
 * through its port, and it remembers on its own: a restart of either side loses no money.
 *
 *   submit ──► payment ──► its steps, in time ──► capture or failure ──► callback ──► again, until 2xx
 *
 * Must stay true: what happens is in the journal before anybody hears of it; ids follow from the payment's, so a step
 * repeated after a crash is the same capture; a refund's id has one effect.
 */
import type { PaymentId } from "../../domain/ids.ts";
import { sameMoney, type Money } from "../../domain/money.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type {
  LookAnswer,
  PaymentProvider,
  PaymentRequest,
  RefundAnswer,
  RefundRequest,
  SubmitAnswer,
} from "../../ports/payment-provider.ts";
import type { CancelTask, Tasks } from "../../ports/tasks.ts";
import { CallbackOutbox, type CallbackSender } from "./callback-outbox.ts";
import type { ProviderJournal } from "./provider-journal.ts";
import {
  applyProviderLines,
  readProviderLines,
  type ProviderLine,
  type ProviderMoney,
  type ProviderPayment,
  type ProviderRecord,
} from "./provider-record.ts";
import { parseScenario, scenarios, stepsOf, type Step } from "./provider-scenarios.ts";

export const simulatedProviderName = "simulated";

export type SimulatedProviderDeps = {
  readonly journal: ProviderJournal;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly entropy: Entropy;
  /** Brings a callback to the shop. */
  readonly send: CallbackSender;
  /** Whether it takes the steps that are left of payments it finds in the journal; one that only looks does not. */
  readonly resumes?: boolean | undefined;
};

/** A step whose line could not be written is tried again after so long. */
const stepRetryMs = 1_000;

export class SimulatedProvider implements PaymentProvider {
  readonly name = simulatedProviderName;
  readonly #deps: SimulatedProviderDeps;
  readonly #record: ProviderRecord;
  readonly #outbox: CallbackOutbox;
  /** Calls by id that wait for the journal; a repeat waits with them. */
  readonly #underway = new Map<string, Promise<boolean>>();
  readonly #timers = new Set<CancelTask>();
  #closed = false;

  private constructor(deps: SimulatedProviderDeps, record: ProviderRecord) {
    this.#deps = deps;
    this.#record = record;
    this.#outbox = new CallbackOutbox(deps, {
      isDelivered: (id) => record.delivered.has(id),
      onDelivered: (callbackId) => this.#keep({ kind: "delivered", callbackId, atMs: this.#nowMs() }),
    });
  }

  /** Reads the journal and goes on where it ends: unfinished payments, callbacks nobody acknowledged. */
  static async open(deps: SimulatedProviderDeps): Promise<SimulatedProvider> {
    const provider = new SimulatedProvider(deps, readProviderLines(await deps.journal.read()));
    if (deps.resumes !== false) for (const payment of provider.#record.payments.values()) provider.#resume(payment);
    return provider;
  }

  get record(): ProviderRecord {
    return this.#record;
  }

  /** Steps to come and callbacks not acknowledged yet. */
  get unfinished(): number {
    return this.#timers.size + this.#outbox.unfinished;
  }

  async submit({ paymentId, purchaseId, money, holdUntilMs, scenario = "success" }: PaymentRequest): Promise<SubmitAnswer> {
    const providerRef = `sim_${paymentId}`;
    if (!this.#record.payments.has(paymentId) && !(await this.#hearOthers())) return { kind: "unknown" };
    if (this.#record.payments.has(paymentId)) return { kind: "submitted", providerRef };
    if (parseScenario(scenario) === undefined)
      return { kind: "declined", message: `There is no scenario "${scenario}", only ${scenarios.join(", ")}` };
    const kept = await this.#once(`payment:${paymentId}`, async () => {
      const terms = { id: paymentId, purchaseId, money, holdUntilMs, scenario, atMs: this.#nowMs() };
      if (!(await this.#keep({ kind: "payment", ...terms }))) return false;
      const payment = this.#record.payments.get(paymentId);
      if (payment !== undefined) this.#resume(payment);
      return true;
    });
    return kept ? { kind: "submitted", providerRef } : { kind: "unknown" };
  }

  async look(paymentId: PaymentId): Promise<LookAnswer> {
    if (!(await this.#hearOthers())) return { kind: "unknown" };
    const payment = this.#record.payments.get(paymentId);
    if (payment === undefined) return { kind: "not_found" };
    const captures = payment.captures.map(({ id: captureId, money }) => ({ captureId, money }));
    return { kind: "known", state: payment.failedAtMs === undefined ? "pending" : "failed", captures };
  }

  async refund({ refundId, captureId, money }: RefundRequest): Promise<RefundAnswer> {
    if (!(await this.#hearOthers())) return { kind: "unknown" };
    const capture = this.#record.captures.get(captureId);
    if (capture === undefined) return { kind: "declined", message: `There is no capture "${captureId}"` };
    // One at a time per capture: two together must not return more than was taken.
    while (this.#underway.has(`refund:${captureId}`)) await this.#underway.get(`refund:${captureId}`);
    const earlier = this.#record.refunds.get(refundId);
    if (earlier !== undefined)
      return earlier.captureId === captureId && sameMoney(earlier.money, money)
        ? { kind: "done" }
        : { kind: "declined", message: `The refund "${refundId}" was made with other terms` };
    if (!isRefundable(capture, money)) return { kind: "declined", message: `The capture "${captureId}" has not so much left to return` };
    const kept = await this.#once(`refund:${captureId}`, () =>
      this.#keep({ kind: "refund", id: refundId, captureId, money, atMs: this.#nowMs() }),
    );
    return { kind: kept ? "done" : "unknown" };
  }

  /** Stops taking steps and sending; the journal holds what is left to do. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.all([this.#outbox.close(), ...this.#underway.values()]);
    await this.#deps.journal.close();
  }

  #resume(payment: ProviderPayment): void {
    for (const [index, step] of stepsOf(payment).entries()) {
      const capture = this.#record.captures.get(captureIdOf(payment, index));
      if (capture !== undefined) this.#tellCapture(capture, 1);
      else if (step.take === undefined && payment.failedAtMs !== undefined) this.#tellFailure(payment);
      else this.#at(step.atMs + this.#deps.entropy.random() * step.jitterMs, () => void this.#take(payment, step, index));
    }
  }

  async #take(payment: ProviderPayment, step: Step, index: number): Promise<void> {
    const atMs = this.#nowMs();
    const id = captureIdOf(payment, index);
    const line: ProviderLine =
      step.take === undefined
        ? { kind: "failed", paymentId: payment.id, atMs }
        : { kind: "capture", id, paymentId: payment.id, money: step.take, atMs };
    if (!(await this.#keep(line))) return this.#at(atMs + stepRetryMs, () => void this.#take(payment, step, index));
    const capture = this.#record.captures.get(id);
    if (capture !== undefined) this.#tellCapture(capture, step.copies);
    else this.#tellFailure(payment);
  }

  #tellCapture({ id, paymentId, money, atMs }: ProviderMoney, copies: number): void {
    const data = { payment_id: paymentId, capture_id: id, amount_minor: money.minor, currency: money.currency };
    this.#outbox.add({ id: `cb_${id}`, body: bodyOf("payment.captured", atMs, data) }, copies);
  }

  #tellFailure({ id, failedAtMs = 0 }: ProviderPayment): void {
    this.#outbox.add({ id: `cb_${id}_failed`, body: bodyOf("payment.failed", failedAtMs, { payment_id: id }) }, 1);
  }

  #nowMs(): number {
    return Math.floor(this.#deps.clock.nowMs());
  }

  #at(atMs: number, run: () => void): void {
    if (this.#closed) return;
    const cancel = this.#deps.tasks.after(Math.max(0, atMs - this.#deps.clock.nowMs()), () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }

  /** What other processes wrote into the same journal counts here, too. False when it could not be read. */
  async #hearOthers(): Promise<boolean> {
    const { journal } = this.#deps;
    if (journal.readNew === undefined) return true;
    try {
      applyProviderLines(this.#record, await journal.readNew());
      return true;
    } catch {
      return false;
    }
  }

  /** Writes a line, then lets it count. False when it could not be written. */
  async #keep(line: ProviderLine): Promise<boolean> {
    try {
      await this.#deps.journal.append(JSON.stringify(line));
    } catch {
      // The disk's trouble is met by everybody who asks again; here it only means that nothing happened.
      return false;
    }
    this.#record.apply(line);
    return true;
  }

  #once(name: string, run: () => Promise<boolean>): Promise<boolean> {
    let underway = this.#underway.get(name);
    if (underway === undefined) {
      underway = run().finally(() => this.#underway.delete(name));
      this.#underway.set(name, underway);
    }
    return underway;
  }
}

function isRefundable(capture: ProviderMoney, money: Money): boolean {
  return money.currency === capture.money.currency && money.minor > 0 && capture.refundedMinor + money.minor <= capture.money.minor;
}

function captureIdOf(payment: ProviderPayment, index: number): string {
  return `cap_${payment.id}_${index + 1}`;
}

function bodyOf(type: string, atMs: number, data: Record<string, string | number>): string {
  return JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data });
}
