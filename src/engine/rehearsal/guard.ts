/**
 * Watches a deployment while it is stormed, and says when to stop: too many failures, answers too late, `/readyz` that
 * fails, or a real sale beginning. Judges the last few seconds, by the time from a request's leaving to its answer, so a
 * load machine that is too slow itself trips nothing.
 */
import type { Clock } from "../../ports/clock.ts";
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";
import type { Tasks } from "../../ports/tasks.ts";
import type { Halt } from "./halt.ts";
import { Histogram } from "./histogram.ts";

export type GuardLimits = {
  /** Share of requests that got a 5xx or no answer. */
  readonly errorShareMax: number;
  readonly p99MaxMs: number;
};
export const guardDefaults: GuardLimits = { errorShareMax: 0.05, p99MaxMs: 2_000 };

export const guardWindowSeconds = 5;
/** With fewer answers in the window a share and a percentile say nothing. */
export const guardAnswersMin = 50;
export const notReadyMax = 3;
const readyEveryMs = 1_000;
const readyTimeoutMs = 2_000;
const salesEveryTicks = 5;

type Slot = { readonly second: number; answers: number; failed: number; readonly latency: Histogram };

export class Guard {
  readonly #limits: GuardLimits;
  readonly #slots: Slot[] = [];
  #notReady = 0;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
  }

  /** Hears of an answer, or that there was none; gives what is wrong once something is. */
  answered(atMs: number, reply: LoadReply): string | undefined {
    if (reply.kind === "lost" && (reply.cause === "dropped" || reply.cause === "fenced")) return undefined;
    const slot = this.#slotAt(Math.floor(atMs / 1000));
    slot.answers += 1;
    if (reply.kind === "lost" || reply.status >= 500) slot.failed += 1;
    slot.latency.add(reply.latencyMs);
    // A verdict a request would cost more than the requests do.
    return slot.answers % verdictEvery === 0 ? this.verdict() : undefined;
  }

  ready(isReady: boolean): string | undefined {
    this.#notReady = isReady ? 0 : this.#notReady + 1;
    return this.#notReady >= notReadyMax ? `/readyz failed ${this.#notReady} times in a row` : undefined;
  }

  verdict(): string | undefined {
    const latency = new Histogram();
    let answers = 0;
    let failed = 0;
    for (const slot of this.#slots) {
      latency.merge(slot.latency);
      answers += slot.answers;
      failed += slot.failed;
    }
    if (answers < guardAnswersMin) return undefined;
    const { errorShareMax, p99MaxMs } = this.#limits;
    const span = `in the last ${guardWindowSeconds} s`;
    if (failed / answers > errorShareMax)
      return `${failed} of ${answers} requests ${span} failed or got no answer (${percent(failed / answers)}, the limit is ${percent(errorShareMax)})`;
    const p99 = latency.at(0.99);
    return p99 > p99MaxMs ? `p99 of ${answers} answers ${span} was ${Math.round(p99)} ms (the limit is ${p99MaxMs} ms)` : undefined;
  }

  #slotAt(second: number): Slot {
    const last = this.#slots.at(-1);
    if (last !== undefined && last.second >= second) return last;
    const slot = { second, answers: 0, failed: 0, latency: new Histogram() };
    this.#slots.push(slot);
    while ((this.#slots[0]?.second ?? second) <= second - guardWindowSeconds) this.#slots.shift();
    return slot;
  }
}

const verdictEvery = 25;
const percent = (share: number) => `${Math.round(share * 1000) / 10} %`;

/** A client whose answers the guard hears; what it says pulls the brake. */
export class GuardedLoad implements LoadClient {
  readonly #load: LoadClient;
  readonly #guard: Guard;
  readonly #clock: Clock;
  readonly #halt: Halt;

  constructor(load: LoadClient, watch: { guard: Guard; clock: Clock; halt: Halt }) {
    this.#load = load;
    this.#guard = watch.guard;
    this.#clock = watch.clock;
    this.#halt = watch.halt;
  }

  async send(request: LoadRequest): Promise<LoadReply> {
    const reply = await this.#load.send(request);
    const problem = this.#guard.answered(this.#clock.nowMs(), reply);
    if (problem !== undefined) this.#halt.pull({ by: "guard", text: problem });
    return reply;
  }
}

export type Watch = {
  readonly tasks: Tasks;
  readonly halt: Halt;
  readonly guard: Guard;
  readonly load: LoadClient;
  /** Real sales that are on now, in words; undefined when they shall not be looked for. */
  readonly realSales?: (() => Promise<string | undefined>) | undefined;
};

/** Looks at what no answer of the storm shows, until told to stop. */
export async function keepWatch({ tasks, halt, guard, load, realSales }: Watch, isOver: () => boolean): Promise<void> {
  for (let tick = 1; !isOver() && !halt.aborted; tick++) {
    const found = guard.ready(await isReady(load, tasks)) ?? guard.verdict();
    const sales = found === undefined && tick % salesEveryTicks === 0 ? await realSales?.() : undefined;
    const problem = found ?? sales;
    if (problem !== undefined) halt.pull({ by: "guard", text: problem });
    await tasks.sleep(readyEveryMs, halt);
  }
}

/** Whether `/readyz` says 200 in time. */
export async function isReady(load: LoadClient, tasks: Tasks): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<false>((resolve) => (cancel = tasks.after(readyTimeoutMs, () => resolve(false))));
  const asked = load.send({ method: "GET", path: "/readyz", headers: {} }).then((reply) => reply.kind === "answer" && reply.status === 200);
  const answer = await Promise.race([asked, late]);
  cancel();
  return answer;
}
