/**
 * The rehearsal from the doors' opening to rest:
 *
 *   storm    every buyer asks once in its manner; who gets a unit lives on beside the storm
 *   returns  units come back from those who did not pay; buyers who were told "all taken" try again and pay
 *   rest     no unit is held any more, every refund is done
 *   reading  every accepted order is read back: none may be unknown
 *
 * Every loop ends by a deadline; what has not come to rest by then is reported as it stands, never waited for.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { ask, live, type Stage } from "./buyer.ts";
import { balancesOf } from "./history-recorder.ts";
import { buyerPlan, type BuyerPlan, type RehearsalOptions } from "./plan.ts";
import { eachOf, Pool } from "./pool.ts";
import { isObject, type ShopClient, type ShopReply } from "./shop-client.ts";
import { Tally, type AcceptedOrder } from "./tally.ts";

export type StormDeps = {
  readonly shop: ShopClient;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly onProgress: (progress: Progress) => void;
};
export type Phase = "storm" | "returns" | "rest" | "reading";
export type Progress = {
  readonly phase: Phase;
  readonly elapsedMs: number;
  readonly buyersAnswered: number;
  readonly accepted: number;
  readonly refused: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
};
/** What became of one accepted order, as it was read at the end. */
export type FinalOrder = {
  readonly state: string;
  readonly refunds: readonly { readonly reason: string; readonly state: string; readonly amountMinor: number }[];
};
export type StormResult = {
  readonly tally: Tally;
  readonly finalOrders: readonly FinalOrder[];
  readonly stormMs: number;
  readonly elapsedMs: number;
  /** No unit held and every refund done within the time there was. */
  readonly cameToRest: boolean;
};

const sampleMs = 250;
const returnsDeadlineMs = 60_000;
const restDeadlineMs = 30_000;
const lifeConnections = 24;

export class Storm {
  readonly #deps: StormDeps;
  readonly #options: RehearsalOptions;
  readonly #stage: Stage;
  readonly #tally = new Tally();
  readonly #beganMs: number;
  readonly #lives = new Pool(lifeConnections);
  readonly #toReturn: BuyerPlan[] = [];
  #phase: Phase = "storm";
  #sampling = true;

  constructor(deps: StormDeps, options: RehearsalOptions, saleId: string) {
    const { shop, clock, tasks } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#stage = { shop, tally: this.#tally, clock, tasks, saleId, payWindowMs: options.payWindowMs };
    this.#beganMs = clock.nowMs();
  }

