/**
 * One server process: the production engine, its handlers and its workers, built anew on a store at each start as main.ts
 * builds them, and entered below the socket. What survives a kill is the store's; everything here is gone.
 */
import { createServerKeys } from "../../src/adapters/auth/server-keys.ts";
import { createEventTickets } from "../../src/adapters/auth/event-tickets.ts";
import { createTokens, type TokenOptions } from "../../src/adapters/auth/tokens.ts";
import { MemoryExports } from "../../src/adapters/memory/memory-exports.ts";
import { emptyTables } from "../../src/adapters/memory/tables.ts";
import { WebhookVerifier } from "../../src/adapters/payment/webhook-signature.ts";
import { ChangeBoard } from "../../src/engine/change-board.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { ProductCache } from "../../src/engine/product-cache.ts";
import type { DeadLetters } from "../../src/engine/queue/dead-letters.ts";
import type { QueuedParts } from "../../src/engine/queue/queued-parts.ts";
import { SaleBoard, type SharedBoard, type SaleView } from "../../src/engine/sale-board.ts";
import { createApp, type App } from "../../src/http/app.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Entropy } from "../../src/ports/entropy.ts";
import type { Ids } from "../../src/ports/ids.ts";
import type { Log } from "../../src/ports/log.ts";
import type { PaymentProvider } from "../../src/ports/payment-provider.ts";
import type { Records } from "../../src/ports/records.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import type { Tasks } from "../../src/ports/tasks.ts";
import type { LoopOptions } from "../../src/worker/loop.ts";
import { pollTickMs, runPaymentPoller } from "../../src/worker/payment-poller.ts";
import { refundTickMs, runRefunder } from "../../src/worker/refunder.ts";
import { runSettler, settleTickMs } from "../../src/worker/settler.ts";
import { runSweeper, sweepTickMs } from "../../src/worker/sweeper.ts";
import { memoryPeople } from "../kit/account-world.ts";
import { SimNode, tasksOf, type Sim } from "./kernel.ts";
import { openQueue, queueLoops, type QueueFoundation } from "./rabbitmq/queue-engine.ts";
import type { World } from "./world.ts";

export const apiKey = "the-shop-key-of-the-simulation-0";
export const webhookSecret = Buffer.alloc(32, 7);
const providerName = "simulated";
export const callbackPath = `/api/v1/payments/callback/${providerName}`;
const serverKeys = createServerKeys([{ id: "shop", issuer: "shop", secret: apiKey }]);
const callbackVerifiers = new Map([[providerName, new WebhookVerifier([webhookSecret])]]);
const options = { environment: "production", version: "0.0.0", corsOrigins: [], shop: "shop" } as const;
/** A drain that takes longer is given up, as main.ts gives it up. */
const drainTimeoutMs = 1_500;

export type Call = {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};
/** `lost`: no answer came, and the request may have been served or may be yet. `down`: nobody took it. */
export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly text: string; readonly copied: boolean }
  | { readonly kind: "lost"; readonly copied: boolean }
  | { readonly kind: "down"; readonly copied: boolean };

export type ServerParts = {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly entropy: Entropy;
  readonly tasks: Tasks;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly board: SaleBoard;
  readonly products: ProductCache;
  readonly acceptance: Acceptance;
  readonly changes: ChangeBoard;
  readonly provider: PaymentProvider;
  /** Where a cache decides. */
  readonly marks?: SaleBoard | undefined;
  readonly queued?: QueuedParts | undefined;
};

/** What accepts, and is drained at the end. */
type Accepting = Acceptance & Pick<DirectAcceptance, "waiting" | "counts" | "drain" | "close">;

/** What a server is built on, in one life. */
export type Foundation = Pick<ServerParts, "clock" | "ids" | "entropy" | "tasks" | "catalogue" | "records"> & {
  readonly ledger: StockLedger;
  /** Where others commit to the same store, too. */
  readonly shared?: SharedBoard | undefined;
  /** Where a cache decides, and a broker carries. */
  readonly queue?: QueueFoundation | undefined;
  readonly loop: (name: string, tickMs: number) => LoopOptions;
  /** A loop of which one process at a time does a round. */
  readonly singleton: (name: string, tickMs: number) => LoopOptions;
};

type Life = { readonly app: App; readonly accepting: Accepting; readonly stop: AbortController; readonly workers: Promise<unknown>[] };
export type Role = "api" | "worker";

