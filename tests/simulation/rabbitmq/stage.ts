/**
 * A rabbitmq world without chance: a test says who asks whom, what becomes of which call and message, who stops and when,
 * and in the end everything that a run of chance is held to must hold, too.
 */
import type { SaleId } from "../../../src/domain/ids.ts";
import type { Purchase } from "../../../src/domain/purchase.ts";
import type { Scope } from "../../../src/domain/scope.ts";
import { assert } from "../../../src/lib/assert.ts";
import { drawFaults, healed, rabbitFaults, type Faults } from "../faults.ts";
import { fateOf, type Attempt, type Fate } from "../history.ts";
import { Judge, subjectOf } from "../judge.ts";
import { Sim } from "../kernel.ts";
import { noMutant, type Mutant } from "../mutants.ts";
import { end, setUp } from "../run.ts";
import { apiKey, type Call, type Reply } from "../server.ts";
import { drawShape, queued, type QueueShape, type SaleShape, type Shape } from "../shape.ts";
import type { Process } from "../sql/process.ts";
import type { CacheCall, CallFate } from "./model-cache.ts";
import type { PublishFate } from "./model-broker.ts";
import { RabbitWorld } from "./rabbit-world.ts";

const seed = 1;
/** Longer than any of it takes. */
const patienceMs = 60_000;
const clientTimeoutMs = 20_000;
const quickNetwork = { commitMs: 1, readMs: 0.3, networkMs: 0.2, cacheMs: 0.2, brokerMs: 0.3 };

export type StageOptions = {
  readonly stock?: number;
  readonly limit?: number;
  readonly payWindowMs?: number;
  readonly sales?: number;
  readonly queue?: Partial<QueueShape>;
  readonly answerTimeoutMs?: number;
};

/** What a buyer asked for, and what became of it. */
export type Asked = { readonly attempt: Attempt; readonly isAnswered: () => boolean; readonly told: () => Promise<Fate> };

export class Stage {
  readonly world: RabbitWorld;
  readonly sim: Sim;
  readonly judge: Judge;
  readonly saleIds: readonly SaleId[];
  readonly #life = { open: 0 };

  private constructor(world: RabbitWorld, saleIds: readonly SaleId[]) {
    this.world = world;
    this.sim = world.sim;
    this.judge = new Judge(world);
    this.saleIds = saleIds;
  }

  static async open(options: StageOptions = {}, mutant: Mutant = noMutant): Promise<Stage> {
    const sim = new Sim(seed, true);
    const faults: Faults = { ...healed(drawFaults(seed, rabbitFaults, new Set())), ...quickNetwork };
    const world = new RabbitWorld(sim, { shape: shapeOf(options, faults), faults, mutant });
    const saleIds = await setUp(world);
    const stage = new Stage(world, saleIds);
    await stage.until(() => stage.scopes().every(({ state }) => state === "open"), "all scopes to be open");
    // Everybody has looked since.
    await stage.pass(1_500);
    return stage;
  }

  get saleId(): SaleId {
    const [first] = this.saleIds;
    assert(first !== undefined, "there is a sale");
    return first;
  }

  process(name: string): Process {
    const found = this.world.processes.find(({ server }) => server.name === name);
    assert(found !== undefined, `there is a process ${name}`);
    return found;
  }

  /** The worker that reads the first partition, and another one. */
  workers(): { readonly reading: Process; readonly idle: Process } {
    const name = this.world.broker.readerOf(0)?.name ?? "worker 1";
    return { reading: this.process(name), idle: this.process(name === "worker 1" ? "worker 2" : "worker 1") };
  }

  /** A buyer asks one of the processes. `waits`: for the order. */
  buy(by: Process, buyer: number, wish: { key?: string; quantity?: number; note?: string; waits?: boolean; saleId?: SaleId } = {}): Asked {
    const { key, quantity = 1, note, waits = true, saleId = this.saleId } = wish;
    const attempt = this.judge.invoked({ buyer, saleId, key, quantity, note });
    const headers = { ...(key !== undefined && { "idempotency-key": key }), ...(!waits && { prefer: "respond-async" }) };
    const body = JSON.stringify({ quantity, ...(note !== undefined && { metadata: { note } }) });
    this.#life.open += 1;
    const replied = this.ask(by, { method: "POST", path: `/api/v1/sales/${saleId}/purchases`, body, headers }, subjectOf(buyer));
    void replied.then((reply) => {
      this.#life.open -= 1;
      this.judge.answered(attempt, fateOf(reply), reply);
    });
    const isAnswered = () => attempt.fate.kind !== "open";
    const told = async () => {
      await this.until(isAnswered, "an answer");
      return attempt.fate;
    };
    return { attempt, isAnswered, told };
  }

  /** Straight to one process, as if nothing were between. */
  ask({ server }: Process, call: Call, user?: string): Promise<Reply> {
    const { node } = server;
    const headers = { "x-api-key": apiKey, ...(user !== undefined && { "x-user-id": user }), ...call.headers };
    return new Promise((resolve) => {
      const stop = this.sim.at(clientTimeoutMs, () => resolve({ kind: "lost", copied: false }));
      const serve = () => void server.serve({ ...call, headers }).then((reply) => (stop(), resolve(reply)));
      this.sim.at(0, serve, node);
    });
  }

