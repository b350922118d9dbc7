/**
 * What every simulated world has: a shop of one or several servers on a store, clients and a provider that reach them over
 * a network which loses, delays and doubles, and an auditor who hears of everything that becomes durable.
 *
 *   clients ──network──► a server ──► engine ──► DirectAcceptance ──► the world's store ──► auditor
 *   provider ─────────────┘               workers ┘
 *
 * What a world adds: the store and how it fails, how many servers there are, and what the nemesis does to them.
 */
import type { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { strangerId, type SaleId } from "../../src/domain/ids.ts";
import type { Refusal } from "../../src/domain/purchase.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { Auditor, type AuditTerms } from "./auditor.ts";
import { groundOf, holds, type AuditedSale, type Moment } from "./auditor-state.ts";
import type { Faults } from "./faults.ts";
import type { Sim, SimNode } from "./kernel.ts";
import { ModelProvider } from "./model-provider.ts";
import type { Mutant } from "./mutants.ts";
import { Recorder } from "./recorder.ts";
import type { Rng } from "./rng.ts";
import { callbackPath, webhookSecret, type Call, type Reply, type Server, type ServerParts } from "./server.ts";
import type { Shape } from "./shape.ts";

/** Virtual time 0, well past the epoch of ids. */
export const epochMs = Date.UTC(2027, 2, 1, 12);
/** What all sales of a run sell. */
export const productIdText = "1001";

export type WorldSetup = { readonly shape: Shape; readonly faults: Faults; readonly mutant: Mutant };
/** When a take reached a decider's queue, and in which life of which server. */
const patienceMs = 5_000;
type Submitted = { readonly atMs: number; readonly by: string };

export abstract class World {
  readonly sim: Sim;
  readonly shape: Shape;
  readonly mutant: Mutant;
  readonly auditor: Auditor;
  readonly provider: ModelProvider;
  readonly recorder: Recorder;
  faults: Faults;
  /** Failures that are meant to come to an operator's eyes. */
  readonly expectedErrors = new Set<string>();
  lastTroubleMs = 0;
  /** The latest time by which any server answered; after a restart with the wall set back it may be earlier again. */
  latestMs = 0;
  readonly submitted = new Map<string, Submitted>();
  /** What memories said no to, by buyer and sale, for who was on the way to being accepted at the time. */
  readonly #refusals = new Map<string, Submitted[]>();
  readonly #network: Rng;

  constructor(sim: Sim, { shape, faults, mutant }: WorldSetup) {
    this.sim = sim;
    this.shape = shape;
    this.faults = faults;
    this.mutant = mutant;
    this.#network = sim.random("network");
    this.auditor = new Auditor(sim, this.terms());
    this.auditor.onAccepted = (id, { saleId, buyer }) => {
      if (!this.memorySpeaksForLines) return;
      const submitted = this.submitted.get(id);
      if (submitted === undefined) return;
      // What waits in one process another cannot know.
      const refused = this.#refusals.get(`${saleId} ${buyer}`)?.some(({ by, atMs }) => by === submitted.by && atMs > submitted.atMs);
      sim.check(refused !== true, "I8", () => `buyer ${buyer} was refused by memory while its purchase ${id} was on its way`);
    };
    this.recorder = new Recorder(sim);
    this.provider = new ModelProvider({
      sim,
      faults: () => this.faults,
      secret: webhookSecret,
      epochMs,
      deliver: async ({ body, headers }) => {
        const reply = await this.send({ method: "POST", path: callbackPath, body, headers });
        return reply.kind === "answer" ? reply.status : undefined;
      },
    });
  }

  abstract readonly store: MemoryStore;
  abstract readonly servers: readonly Server[];
  /** By the clock that decides. */
  abstract nowMs(): number;
  /** Since when that clock has gone steadily. */
  abstract readonly steadySinceMs: number;
  /** Lines without an answer, and writes that wait. */
  abstract readonly waiting: number;
  /** Asked for before the world is there. */
  protected abstract terms(): AuditTerms;
  /** The server that a request comes to. */
  protected abstract route(): Server;
  /** How long the servers' work may stand still after one of them died. */
  abstract readonly takeoverMs: number;
  /** A cache decides, and the ledger settles what it said. */
  readonly cacheDecides: boolean = false;
  /** Whether who is on its way to being accepted is never refused by the memory of its process. */
  get memorySpeaksForLines(): boolean {
    return true;
  }
  /** What the world itself still has to do, beyond its store. */
  unrest(): string | undefined {
    return undefined;
  }
  /** What sleeps while nothing but a deadline is waited for. */
  get sleepers(): readonly SimNode[] {
    return this.running.map(({ node }) => node);
  }
  /** Moments of a sale from which refusals may rightly speak. */
  momentsOf(sale: AuditedSale): readonly Moment[] {
    return sale.diary;
  }
  /** Whether an accepted purchase that was told its buyer may be refused after all. */
  mayRefuseTold(_id: string): boolean {
    return false;
  }
  /** How late listeners may hear of the last change. */
  abstract readonly hearsWithinMs: number;
  abstract start(): void;
  abstract startNemesis(): void;
  /** From now on nothing fails any more. */
  abstract heal(): void;
  /** For how long nothing has gone wrong. */
  abstract healthyForMs(): number;
  /** From now on somebody listens to these sales. */
  listen(_saleIds: readonly SaleId[]): void {}

  /** What must hold of the world beyond its store, when all has come to rest. */
  abstract checkAtRest(): void;

  /** Servers that answer. */
  get running(): readonly Server[] {
    return this.servers.filter(({ parts }) => parts !== undefined);
  }

  trouble(): void {
    this.lastTroubleMs = this.sim.now;
  }

  /** Asks whoever runs, again and again: a slow store may let it wait for too long, and whoever was asked may die. */
  async patiently<Answer>(ask: (parts: ServerParts) => Promise<Answer | undefined>): Promise<Answer> {
    for (;;) {
      const parts = this.running[0]?.parts;
      const answer = parts && (await Promise.race([ask(parts).catch(unlessUnavailable), this.sim.sleep(patienceMs)]));
      // Sleeping says nothing.
      if (answer !== undefined) return answer as Answer;
      await this.sim.sleep(100);
    }
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
    const { sim } = this;
    const server = this.route();
    const { node } = server;
    if (server.parts === undefined) {
      sim.at(this.#delay(), () => answer({ kind: "down", copied: false }));
      return;
    }
    const { incarnation } = node;
    sim.at(
      0,
      () =>
        void server.serve(call).then((reply) => {
          if (node.incarnation !== incarnation) return;
          this.latestMs = Math.max(this.latestMs, this.nowMs());
          if (this.#network.chance(this.faults.loss)) {
            sim.probe("reply-lost");
            return;
          }
          sim.at(this.#delay(), () => answer(reply));
        }),
      node,
    );
  }

  #delay(): number {
    const clogged = this.#network.chance(this.faults.clog) ? this.#network.around(1500) : 0;
    return 0.05 + this.#network.around(this.faults.networkMs) + clogged;
  }

  /** A server's memory says no, in this moment: to nobody who was ever accepted, and from a state that was there. */
  refused(server: Server, ask: { saleId: SaleId; buyerId: number; refusal: Refusal }): void {
    const { sim, auditor } = this;
    const { saleId, buyerId, refusal } = ask;
    const { reason } = refusal;
    const sale = auditor.books.sales.get(saleId);
    if (sale === undefined) return sim.violate("I10", `${server.name} refused "${reason}" in a sale that is not there`);
    const what = () => `the memory of ${server.name} refused buyer ${buyerId} "${reason}"`;
    if (reason === "not_started") return sim.check(sale.firstAcceptedMs > sim.now, "I8", () => `${what()} in a sale that has begun`);
    // Of one sale time never runs back, though the clock may be put back.
    const ground = groundOf(reason, Math.max(this.nowMs(), sale.lastAtMs));
    const stood = this.momentsOf(sale).some(
      (moment) => moment.atMs <= sim.now && moment.replacedMs >= sim.now && ground?.(moment) === true,
    );
    sim.check(stood, "I10", () => `${what()} without a ground`);
    if (buyerId === strangerId || reason === "sale_unknown") return;
    const name = `${saleId} ${buyerId}`;
    this.#refusals.set(name, [...(this.#refusals.get(name) ?? []), { atMs: sim.now, by: server.by }]);
    const accepted = auditor.books.ofBuyer(buyerId).find((purchase) => purchase.sale === sale && holds(purchase));
    sim.check(
      accepted === undefined,
      "I8",
      () => `${what()} who was accepted with ${accepted?.id} ${sim.now - (accepted?.appliedMs ?? 0)} ms ago`,
    );
  }
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailable)) throw error;
}