  async run(): Promise<StormResult> {
    const sampler = this.#sampleUntilDone();
    await eachOf(this.#crowd(), this.#options.connections, (plan) => this.#visit(plan));
    const stormMs = this.#elapsed();
    this.#tally.stormIsOver();
    this.#phase = "returns";
    await this.#returns();
    await this.#lives.drained();
    this.#phase = "rest";
    const atRest = await this.#waitForRest();
    this.#phase = "reading";
    const { finalOrders, refundsDone } = await this.#readBack();
    this.#sampling = false;
    await sampler;
    // The sampler's last look may be older than rest; the report compares the orders with this one.
    await this.#sample();
    return { tally: this.#tally, finalOrders, stormMs, elapsedMs: this.#elapsed(), cameToRest: atRest && refundsDone };
  }

  *#crowd(): Generator<BuyerPlan> {
    for (let number = 0; number < this.#options.buyers; number++) yield buyerPlan(this.#options.seed, number);
  }

  async #visit(plan: BuyerPlan): Promise<void> {
    const { order, reason } = await ask(this.#stage, plan);
    if (order !== undefined) this.#lives.run(() => live(this.#stage, order, plan.aftermath));
    else if (reason === "all_taken" && plan.returns) this.#toReturn.push(plan);
  }

  /** While units come back, those who wait take them and pay; when they run out, new buyers walk in. */
  async #returns(): Promise<void> {
    const { clock, tasks } = this.#deps;
    const untilMs = clock.nowMs() + returnsDeadlineMs;
    let latecomers = 0;
    while (clock.nowMs() < untilMs) {
      const stock = await this.#stock();
      if (stock !== undefined && stock.available === 0 && stock.held === 0) return;
      const wanted = stock?.available ?? 0;
      const comers = this.#toReturn.splice(0, wanted);
      while (comers.length < wanted) comers.push(buyerPlan(this.#options.seed, this.#options.buyers + latecomers++));
      await eachOf(comers, lifeConnections, (plan) => this.#visit({ ...plan, manner: "plain", aftermath: "pay" }));
      if (wanted === 0) await tasks.sleep(sampleMs);
    }
  }

  async #waitForRest(): Promise<boolean> {
    const { clock, tasks } = this.#deps;
    const untilMs = clock.nowMs() + restDeadlineMs;
    while (clock.nowMs() < untilMs) {
      if ((await this.#stock())?.held === 0) return true;
      await tasks.sleep(sampleMs);
    }
    return false;
  }

  /** Reads every accepted order; those with a refund on its way again, until it is done or time is up. */
  async #readBack(): Promise<{ finalOrders: FinalOrder[]; refundsDone: boolean }> {
    const { clock, tasks } = this.#deps;
    const untilMs = clock.nowMs() + restDeadlineMs;
    const found = new Map<string, FinalOrder>();
    let open: AcceptedOrder[] = [...this.#tally.orders.values()];
    while (open.length > 0) {
      await eachOf(open, lifeConnections, (order) => this.#readOne(order, found));
      open = open.filter(({ id }) => found.get(id)?.refunds.some(({ state }) => state === "requested" || state === "sent") ?? false);
      if (clock.nowMs() >= untilMs) break;
      if (open.length > 0) await tasks.sleep(sampleMs);
    }
    return { finalOrders: [...found.values()], refundsDone: open.length === 0 };
  }

  async #readOne(order: AcceptedOrder, found: Map<string, FinalOrder>): Promise<void> {
    const reply = await this.#deps.shop.read(order.id, order.buyer);
    this.#tally.otherAnswered(reply);
    if (reply.kind === "ok") found.set(order.id, finalOrderOf(reply));
    else this.#tally.broken(`order ${order.id} of ${order.buyer} was accepted and cannot be read: ${reply.reason}`);
  }

  async #sampleUntilDone(): Promise<void> {
    while (this.#sampling) {
      await this.#sample();
      this.#deps.onProgress(this.#progress());
      await this.#deps.tasks.sleep(sampleMs);
    }
  }

  async #sample(): Promise<void> {
    const stock = await this.#stock();
    if (stock !== undefined) this.#tally.stock.push({ atMs: Math.round(this.#elapsed()), ...stock });
  }

  #progress(): Progress {
    const { counts, refusals, orders, stock } = this.#tally;
    const { available, held, sold } = stock.at(-1) ?? { available: this.#options.stock, held: 0, sold: 0 };
    const refused = [...refusals.values()].reduce((sum, more) => sum + more, 0);
    const { buyersAnswered } = counts;
    return { phase: this.#phase, elapsedMs: this.#elapsed(), buyersAnswered, accepted: orders.size, refused, available, held, sold };
  }

  async #stock(): Promise<{ available: number; held: number; sold: number } | undefined> {
    const reply = await this.#deps.shop.stock(this.#stage.saleId);
    this.#tally.otherAnswered(reply);
    const balances = balancesOf(reply.data["stock"]);
    if (balances === undefined) return undefined;
    const { issued, available, held, sold, withdrawn } = balances;
    if (available < 0 || held + sold > issued - withdrawn)
      this.#tally.broken(`the shop showed an impossible stock: ${JSON.stringify(balances)}`);
    return { available, held, sold };
  }

  #elapsed(): number {
    return this.#deps.clock.nowMs() - this.#beganMs;
  }
}

function finalOrderOf({ data }: ShopReply): FinalOrder {
  const refunds: unknown[] = Array.isArray(data["refunds"]) ? data["refunds"] : [];
  return {
    state: String(data["state"]),
    refunds: refunds.filter(isObject).map(({ reason, state, amount_minor: amount }) => ({
      reason: String(reason),
      state: String(state),
      amountMinor: typeof amount === "number" ? amount : 0,
    })),
  };
}
