/**
 * The embedded world: the production engine, workers and handlers in one process that can be killed, on a model disk,
 * a model wall clock and a model provider, with a network of its own between it and its clients.
 *
 *   clients ──network──► app.fetch ──► engine ──► DirectAcceptance ──► model disk ──► auditor
 *   provider ─────────────┘                workers ┘
 *
 * What survives a kill is the disk; everything else is built anew at the next start, as main.ts would.
 */
import { createServerKeys } from "../../src/adapters/auth/server-keys.ts";
import { createEventTickets } from "../../src/adapters/auth/event-tickets.ts";
import { createTokens, type TokenOptions } from "../../src/adapters/auth/tokens.ts";
import { MemoryExports } from "../../src/adapters/memory/memory-exports.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { emptyTables } from "../../src/adapters/memory/tables.ts";
import { WebhookVerifier } from "../../src/adapters/payment/webhook-signature.ts";
import { SystemClock } from "../../src/adapters/system/system-clock.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import { ChangeBoard } from "../../src/engine/change-board.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { ProductCache } from "../../src/engine/product-cache.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
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
import { pollTickMs, runPaymentPoller } from "../../src/worker/payment-poller.ts";
import { refundTickMs, runRefunder } from "../../src/worker/refunder.ts";
import { runSettler, settleTickMs } from "../../src/worker/settler.ts";
import { runSweeper, sweepTickMs } from "../../src/worker/sweeper.ts";
import { memoryPeople } from "../kit/account-world.ts";
import { Auditor } from "./auditor.ts";
import { healed, type Faults } from "./faults.ts";
import { SimNode, tasksOf, type Sim } from "./kernel.ts";
import { ModelDisk } from "./model-disk.ts";
import { ModelProvider } from "./model-provider.ts";
import type { Mutant } from "./mutants.ts";
import { Recorder } from "./recorder.ts";
import type { Shape } from "./shape.ts";

/** Virtual time 0, well past the epoch of ids. */
export const epochMs = Date.UTC(2027, 2, 1, 12);
export const apiKey = "the-shop-key-of-the-simulation-0";
/** What all sales of a run sell. */
export const productIdText = "1001";
const providerName = "simulated";
const webhookSecret = Buffer.alloc(32, 7);
const serverKeys = createServerKeys([{ id: "shop", issuer: "shop", secret: apiKey }]);
const callbackVerifiers = new Map([[providerName, new WebhookVerifier([webhookSecret])]]);
const httpOptions = { environment: "production", version: "0.0.0", corsOrigins: [], shop: "shop" } as const;

export type ServerParts = {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly entropy: Entropy;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly board: SaleBoard;
  readonly products: ProductCache;
  readonly acceptance: Acceptance;
  readonly provider: PaymentProvider;
};

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

export class World {
  readonly sim: Sim;
  readonly shape: Shape;
  readonly server = new SimNode("server");
  readonly auditor: Auditor;
  readonly disk: ModelDisk;
  readonly provider: ModelProvider;
  readonly recorder: Recorder;
  faults: Faults;
  /** The wall clock's error. */
  wallOffsetMs = 0;
  /** Of the running server. */
  parts: ServerParts | undefined;
  lastTroubleMs = 0;
  /** The latest time by which any server answered; after a restart with the wall set back it may be earlier again. */
  latestMs = 0;
  /** Lines without an answer. */
  waiting: () => number = () => 0;
  /** When the running server started. */
  bornMs = 0;
  readonly submittedMs = new Map<string, number>();
  readonly #mutant: Mutant;
  readonly #network;
  #app: App | undefined;
  #direct: DirectAcceptance | undefined;
  #draining = false;

  constructor(sim: Sim, options: { shape: Shape; faults: Faults; mutant: Mutant }) {
    this.sim = sim;
    this.shape = options.shape;
    this.faults = options.faults;
    this.#mutant = options.mutant;
    this.#network = sim.random("network");
    this.auditor = new Auditor(sim);
    this.recorder = new Recorder(sim);
    this.disk = new ModelDisk({
      sim,
      node: this.server,
      store: new MemoryStore({ steps: options.mutant.steps }),
      faults: () => this.faults,
      observer: this.auditor,
    });
    this.provider = new ModelProvider({
      sim,
      faults: () => this.faults,
      secret: webhookSecret,
      epochMs,
      deliver: async ({ body, headers }) => {
        const reply = await this.send({ method: "POST", path: `/api/v1/payments/callback/${providerName}`, body, headers });
        return reply.kind === "answer" ? reply.status : undefined;
      },
    });
    this.server.up = false;
  }