  /** The operator asks, and waits for the answer. */
  async operate(by: Process, path: string, body: object, headers: Record<string, string> = {}): Promise<number> {
    let status: number | undefined;
    void this.ask(by, { method: "POST", path, body: JSON.stringify(body), headers }).then((reply) => {
      status = reply.kind === "answer" ? reply.status : 0;
    });
    await this.until(() => status !== undefined, `an answer to ${path}`);
    return status ?? 0;
  }

  /** Waits, with a bound. */
  async until(holds: () => boolean, what: string): Promise<void> {
    await this.sim.run(this.sim.now + patienceMs, holds);
    const [violation] = this.sim.violations;
    if (violation !== undefined) throw new Error(`${violation.rule}: ${violation.text}`);
    if (!holds()) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.sim.now + ms;
    await this.until(() => this.sim.now >= untilMs, "time to pass").catch((error: unknown) => {
      if (this.sim.violations.length > 0) throw error;
    });
  }

  /** What becomes of the next call of a kind by a process. */
  nextCall(by: string, call: CacheCall, fate: CallFate, then: () => void = () => undefined): void {
    const { cache } = this.world;
    cache.onCall = (made, client) => {
      if (made !== call || !client.startsWith(by)) return undefined;
      cache.onCall = () => undefined;
      then();
      return fate;
    };
  }

  /** What becomes of the next message with lines by a process. */
  nextLines(by: string, fate: PublishFate, then: () => void = () => undefined): void {
    const { broker } = this.world;
    broker.onPublish = (text, client) => {
      if (!client.startsWith(by) || !text.includes('"lines"')) return undefined;
      broker.onPublish = () => undefined;
      then();
      return fate;
    };
  }

  /** In the moment in which the cache accepts the next line, before anybody hears of it. */
  whenAccepted(then: (id: string) => void): void {
    const { cache } = this.world;
    const before = cache.witness;
    cache.witness = {
      ...before,
      accepted: (id) => {
        cache.witness = before;
        before.accepted(id);
        then(id);
      },
    };
  }

  stop = ({ server: { node } }: Process): void => this.sim.pause(node);
  wake = ({ server: { node } }: Process): void => this.sim.resume(node);

  scopes(): Scope[] {
    return [...this.world.store.tables.scopes.values()];
  }

  /** The scope of the first sale. */
  scope(): Scope {
    const scope = this.scopes().find(({ id }) => id === this.world.store.tables.sales.get(this.saleId)?.scopeId);
    assert(scope !== undefined, "the sale has its scope");
    return scope;
  }

  purchases(): Purchase[] {
    return [...this.world.store.tables.purchases.values()];
  }

  states(): string[] {
    return this.purchases().map(({ state, refusedFor }) => (refusedFor === undefined ? state : `${state} ${refusedFor}`));
  }

  async opened(epoch: number): Promise<void> {
    await this.until(() => this.scope().epoch >= epoch && this.scope().state === "open", `epoch ${epoch} to be open`);
    // Until every process has looked.
    await this.pass(600);
  }

  /** All comes to rest, and is held to everything that runs of chance are held to. */
  async finish(): Promise<void> {
    this.world.heal();
    await end(this.world, this.judge, this.#life);
    const problems = this.sim.violations.map(({ rule, text }) => `${rule}: ${text}`);
    if (problems.length > 0) throw new Error(problems.join("; "));
  }
}

function shapeOf(
  { stock = 3, limit = 1, payWindowMs = 4_000, sales = 1, queue, answerTimeoutMs = 2_500 }: StageOptions,
  faults: Faults,
): Shape {
  const drawn = queued(drawShape(seed, false), seed, faults);
  const sale: SaleShape = {
    stock,
    limit,
    payWindowMs,
    payExtensionsMax: 0,
    startsInMs: 0,
    lastsMs: 300_000,
    grouped: sales > 1,
    refundedUnitsCount: false,
    priceMinor: 500,
  };
  assert(drawn.cluster !== undefined, "a world of several processes draws how many there are");
  const between: QueueShape = { partitions: 1, prefetch: 64, heartbeatMs: 600, syncsAlways: false, outboxMax: 1_000, ...queue };
  const two = {
    apis: 2,
    workers: 2,
    leaseMs: 250,
    reopenDelayMs: 600,
    edgeMs: 250,
    writesMax: 6,
    readsMax: 4,
    rate: 1,
    lockTimeoutMs: 4_000,
  };
  const cluster = { ...drawn.cluster, ...two, lateSaleInMs: undefined, queue: between };
  const bounds = {
    batchMax: 64,
    queueMax: 1_000,
    answerTimeoutMs,
    salesMax: 100,
    buyersMax: 10_000,
    spare: undefined,
    vips: 0,
    extends: 0,
  };
  return { ...drawn, ...bounds, sales: Array.from({ length: sales }, () => sale), buyers: 8, scenarios: ["success"], cluster };
}
