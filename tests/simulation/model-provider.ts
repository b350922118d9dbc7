/**
 * A payment provider of the unpleasant kind, behind its port: answers get lost, callbacks come late, twice, in another
 * order, with the wrong amount, or for money nobody expects any more. Its own book is the truth that money is checked
 * against: every capture it made is kept by one order or came back in full, once.
 */
import { createHmac } from "node:crypto";
import type { Money } from "../../src/domain/money.ts";
import type {
  LookAnswer,
  PaymentProvider,
  PaymentRequest,
  RefundAnswer,
  RefundRequest,
  SubmitAnswer,
} from "../../src/ports/payment-provider.ts";
import type { Faults } from "./faults.ts";
import type { Sim, SimNode } from "./kernel.ts";
import type { Rng } from "./rng.ts";

export const scenarios = ["success", "failure", "delay", "duplicate", "late", "wrong_amount", "abandon"] as const;
export type Scenario = (typeof scenarios)[number];

type Account = {
  readonly request: PaymentRequest;
  state: "pending" | "failed";
  readonly captures: { captureId: string; money: Money }[];
};
export type BookedCapture = {
  readonly captureId: string;
  readonly paymentId: string;
  readonly money: Money;
  readonly refunds: RefundRequest[];
};

/** Delivers a callback to the shop; the status of its answer, or undefined when none came. */
export type Deliver = (callback: { body: string; headers: Record<string, string> }) => Promise<number | undefined>;

const triesMax = 60;
/** About when an order stops waiting for a payment: money and the sweep then race. */
const aroundGraceMs = 120_000;

export class ModelProvider {
  /** By capture id: what was taken, and every refund made of it. */
  readonly book = new Map<string, BookedCapture>();
  openCallbacks = 0;
  /** Payments whose buyers still do something. */
  openPlays = 0;
  readonly #accounts = new Map<string, Account>();
  readonly #refunds = new Map<string, RefundRequest>();
  readonly #sim: Sim;
  readonly #random: Rng;
  readonly #faults: () => Faults;
  readonly #deliver: Deliver;
  readonly #secret: Buffer;
  readonly #epochMs: number;
  #hooks = 0;

  constructor(deps: { sim: Sim; faults: () => Faults; deliver: Deliver; secret: Buffer; epochMs: number }) {
    this.#sim = deps.sim;
    this.#random = deps.sim.random("provider");
    this.#faults = deps.faults;
    this.#deliver = deps.deliver;
    this.#secret = deps.secret;
    this.#epochMs = deps.epochMs;
  }

  /** The port, for one life of the server: answers do not reach a process that died. */
  port(name: string, node: SimNode): PaymentProvider {
    return {
      name,
      submit: (request) => this.#call<SubmitAnswer>(node, () => this.#submit(request)),
      look: (paymentId) => this.#call<LookAnswer>(node, () => this.#look(paymentId)),
      refund: (request) => this.#call<RefundAnswer>(node, () => this.#refund(request)),
    };
  }

  async #call<Answer extends { kind: string }>(node: SimNode, run: () => Answer): Promise<Answer | { kind: "unknown" }> {
    const { providerLoss, networkMs } = this.#faults();
    const { incarnation } = node;
    // The request is on its way whatever becomes of the server; only the answer belongs to its life.
    await this.#sim.sleep(1 + this.#random.around(networkMs));
    const lostBefore = this.#random.chance(providerLoss / 2);
    const answer = lostBefore ? undefined : run();
    const lostAfter = this.#random.chance(providerLoss / 2);
    await new Promise<void>((resolve) => this.#sim.at(1 + this.#random.around(networkMs), resolve, node, incarnation));
    if (answer !== undefined && !lostAfter) return answer;
    this.#sim.probe(lostBefore ? "provider-request-lost" : "provider-reply-lost");
    return { kind: "unknown" };
  }