  /** Builds a server on what the disk holds, as main.ts does. */
  start(): void {
    const { sim, server, disk } = this;
    server.up = true;
    server.paused = false;
    this.trouble();
    sim.log("start server");
    this.bornMs = sim.now;
    const random = sim.random("server");
    const { incarnation } = server;
    const tasks = tasksOf(sim, server);
    const clock = this.#mutant.clock?.(() => this.#wallMs()) ?? this.#clock();
    const entropy: Entropy = { random: () => random.unit(), secret: (size) => "s".repeat(size) };
    const ids = new IdMint({ nowMs: () => clock.nowMs(), random: () => random.unit(), floor: disk.idFloor.toString() });
    const catalogue = disk.catalogue();
    const records = disk.records();
    const wrap = this.#mutant;
    const ledger: StockLedger = wrap.ledger?.(disk.ledger, tasks) ?? disk.ledger;
    const BoardClass = wrap.board ?? SaleBoard;
    const { salesMax, buyersMax, batchMax, queueMax, answerTimeoutMs } = this.shape;
    const changes = new ChangeBoard({ tasks, log: this.#log() });
    const board = new BoardClass({ records, clock, entropy, changes }, { salesMax, buyersMax });
    const products = new ProductCache({ records, clock, entropy });
    const direct = new DirectAcceptance({ ledger, board, clock, tasks, changes }, { batchMax, queueMax, answerTimeoutMs });
    const acceptance = this.#watched(wrap.acceptance?.(direct, tasks) ?? direct);
    const provider = wrap.provider?.(this.provider.port(providerName, server)) ?? this.provider.port(providerName, server);
    this.#direct = direct;
    this.#draining = false;
    this.waiting = () => direct.waiting;
    this.parts = { clock, ids, entropy, catalogue, records, board, products, acceptance, provider };
    const signing: TokenOptions = { keys: [{ kid: "k1", secret: Buffer.alloc(32, 9) }], issuer: "simulation", entropy };
    const options = httpOptions;
    const acceptanceWithGauges = Object.assign(acceptance, { waiting: 0, counts: direct.counts });
    const engine = { board, products, acceptance: acceptanceWithGauges, clock, ids, entropy, changes, tasks, records, catalogue };
    const people = memoryPeople();
    const doors = {
      tokens: createTokens(signing),
      eventTickets: createEventTickets(signing),
      serverKeys,
      revocations: people.revocations,
      people,
      provider,
      callbackVerifiers,
      isLeaving: () => this.#draining,
      isDraining: () => this.#draining,
      // Nothing is taken out in bulk here.
      exports: new MemoryExports({ tables: emptyTables() }),
      log: this.#log(),
    };
    this.#app = createApp({ options, ...engine, ...doors });
    const signal = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
    const providers = new Map([[provider.name, provider]]);
    const loop = (tickMs: number) => ({ tasks, signal, tickMs });
    const work = { records, acceptance, clock: wrap.workersClock?.(clock) ?? clock, ids, products, providers };
    const ends = (worker: Promise<void>): void =>
      void worker.catch((error: unknown) => {
        if (server.incarnation === incarnation) sim.violate("assert", `a worker ended: ${String(error)}`);
      });
    ends(runSweeper(work, loop(sweepTickMs)));
    ends(runSettler(work, loop(settleTickMs)));
    ends(runRefunder(work, loop(refundTickMs)));
    ends(runPaymentPoller(work, loop(pollTickMs)));
  }

  /** As a deployment does it: no new work, answers for what was taken in, then the end. */
  async stop(): Promise<void> {
    const { sim, server } = this;
    const { incarnation } = server;
    if (this.#direct === undefined || this.#draining) return;
    this.#draining = true;
    this.trouble();
    sim.log("drain server");
    await this.#direct.drain();
    if (server.incarnation !== incarnation) return;
    sim.check(this.waiting() === 0, "I5", () => "a drained server has lines without an answer");
    sim.probe("drained");
    this.kill();
  }

  kill(): void {
    this.trouble();
    this.sim.kill(this.server);
    this.disk.crash();
    this.auditor.restarted();
    this.parts = undefined;
    this.#app = undefined;
    this.#direct = undefined;
  }

  /** From now on nothing fails any more. */
  heal(): void {
    this.sim.log("heal");
    this.faults = healed(this.faults);
    this.disk.full = false;
    if (this.server.paused) this.sim.resume(this.server);
    if (!this.server.up) this.start();
    this.trouble();
  }

  trouble(): void {
    this.lastTroubleMs = this.sim.now;
  }

  /** For how long nothing has gone wrong. */
  healthyForMs(): number {
    if (!this.server.up || this.server.paused || this.disk.full) return 0;
    return this.sim.now - Math.max(this.lastTroubleMs, this.disk.lastTroubleMs);
  }

  /** A request over the network; never rejects. */
  async send(call: Call, timeoutMs = 3000): Promise<Reply> {
    const { sim, faults } = this;
    const random = this.#network;
    const keyed = call.headers?.["idempotency-key"] !== undefined;
    const copies = keyed && random.chance(faults.duplicate) ? 2 : 1;
    if (copies > 1) sim.probe("request-duplicated");
    return new Promise((resolve) => {
      const stop = sim.at(timeoutMs, () => resolve({ kind: "lost", copied: copies > 1 }));
      const answer = (reply: Reply): void => {
        stop();
        resolve(reply);
      };
      for (let copy = 0; copy < copies; copy++) {
        if (random.chance(this.faults.loss)) {
          sim.probe("request-lost");
          continue;
        }
        sim.at(this.#delay(), () => this.#arrive(call, (reply) => answer({ ...reply, copied: copies > 1 })));
      }
    });
  }

  #arrive(call: Call, answer: (reply: Reply) => void): void {
    const { sim, server } = this;
    if (!server.up) {
      sim.at(this.#delay(), () => answer({ kind: "down", copied: false }));
      return;
    }
    const { incarnation } = server;
    sim.at(
      0,
      () =>
        void this.#serve(call).then((reply) => {
          if (server.incarnation !== incarnation) return;
          this.latestMs = Math.max(this.latestMs, this.parts?.clock.nowMs() ?? 0);
          if (this.#network.chance(this.faults.loss)) {
            sim.probe("reply-lost");
            return;
          }
          sim.at(this.#delay(), () => answer(reply));
        }),
      server,
    );
  }

  async #serve({ method, path, body, headers }: Call): Promise<Reply> {
    // As a socket would have it, so that the handlers take the way they take in production.
    const sent = body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    const all = { ...sent, ...headers };
    const request = new Request(`http://shop.test${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) });
    try {
      const response = await this.#app?.fetch(request, { address: "10.0.0.1" });
      if (response === undefined) return { kind: "down", copied: false };
      return { kind: "answer", status: response.status, text: await response.text(), copied: false };
    } catch (error) {
      this.sim.violate("assert", `a handler threw: ${String(error)}`);
      return { kind: "lost", copied: false };
    }
  }

  /** Notes when a take reached the decider's queue: from then on its key may be accepted any moment. */
  #watched(acceptance: Acceptance): Acceptance {
    return {
      isPending: (saleId, buyerId) => acceptance.isPending(saleId, buyerId),
      submit: (saleId, movements) => {
        for (const movement of movements) if (movement.kind === "take") this.submittedMs.set(movement.purchaseId, this.sim.now);
        return acceptance.submit(saleId, movements);
      },
    };
  }

  /** A failure that an operator should see is one that we should see. */
  #log(): Log {
    const ignore = (): void => {};
    return {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (message, fields) => this.sim.violate("assert", `${message}: ${String(fields?.["err"])}`),
    };
  }

  #delay(): number {
    const clogged = this.#network.chance(this.faults.clog) ? this.#network.around(1500) : 0;
    return 0.05 + this.#network.around(this.faults.networkMs) + clogged;
  }

  #wallMs(): number {
    return epochMs + this.sim.now + this.wallOffsetMs;
  }

  #clock(): Clock {
    return new SystemClock({
      notBeforeMs: this.#mutant.forgetsTime === true ? 0 : this.disk.lastAtMs,
      wallMs: () => this.#wallMs(),
      monotonicMs: () => this.sim.now,
      onJump: () => this.sim.probe("clock-jumped"),
    });
  }
}
