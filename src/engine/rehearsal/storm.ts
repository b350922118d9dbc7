/**
 * The rehearsal from before the doors' opening to rest:
 *
 *   waiting  (with a curve) the crowd looks at the sale that has not begun; a few click too early
 *   storm    every buyer asks in its manner: by the curve's schedule, or as fast as the connections allow; who gets a
 *            unit lives on beside the storm
 *   returns  units come back from those who did not pay; buyers who were told "all taken" try again and pay
 *   closing  (a shadow sale) the sale is cancelled, which closes what is unpaid
 *   rest     no unit is held any more, every refund is done
 *   reading  every accepted order is read back: none may be unknown
 *
 * Every loop ends by a deadline; what has not come to rest by then is reported as it stands, never waited for. When the
 * brake is pulled nobody asks any more, and what was begun is still closed and read back.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { ask, live, type Stage } from "./buyer.ts";
import { arrivalsMax, arrivalTimes, type Curve } from "./curve.ts";
import { Halt } from "./halt.ts";
import { balancesOf } from "./history-recorder.ts";
import { Gate, openLoop } from "./open-loop.ts";
import { buyerPlan, type BuyerPlan, type RehearsalOptions } from "./plan.ts";
import { eachOf, Pool } from "./pool.ts";
import { Series, type SecondData } from "./series.ts";
import { isObject, type ShopClient, type ShopReply } from "./shop-client.ts";
import { Tally, type AcceptedOrder } from "./tally.ts";

export type StormDeps = {
  readonly shop: ShopClient;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly onProgress: (progress: Progress) => void;
  readonly halt?: Halt | undefined;
};
/** Where the storm takes place, and how it ends there. */
export type Scene = {
  readonly saleId: string;
  /** When the sale begins, on our clock; absent if it has begun. */
  readonly opensAtMs?: number | undefined;
  /** What names of buyers begin with. */
  readonly prefix?: string | undefined;
  /** Closes the sale, and says whether that is done; without it buyers take what returns, until all is sold. */
  readonly close?: (() => Promise<boolean>) | undefined;
  /** False: nobody pays; who would have waits instead, until the sale closes its order. */
  readonly payments?: boolean | undefined;
};
export type Phase = "waiting" | "storm" | "returns" | "closing" | "rest" | "reading";
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
  readonly seconds: readonly SecondData[];
  readonly finalOrders: readonly FinalOrder[];
  readonly stormMs: number;
  readonly elapsedMs: number;
  /** No unit held and every refund done within the time there was; undefined when the shop could not be asked any more. */
  readonly cameToRest: boolean | undefined;
};

const sampleMs = 250;
const returnsDeadlineMs = 60_000;
const restDeadlineMs = 30_000;
const lifeConnections = 24;
/** Of those who look at a sale that has not begun, one in so many clicks. */
const earlyClickEvery = 20;
const clickAgainMs = { base: 600, spread: 1_200 };

export class Storm {
  readonly #deps: StormDeps;
  readonly #options: RehearsalOptions;
  readonly #scene: Scene;
  readonly #stage: Stage;
  readonly #halt: Halt;
  readonly #series: Series;
  readonly #tally: Tally;
  /** When buyers may first buy; moments in the report count from here. */
  readonly #opensAtMs: number;
  readonly #beganMs: number;
  readonly #lives = new Pool(lifeConnections);
  readonly #toReturn: BuyerPlan[] = [];
  #phase: Phase = "waiting";
  #sampling = true;

  constructor(deps: StormDeps, options: RehearsalOptions, scene: Scene) {
    const { shop, clock, tasks, halt = new Halt() } = deps;
    const { payWindowMs, repeatsMax, curve, connections } = options;
    this.#deps = deps;
    this.#options = options;
    this.#scene = scene;
    this.#halt = halt;
    this.#beganMs = clock.nowMs();
    this.#opensAtMs = scene.opensAtMs ?? this.#beganMs;
    this.#series = new Series(this.#opensAtMs);
    this.#tally = new Tally(this.#series);
    const gate = curve === undefined ? undefined : new Gate(clock, connections);
    this.#stage = { shop, tally: this.#tally, clock, tasks, saleId: scene.saleId, payWindowMs, gate, repeatsMax, halt };
  }

  async run(): Promise<StormResult> {
    const { curve, connections } = this.#options;
    const sampler = this.#sampleUntilDone();
    const failed = await this.#asked(async () => {
      await this.#waitForOpening();
      this.#phase = "storm";
      if (curve !== undefined) await this.#byCurve(curve);
      else await eachOf(this.#crowd(), connections, async (plan) => void (await this.#visit(plan)));
    });
    const stormMs = this.#sinceOpening();
    this.#tally.stormIsOver();
    if (this.#scene.close === undefined) {
      this.#phase = "returns";
      await this.#returns();
    }
    await this.#lives.drained();
    this.#phase = "closing";
    const reachable = (await this.#scene.close?.()) ?? true;
    const { finalOrders, cameToRest } = reachable ? await this.#lookBack() : { finalOrders: [], cameToRest: undefined };
    this.#sampling = false;
    await sampler;
    // The sampler's last look may be older than rest; the report compares the orders with this one.
    await this.#sample();
    if (failed !== undefined) throw failed;
    const seconds = this.#series.data();
    const elapsedMs = this.#deps.clock.nowMs() - this.#beganMs;
    return { tally: this.#tally, seconds, finalOrders, stormMs, elapsedMs, cameToRest };
  }

  async #lookBack(): Promise<Pick<StormResult, "finalOrders" | "cameToRest">> {
    this.#phase = "rest";
    const atRest = await this.#waitForRest();
    this.#phase = "reading";
    const { finalOrders, refundsDone } = await this.#readBack();
    return { finalOrders, cameToRest: atRest && refundsDone };
  }