  #submit(request: PaymentRequest): SubmitAnswer {
    if (!this.#accounts.has(request.paymentId)) {
      const account: Account = { request, state: "pending", captures: [] };
      this.#accounts.set(request.paymentId, account);
      this.openPlays += 1;
      void this.#play(account).finally(() => (this.openPlays -= 1));
    }
    return { kind: "submitted", providerRef: `ref-${request.paymentId}` };
  }

  #look(paymentId: string): LookAnswer {
    const account = this.#accounts.get(paymentId);
    if (account === undefined) return { kind: "not_found" };
    return { kind: "known", state: account.state, captures: [...account.captures] };
  }

  #refund(request: RefundRequest): RefundAnswer {
    if (!this.#refunds.has(request.refundId)) {
      if (this.#random.chance(this.#faults().providerLoss / 4)) {
        this.#sim.probe("refund-declined");
        return { kind: "declined", message: "try later" };
      }
      this.#refunds.set(request.refundId, request);
      this.#sim.log(`provider refunds ${request.refundId} of ${request.captureId}`);
      const capture = this.book.get(request.captureId);
      if (capture === undefined)
        this.#sim.violate("I9", `refund ${request.refundId} of a capture "${request.captureId}" that was never made`);
      else capture.refunds.push(request);
    }
    return { kind: "done" };
  }

  async #play(account: Account): Promise<void> {
    const random = this.#random;
    const { money } = account.request;
    const scenario = account.request.scenario ?? "success";
    switch (scenario) {
      case "failure":
        await this.#sim.sleep(random.around(40));
        account.state = "failed";
        return this.#tell(account, undefined);
      case "abandon":
        return;
      case "delay":
        await this.#sim.sleep(random.around(1500));
        return this.#capture(account, money);
      case "late":
        await this.#sim.sleep(random.chance(0.7) ? random.around(8000) : aroundGraceMs + random.int(-600, 900));
        return this.#capture(account, money);
      case "wrong_amount":
        await this.#sim.sleep(random.around(40));
        return this.#capture(account, { ...money, minor: money.minor + (random.chance(0.5) ? 1 : -1) });
      case "duplicate":
        await this.#sim.sleep(random.around(40));
        if (random.chance(0.5)) this.#capture(account, money);
        return this.#capture(account, money);
      default:
        await this.#sim.sleep(random.around(40));
        return this.#capture(account, money);
    }
  }

  #capture(account: Account, money: Money): void {
    const { paymentId } = account.request;
    const captureId = `cap-${paymentId}-${account.captures.length + 1}`;
    account.captures.push({ captureId, money });
    this.book.set(captureId, { captureId, paymentId, money, refunds: [] });
    this.#sim.log(`provider captures ${captureId} ${money.minor}`);
    const copies = account.request.scenario === "duplicate" ? this.#random.int(2, 3) : 1;
    for (let copy = 0; copy < copies; copy++) this.#tell(account, captureId);
    if (account.captures.length === 1 && this.#random.chance(0.1)) {
      // A word of failure beside the money: callbacks know no order.
      this.#sim.probe("failure-beside-capture");
      this.#tell(account, undefined);
    }
  }

  #tell(account: Account, captureId: string | undefined): void {
    const { paymentId } = account.request;
    const money = captureId === undefined ? undefined : this.book.get(captureId)?.money;
    const id = `msg_${++this.#hooks}`;
    const type = money === undefined ? "payment.failed" : "payment.captured";
    const about = money === undefined ? {} : { capture_id: captureId, amount_minor: money.minor, currency: money.currency };
    const timestamp = new Date(this.#epochMs + this.#sim.now).toISOString();
    const body = JSON.stringify({ type, timestamp, data: { payment_id: paymentId, ...about } });
    this.openCallbacks += 1;
    void this.#callUntilHeard(id, body).finally(() => (this.openCallbacks -= 1));
  }

  /** At least once: until a success is heard, and sometimes again afterwards. */
  async #callUntilHeard(id: string, body: string): Promise<void> {
    const random = this.#random;
    await this.#sim.sleep(random.chance(0.2) ? random.around(1500) : random.around(10));
    for (let attempt = 0; attempt < triesMax; attempt++) {
      const status = await this.#deliver({ body, headers: this.#sign(id, body) });
      if (status !== undefined && status < 300) {
        if (!random.chance(this.#faults().on.has("provider") ? 0.3 : 0.03)) return;
        this.#sim.probe("callback-repeated");
      } else if (status !== undefined && status < 500 && status !== 429) {
        return this.#sim.violate("I9", `callback ${id} of known money was answered ${status}: ${body}`);
      }
      await this.#sim.sleep(Math.min(2000, 50 * 2 ** attempt) * (0.5 + random.unit()));
    }
    this.#sim.violate("liveness", `callback ${id} was never heard`);
  }

  /** Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`. */
  #sign(id: string, body: string): Record<string, string> {
    const timestamp = String(Math.floor((this.#epochMs + this.#sim.now) / 1000));
    const signature = createHmac("sha256", this.#secret).update(`${id}.${timestamp}.${body}`).digest("base64");
    return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
  }
}
