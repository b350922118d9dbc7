/**
 * A rehearsal in a running deployment, from the first look to the last:
 *
 *   look      ready? is a real sale on? whose terms?           nothing is sent but reads
 *   shadow    a product and a sale of its own, published       from here on it is closed again whatever happens
 *   storm     by the curve, under the guard, behind the fence
 *   close     the shadow sale is cancelled; what is unpaid is closed; what remains is said
 *   judge     the crowd's own record, and the store where its folder is at hand
 */
import type { Clock } from "../../ports/clock.ts";
import type { DeploymentSite } from "../../ports/deployment-site.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { utcText } from "../../lib/utc-text.ts";
import { durationOf, type Curve } from "./curve.ts";
import { Fence } from "./fence.ts";
import { Guard, GuardedLoad, isReady, keepWatch, type GuardLimits } from "./guard.ts";
import type { Halt } from "./halt.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import { crowdPrefix, type RehearsalOptions } from "./plan.ts";
import { RecordCheck } from "./record-check.ts";
import { reportOf, type RehearsalReport, type Target } from "./report.ts";
import { closeShadow, done, openShadow, termsOf, type Remains, type SaleTerms, type Shadow } from "./shadow-sale.ts";
import { ShopClient } from "./shop-client.ts";
import { Storm, type Progress, type StormResult } from "./storm.ts";
import { realSaleOn, serverEnvironment, type ClientEnvironment } from "./surroundings.ts";
import { uncheckedVerdict, verdictOf } from "./verdict.ts";

export type DeploymentDeps = {
  readonly site: DeploymentSite;
  readonly clock: Clock;
  readonly tasks: Tasks;
  /** Whoever pulls it ends the storm; the shadow sale is closed all the same. */
  readonly halt: Halt;
  readonly onProgress: (progress: Progress) => void;
};
export type DeploymentOptions = {
  readonly url: string;
  readonly apiKey: string;
  /** Names this run in the deployment: 1 to 16 letters and digits. */
  readonly runId: string;
  readonly rehearsal: Omit<RehearsalOptions, "stock" | "payWindowMs" | "curve"> & { readonly curve: Curve };
  /** Terms of the shadow sale, or the id of the sale that lends them. */
  readonly terms: SaleTerms | { readonly likeSaleId: string };
  /** What replaces a term of the real sale. */
  readonly stock?: number | undefined;
  readonly payments: "none" | "simulated";
  readonly duringSale: boolean;
  readonly limits: GuardLimits;
  readonly client: ClientEnvironment;
};

/** The deployment cannot be rehearsed now; nothing was changed in it. */
export class NotRehearsable extends Error {
  override readonly name = "NotRehearsable";
}

/** Between publishing and the first look at the sale. */
const leadInMs = 500;

export async function rehearseDeployment(deps: DeploymentDeps, options: DeploymentOptions): Promise<RehearsalReport> {
  const { site, clock } = deps;
  const beganMs = clock.nowMs();
  const recorder = new HistoryRecorder({
    append: (line) => site.record(line),
    nowMs: () => clock.nowMs() - beganMs,
    hash: (text) => site.hash(text),
    proc: `crowd-${options.runId}`,
  });
  const record = new RecordCheck(recorder, () => clock.nowMs() - beganMs);
  try {
    return await new DeploymentRun(deps, options, record).run(beganMs);
  } finally {
    await site.close();
  }
}

class DeploymentRun {
  readonly #deps: DeploymentDeps;
  readonly #options: DeploymentOptions;
  readonly #record: RecordCheck;
  readonly #fence: Fence;
  readonly #guard: Guard;
  /** Sets up, looks and cleans up: behind the fence, but not judged by the guard. */
  readonly #hands: ShopClient;
  #remains: Remains | undefined;
  #notClosed: string | undefined;

  constructor(deps: DeploymentDeps, options: DeploymentOptions, record: RecordCheck) {
    this.#deps = deps;
    this.#options = options;
    this.#record = record;
    this.#fence = new Fence(deps.site.load, deps.halt);
    this.#guard = new Guard(options.limits);
    this.#hands = new ShopClient(this.#fence, { apiKey: options.apiKey });
  }