export class Server {
  readonly node: SimNode;
  readonly roles: readonly Role[];
  parts: ServerParts | undefined;
  readonly #sim: Sim;
  readonly #world: World;
  #life: Life | undefined;
  #draining = false;

  constructor(world: World, name: string, roles: readonly Role[]) {
    this.#world = world;
    this.#sim = world.sim;
    this.roles = roles;
    this.node = new SimNode(name);
    this.node.up = false;
  }

  get name(): string {
    return this.node.name;
  }

  /** This life of it. */
  get by(): string {
    return `${this.name}#${this.node.incarnation}`;
  }

  get waiting(): number {
    return this.#life?.accepting.waiting ?? 0;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** The process begins; what it is built on may have to be waited for. */
  begin(): { readonly tasks: Tasks; readonly entropy: Entropy; readonly signal: AbortSignal } {
    const { node } = this;
    node.up = true;
    node.paused = false;
    this.#draining = false;
    this.#world.trouble();
    this.#sim.log(`start ${this.name}`);
    const random = this.#sim.random(this.name);
    this.#stop = new AbortController();
    return {
      tasks: tasksOf(this.#sim, node),
      entropy: { random: () => random.unit(), secret: (size) => "s".repeat(size) },
      signal: this.#stop.signal,
    };
  }
  #stop = new AbortController();

  /** Builds engine, handlers and workers, as main.ts does. */
  open(foundation: Foundation): void {
    const { catalogue, clock, ids, entropy, tasks, shared, queue } = foundation;
    const { mutant, shape } = this.#world;
    const ledger = mutant.ledger?.(foundation.ledger, tasks) ?? foundation.ledger;
    const { salesMax, buyersMax, batchMax, queueMax, answerTimeoutMs } = shape;
    const changes = new ChangeBoard({ tasks, log: this.log });
    const Board = this.#watchedBoard(mutant.board ?? SaleBoard);
    const inLedger = foundation.records;
    const board = new Board({ records: inLedger, clock, entropy, changes }, { salesMax, buyersMax, shared });
    const products = new ProductCache({ records: inLedger, clock, entropy });
    const bounds = { batchMax, queueMax, answerTimeoutMs };
    const direct = new DirectAcceptance({ ledger, board, clock, tasks, changes }, bounds);
    const ports = { stockLedger: ledger, records: inLedger, board, direct, clock, tasks, entropy, log: this.log };
    const opened = queue && openQueue(queue, ports, { ...bounds, salesMax, buyersMax });
    const accepting = opened?.acceptance ?? direct;
    const acceptance = this.#watched(mutant.acceptance?.(accepting, tasks) ?? accepting);
    const own = this.#world.provider.port(providerName, this.node);
    const provider = mutant.provider?.(own) ?? own;
    const records = opened?.records ?? inLedger;
    const marks = opened && this.#watchedMarks(opened.marks);
    this.parts = {
      clock,
      ids,
      entropy,
      tasks,
      catalogue,
      records,
      board,
      products,
      acceptance,
      changes,
      provider,
      marks,
      queued: opened?.parts,
    };
    const app = this.#createApp({ ...this.parts, deadLetters: opened?.parts.deadLetters }, accepting);
    this.#life = { app, accepting, stop: this.#stop, workers: [] };
    if (this.roles.includes("worker")) this.#startWorkers(foundation, this.parts);
    if (queue !== undefined && opened !== undefined)
      for (const worker of queueLoops(queue, opened.parts, { ...foundation, roles: this.roles, signal: this.#stop.signal }))
        this.keep(worker);
  }

  #createApp(parts: ServerParts & { readonly deadLetters?: DeadLetters | undefined }, accepting: Accepting): App {
    const signing: TokenOptions = { keys: [{ kid: "k1", secret: Buffer.alloc(32, 9) }], issuer: "simulation", entropy: parts.entropy };
    const people = memoryPeople();
    return createApp({
      ...parts,
      options,
      acceptance: Object.assign(parts.acceptance, { waiting: 0, counts: accepting.counts }),
      tokens: createTokens(signing),
      eventTickets: createEventTickets(signing),
      serverKeys,
      revocations: people.revocations,
      people,
      callbackVerifiers,
      isDraining: () => this.#draining,
      isLeaving: () => this.#draining,
      // Nothing is taken out in bulk here.
      exports: new MemoryExports({ tables: emptyTables() }),
      log: this.log,
    });
  }

  #startWorkers({ singleton }: Foundation, parts: ServerParts): void {
    const { mutant } = this.#world;
    const providers = new Map([[parts.provider.name, parts.provider]]);
    const work = { ...parts, clock: mutant.workersClock?.(parts.clock) ?? parts.clock, providers };
    this.keep(runSweeper(work, singleton("sweeper", sweepTickMs)));
    this.keep(runSettler(work, singleton("settler", settleTickMs)));
    this.keep(runRefunder(work, singleton("refunder", refundTickMs)));
    this.keep(runPaymentPoller(work, singleton("payment poller", pollTickMs)));
  }

  /** A loop of this life: one that ends by an error takes the process with it. */
  keep(
    worker: Promise<void>,
    ended: (error: unknown) => void = (error) => this.#sim.violate("assert", `a worker ended: ${String(error)}`),
  ): void {
    const { incarnation } = this.node;
    const watched = worker.catch((error: unknown) => {
      if (this.node.incarnation === incarnation) ended(error);
    });
    this.#life?.workers.push(watched);
  }

  /** As a deployment does it: no new work, answers for what was taken in, then the end. False if it died meanwhile. */
  async drain(): Promise<boolean> {
    const { node } = this;
    const { incarnation } = node;
    const life = this.#life;
    if (life === undefined || this.#draining) return false;
    this.#draining = true;
    this.#world.trouble();
    this.#sim.log(`drain ${this.name}`);
    const drained = life.accepting.drain().then(() => true);
    const isDrained = await Promise.race([
      drained,
      tasksOf(this.#sim, node)
        .sleep(drainTimeoutMs)
        .then(() => false),
    ]);
    life.accepting.close();
    if (node.incarnation !== incarnation) return false;
    this.#sim.check(!isDrained || this.waiting === 0, "I5", () => "a drained server has lines without an answer");
    if (isDrained) this.#sim.probe("drained");
    life.stop.abort();
    await Promise.all(life.workers);
    return node.incarnation === incarnation;
  }

  kill(): void {
    this.#world.trouble();
    this.#sim.kill(this.node);
    this.parts = undefined;
    this.#life = undefined;
  }

  async serve({ method, path, body, headers }: Call): Promise<Reply> {
    // As a socket would have it, so that the handlers take the way they take in production.
    const sent = body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    const all = { ...sent, ...headers };
    const request = new Request(`http://shop.test${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) });
    try {
      const response = await this.#life?.app.fetch(request, { address: "10.0.0.1" });
      if (response === undefined) return { kind: "down", copied: false };
      return { kind: "answer", status: response.status, text: await response.text(), copied: false };
    } catch (error) {
      this.#sim.violate("assert", `a handler threw: ${String(error)}`);
      return { kind: "lost", copied: false };
    }
  }

  /** Notes when a take reached the decider's queue: from then on its key may be accepted any moment. */
  #watched(acceptance: Acceptance): Acceptance {
    const { by } = this;
    return {
      isPending: (saleId, buyerId) => acceptance.isPending(saleId, buyerId),
      submit: (saleId, movements, how) => {
        for (const movement of movements)
          if (movement.kind === "take") this.#world.submitted.set(movement.purchaseId, { atMs: this.#sim.now, by });
        return acceptance.submit(saleId, movements, how);
      },
    };
  }

  /** Tells every refusal in the moment it is given. */
  #watchedBoard(Base: typeof SaleBoard): typeof SaleBoard {
    const hear = (view: SaleView, buyerId: number, refusal: ReturnType<SaleBoard["refuse"]>): void => {
      if (refusal !== undefined) this.#world.refused(this, { saleId: view.sale.id, buyerId, refusal });
    };
    return class extends Base {
      override refuse(view: SaleView, ask: Parameters<SaleBoard["refuse"]>[1]): ReturnType<SaleBoard["refuse"]> {
        const refusal = super.refuse(view, ask);
        hear(view, ask.buyerId, refusal);
        return refusal;
      }
    };
  }

  /** The same of a board that is not built here. */
  #watchedMarks(marks: SaleBoard): SaleBoard {
    const refuse = marks.refuse.bind(marks);
    marks.refuse = (view, ask) => {
      const refusal = refuse(view, ask);
      if (refusal !== undefined) this.#world.refused(this, { saleId: view.sale.id, buyerId: ask.buyerId, refusal });
      return refusal;
    };
    return marks;
  }

  /** A failure that an operator should see is one that we should see. */
  readonly log: Log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (message, fields) => {
      if (!this.#world.expectedErrors.has(message)) this.#sim.violate("assert", `${message}: ${String(fields?.["err"])}`);
    },
  };
}