  /** Asks; a failure waits until what was begun is closed. */
  async #asked(work: () => Promise<void>): Promise<Error | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (this.#scene.close === undefined) throw error;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  *#crowd(): Generator<BuyerPlan> {
    for (let number = 0; number < this.#options.buyers && !this.#halt.aborted; number++) yield this.#plan(number);
  }

  #plan(number: number): BuyerPlan {
    return buyerPlan(this.#options.seed, number, this.#scene.prefix);
  }

  /** Until the sale begins: the crowd looks, evenly spread; one in so many asks too early and is told so. */
  async #waitForOpening(): Promise<void> {
    const { clock, tasks, shop } = this.#deps;
    const { lead } = this.#options;
    if (lead !== undefined && lead.pollsPerSecond > 0) {
      const beginsMs = this.#opensAtMs - lead.ms;
      const polls = Math.floor((lead.ms / 1000) * lead.pollsPerSecond);
      const dueMs = Array.from({ length: polls }, (_, i) => beginsMs + (i * 1000) / lead.pollsPerSecond);
      await openLoop(this.#deps, { dueMs, halt: this.#halt }, async (number, due) => {
        const look = () => shop.call("GET", `/api/v1/sales/${this.#scene.saleId}`);
        const reply = await (this.#stage.gate?.run(look) ?? look());
        if (reply !== undefined) this.#tally.polled(reply, due);
        if (number % earlyClickEvery === 0) await this.#visit(earlyPlan(this.#plan(number)), due);
      });
    }
    const restMs = this.#opensAtMs - clock.nowMs();
    if (restMs > 0) await tasks.sleep(restMs, this.#halt);
  }

  async #byCurve(curve: Curve): Promise<void> {
    const { seed, clicksAgainMax = 0 } = this.#options;
    const dueMs = (function* (openingMs: number) {
      for (const atMs of arrivalTimes(curve, seed)) yield openingMs + atMs;
    })(this.#opensAtMs);
    await openLoop(this.#deps, { dueMs, halt: this.#halt }, async (number, due) => {
      const plan = this.#plan(number);
      let reason = await this.#visit(plan, due);
      for (let click = 0; click < clicksAgainMax && reason === "all_taken" && plan.returns && !this.#halt.aborted; click++) {
        await this.#deps.tasks.sleep(clickAgainMs.base + (number % clickAgainMs.spread), this.#halt);
        if (!this.#halt.aborted) reason = await this.#visit({ ...plan, manner: "plain" });
      }
    });
  }

  async #visit(plan: BuyerPlan, dueMs?: number): Promise<string> {
    const { order, reason } = await ask(this.#stage, plan, dueMs);
    if (order !== undefined) this.#lives.run(() => this.#live(order, this.#allowed(plan)));
    else if (reason === "all_taken" && plan.returns && this.#scene.close === undefined) this.#toReturn.push(plan);
    return reason;
  }

  /** In somebody's deployment nobody says that the shop took money, and unless it is simulated nobody pays. */
  #allowed(plan: BuyerPlan): BuyerPlan {
    const { payments = true, close } = this.#scene;
    if (!payments) return withoutMoney(plan);
    return close !== undefined && plan.aftermath === "pay_by_shop" ? { ...plan, aftermath: "pay" } : plan;
  }

  async #live(order: AcceptedOrder, { aftermath }: BuyerPlan): Promise<void> {
    if (!this.#halt.aborted) await live(this.#stage, order, aftermath);
  }

  /** While units come back, those who wait take them and pay; when they run out, new buyers walk in. */
  async #returns(): Promise<void> {
    const { clock, tasks } = this.#deps;
    const untilMs = clock.nowMs() + returnsDeadlineMs;
    let latecomers = 0;
    while (clock.nowMs() < untilMs && !this.#halt.aborted) {
      const stock = await this.#stock();
      if (stock !== undefined && stock.available === 0 && stock.held === 0) return;
      const wanted = stock?.available ?? 0;
      const comers = this.#toReturn.splice(0, wanted);
      while (comers.length < wanted) comers.push(this.#plan(latecomerFloor + latecomers++));
      await eachOf(comers, lifeConnections, async (plan) => void (await this.#visit({ ...plan, manner: "plain", aftermath: "pay" })));
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
    if (stock !== undefined) this.#tally.stock.push({ atMs: Math.round(this.#sinceOpening()), ...stock });
  }

  #progress(): Progress {
    const { counts, refusals, orders, stock } = this.#tally;
    const { available, held, sold } = stock.at(-1) ?? { available: this.#options.stock, held: 0, sold: 0 };
    const refused = [...refusals.values()].reduce((sum, more) => sum + more, 0);
    const { buyersAnswered } = counts;
    return { phase: this.#phase, elapsedMs: this.#sinceOpening(), buyersAnswered, accepted: orders.size, refused, available, held, sold };
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

  #sinceOpening(): number {
    return this.#deps.clock.nowMs() - this.#opensAtMs;
  }
}

/** Numbers of buyers who come after the crowd; it has fewer. */
const latecomerFloor = arrivalsMax;

const earlyPlan = (plan: BuyerPlan): BuyerPlan => ({
  ...plan,
  subject: `${plan.subject}-early`,
  key: `${plan.key}-early`,
  manner: "plain",
});

/** Whoever would have given back does; whoever would have paid waits. */
function withoutMoney(plan: BuyerPlan): BuyerPlan {
  const givesBack = plan.aftermath === "cancel" || plan.aftermath === "fail" || plan.aftermath === "late_money";
  return { ...plan, aftermath: givesBack ? "cancel" : "abandon" };
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