  async run(beganMs: number): Promise<RehearsalReport> {
    const { rehearsal, runId } = this.#options;
    const stormMs = durationOf(rehearsal.curve);
    const leadMs = (rehearsal.lead?.ms ?? 0) + leadInMs;
    const { offsetMs } = await this.#look(leadMs + stormMs);
    const terms = await this.#terms();
    const server = await serverEnvironment(this.#hands);
    const opensAtMs = Math.ceil(this.#deps.clock.nowMs() + leadMs);
    const shadow = await this.#open({ runId, terms, opensAtMs: opensAtMs + offsetMs, stormMs });
    const storm = { ...rehearsal, stock: terms.stock, payWindowMs: terms.payWindowSeconds * 1000 };
    const result = await this.#storm(storm, shadow, opensAtMs);
    const remains = this.#remains;
    const rows = remains && Object.values(remains.purchases).reduce((sum, count) => sum + count, 0);
    const recordTerms = { stock: terms.stock, perBuyerLimit: terms.perBuyerLimit, payWindowMs: storm.payWindowMs };
    const printed = this.#deps.site.verify();
    return reportOf({
      options: storm,
      result,
      record: this.#record.verdict(recordTerms, rows),
      // A crowd has been there: what it saw is told whether or not the checker can be asked.
      verify: printed && (await printed.then(verdictOf, uncheckedVerdict)),
      halted: this.#deps.halt.reason,
      target: this.#target(shadow, terms, remains),
      environment: { client: this.#options.client, server },
      beganAt: utcText(beganMs),
    });
  }

  /** Nothing is sent but reads; throws `NotRehearsable` with the reason. */
  async #look(spanMs: number): Promise<{ offsetMs: number }> {
    const { clock, tasks } = this.#deps;
    const { url, duringSale } = this.#options;
    if (!(await isReady(this.#fence, tasks))) throw new NotRehearsable(`${url}/readyz does not answer 200: the deployment is not ready`);
    const askedMs = clock.nowMs();
    const time = await done(this.#hands.call("GET", "/api/v1/time"), "ask for the time");
    const serverMs = time.data["server_time_ms"];
    if (typeof serverMs !== "number") throw new NotRehearsable(`${url} does not tell its time: is it a Doorbuster?`);
    const real = duringSale ? undefined : await realSaleOn(this.#hands, { untilMs: serverMs + spanMs, unreadable: "named" });
    if (real !== undefined) throw new NotRehearsable(`${real}; rehearse at another time, or say --during-sale`);
    return { offsetMs: Math.round(serverMs - (askedMs + clock.nowMs()) / 2) };
  }

  async #terms(): Promise<SaleTerms> {
    const { terms, stock } = this.#options;
    const found = "likeSaleId" in terms ? await termsOf(this.#hands, terms.likeSaleId) : terms;
    return stock === undefined ? found : { ...found, stock };
  }

  /** What was created and not opened is cancelled again. */
  async #open(shadow: Parameters<typeof openShadow>[1]): Promise<Shadow> {
    try {
      return await openShadow(this.#hands, shadow);
    } catch (error) {
      const { saleId } = this.#fence;
      if (saleId !== undefined) await closeShadow({ ...this.#deps, shop: this.#hands }, saleId);
      throw error;
    }
  }

  async #storm(options: RehearsalOptions, shadow: Shadow, opensAtMs: number): Promise<StormResult> {
    const { clock, tasks, halt, onProgress, site } = this.#deps;
    const { apiKey, runId, payments, duringSale } = this.#options;
    const shop = new ShopClient(new GuardedLoad(this.#fence, { guard: this.#guard, clock, halt }), { apiKey, recorder: this.#record });
    let over = false;
    const close = async () => {
      over = true;
      this.#record.closing();
      return this.#close(shadow.saleId);
    };
    const realSales = duringSale ? undefined : () => realSaleOn(this.#hands, { untilMs: 0, unreadable: "ignored" });
    const watching = keepWatch({ tasks, halt, guard: this.#guard, load: site.load, realSales }, () => over);
    const scene = { saleId: shadow.saleId, opensAtMs, prefix: `${crowdPrefix}${runId}-`, close, payments: payments === "simulated" };
    try {
      return await new Storm({ shop, clock, tasks, onProgress, halt }, options, scene).run();
    } finally {
      over = true;
      if (this.#remains === undefined && this.#notClosed === undefined) await close();
      await watching;
    }
  }

  /** A deployment that cannot even be told to close the sale ends the run; the report says what to do by hand. */
  async #close(saleId: string): Promise<boolean> {
    try {
      this.#remains = await closeShadow({ ...this.#deps, shop: this.#hands }, saleId);
    } catch (error) {
      this.#notClosed = error instanceof Error ? error.message : String(error);
      this.#deps.halt.pull({ by: "guard", text: this.#notClosed });
    }
    return this.#remains !== undefined;
  }

  #target(shadow: Shadow, terms: SaleTerms, remains: Remains | undefined): Target {
    const { url, limits, payments } = this.#options;
    return {
      kind: "deployment",
      url,
      sale_id: shadow.saleId,
      product_id: shadow.productId,
      name: shadow.name,
      like: terms.like,
      payments,
      limits: { error_share_max: limits.errorShareMax, p99_max_ms: limits.p99MaxMs },
      remains,
      not_closed: this.#notClosed,
    };
  }
}
