/**
 * The sql world: several processes that answer and several that work, on one database server that all share, behind a
 * balancer that sends every request to any of them.
 *
 *   clients ──network──► balancer ──► an API process ─┐
 *   provider ───────────────┘         workers (leases) ┴──links──► model server ──► auditor
 */
import { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import { assert } from "../../../src/lib/assert.ts";
import type { AuditTerms } from "../auditor.ts";
import type { ServerDatabase } from "../../../src/adapters/sql/server-database.ts";
import type { Membership } from "../../../src/adapters/sql/server-processes.ts";
import { healed } from "../faults.ts";
import type { Sim } from "../kernel.ts";
import type { Mutant } from "../mutants.ts";
import type { Rng } from "../rng.ts";
import type { Server } from "../server.ts";
import type { Cluster, Shape } from "../shape.ts";
import { World, type WorldSetup } from "../world.ts";
import type { FeedWitness } from "./feed-witness.ts";
import { fencing } from "./fencing.ts";
import { ModelServer } from "./model-server.ts";
import { Process, type ProcessQueue } from "./process.ts";
import { SqlNemesis } from "./sql-nemesis.ts";
import { watch, type Watcher } from "./watchers.ts";

const hearsWithinMs = 2_000;
/** Between two tries of a loop whose store does not answer. */
const pauseMaxMs = 2_000;
/** The pace of a clock that is led back. */
const slowestPace = 0.5;

export class SqlWorld extends World {
  readonly database: ModelServer;
  readonly processes: readonly Process[];
  readonly servers: readonly Server[];
  readonly store: MemoryStore;
  /** A lease runs out, and whoever waits for it asks again. */
  readonly takeoverMs = 12_000;
  /** Every id that was ever minted. */
  readonly minted = new Set<string>();
  readonly watchers: Watcher[] = [];
  readonly witnesses: FeedWitness[] = [];
  saleIds: readonly SaleId[] = [];
  readonly #balancer: Rng;

  constructor(sim: Sim, setup: WorldSetup) {
    super(sim, setup);
    this.store = this.createStore();
    this.#balancer = sim.random("balancer");
    this.database = new ModelServer({
      sim,
      store: this.store,
      observer: fencing(this, this.auditor),
      faults: () => this.faults,
      terms: this.cluster,
    });
    const named = (role: "api" | "worker", count: number) =>
      Array.from({ length: count }, (_, i) => new Process(this, `${role} ${i + 1}`, [role]));
    this.processes = [...named("api", this.cluster.apis), ...named("worker", this.cluster.workers)];
    this.servers = this.processes.map(({ server }) => server);
  }

  /** What a process needs beside the database, in a world where a cache decides. */
  openQueue(_ask: QueueAsk): Promise<ProcessQueue | undefined> {
    return Promise.resolve(undefined);
  }

  get cluster(): Cluster {
    return clusterOf(this.shape, this.mutant);
  }

  protected createStore(): MemoryStore {
    return new MemoryStore({ batchesAcrossSales: false });
  }

  get waiting(): number {
    return this.servers.reduce((sum, server) => sum + server.waiting, 0);
  }

  get steadySinceMs(): number {
    return this.database.steadySinceMs;
  }

  /** Two seconds, once what was asked before all was well has been answered or given up. */
  get hearsWithinMs(): number {
    const givenUpMs = this.lastTroubleMs + this.shape.answerTimeoutMs + pauseMaxMs;
    return hearsWithinMs + Math.max(0, givenUpMs - this.sim.now);
  }

  nowMs(): number {
    return this.database.nowMs();
  }

  start(): void {
    this.database.start();
    for (const process of this.processes) process.start();
  }

  startNemesis(): void {
    new SqlNemesis(this).start();
  }

  override listen(saleIds: readonly SaleId[]): void {
    this.saleIds = saleIds;
    for (const server of this.servers) if (server.parts !== undefined && server.roles.includes("api")) watch(this, server, server.parts);
  }

  heal(): void {
    const { sim, database } = this;
    sim.log("heal");
    this.faults = healed(this.faults);
    if (!database.node.up) database.start();
    for (const process of this.processes) {
      const { node } = process.server;
      process.link.isCut = false;
      if (node.paused) sim.resume(node);
      if (!node.up) process.start();
    }
    this.trouble();
  }

  healthyForMs(): number {
    const isWell = ({ server, link }: Process): boolean =>
      server.parts !== undefined && !server.node.paused && !server.isDraining && !link.isCut;
    if (!this.database.node.up || !this.processes.every(isWell)) return 0;
    return this.sim.now - Math.max(this.lastTroubleMs, this.database.lastTroubleMs);
  }

  checkAtRest(): void {
    const living = new Set(this.servers.filter(({ parts, roles }) => parts !== undefined && roles.includes("api")).map(({ by }) => by));
    for (const witness of this.witnesses) if (living.has(witness.by)) witness.checkAtRest();
    for (const { by, what, heard, last } of this.watchers)
      if (living.has(by)) this.sim.check(heard() === last(), "push", () => `${by} told last of ${what}: ${heard()}, it is ${last()}`);
  }

  protected override terms(): AuditTerms {
    const { leaseMs, reopenDelayMs } = clusterOf(this.shape, this.mutant);
    return { markLifeMs: leaseMs / slowestPace, reopenDelayMs, decidersNowMs: () => this.database.latestMs() };
  }

  /** Any of those that answer; one that is down is found out by asking, half of the time. */
  protected route(): Server {
    const apis = this.servers.filter(({ roles }) => roles.includes("api"));
    const chosen = this.#balancer.pick(apis);
    if (chosen.parts !== undefined || this.#balancer.chance(0.5)) return chosen;
    return this.#balancer.pick(apis.filter(({ parts }) => parts !== undefined).concat(chosen));
  }
}

export type QueueAsk = { readonly process: Process; readonly database: ServerDatabase; readonly membership: Membership };

export function clusterOf({ cluster }: Shape, mutant: Mutant): Cluster {
  assert(cluster !== undefined, "a world of several processes draws how many there are");
  return mutant.cluster?.(cluster) ?? cluster;
}
