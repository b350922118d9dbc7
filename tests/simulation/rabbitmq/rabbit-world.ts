/**
 * The rabbitmq world: a cache decides, a broker carries, and the database server of the sql world settles; several processes
 * answer and several work, and each of the servers between them fails in its own ways.
 *
 *   clients ─► an API process ─► model cache ─► model broker ─► a worker ─► model server ─► auditor
 *                                   ▲──────────── feeder, opener, relay, reconciler ────┘
 *
 * Judge is the ledger, as in the other worlds; beyond that nobody who was told yes is forgotten, the cache has what the
 * ledger has when all is quiet, and everything comes to rest by itself.
 */
import { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import { ServerPresence } from "../../../src/adapters/sql/server-presence.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import type { AtEpoch } from "../../../src/ports/stock-cache.ts";
import { assert } from "../../../src/lib/assert.ts";
import type { AuditTerms } from "../auditor.ts";
import { noteMoment, type AuditedSale, type Moment } from "../auditor-state.ts";
import type { Sim, SimNode } from "../kernel.ts";
import type { QueueShape } from "../shape.ts";
import type { ProcessQueue } from "../sql/process.ts";
import { clusterOf, SqlWorld, type QueueAsk } from "../sql/sql-world.ts";
import type { WorldSetup } from "../world.ts";
import { BrokerServer } from "./model-broker.ts";
import { CacheClient, CacheServer } from "./model-cache.ts";
import { ModelJournal } from "./model-journal.ts";
import { modelQueueLedger, type LivingNow } from "./model-queue.ts";
import { RabbitNemesis } from "./rabbit-nemesis.ts";

/** How long what is in a memory may be older than the cache. */
type Diary = Pick<AuditedSale, "diary" | "available" | "held" | "paused" | "phase" | "endsAtMs">;

export class RabbitWorld extends SqlWorld {
  readonly cache: CacheServer;
  readonly broker: BrokerServer;
  override readonly cacheDecides = true;
  /** When the cache accepted each purchase first. */
  readonly cacheAccepted = new Map<string, number>();
  readonly #diaries = new Map<string, Moment[]>();
  #livingNow: LivingNow | undefined;

  constructor(sim: Sim, setup: WorldSetup) {
    super(sim, setup);
    const { queue } = this;
    const terms = { syncsAlways: queue.syncsAlways, keepsScripts: this.mutant.cache?.keepsScripts };
    this.cache = new CacheServer(sim, { nowMs: () => this.database.nowMs(), terms });
    this.cache.witness = {
      accepted: (id) => {
        if (!this.cacheAccepted.has(id)) this.cacheAccepted.set(id, sim.now);
      },
      refused: (saleId, { buyerId, key }, reason) => this.auditor.books.refuse(buyerId, { atMs: sim.now, saleId, key, reason }),
      sees: (saleId, at) => this.#see(saleId, at),
    };
    if (this.mutant.queue?.waitsForNobody === true) this.database.livingApis = () => [];
    this.broker = new BrokerServer(sim, queue, () => this.faults);
  }

  get queue(): QueueShape {
    const { queue } = this.cluster;
    assert(queue !== undefined, "a world with a cache draws what is between the processes");
    return queue;
  }

  /** Whoever was accepted and whose line came late may be refused meanwhile: its cache was lost, or it was taken for dead. */
  override get memorySpeaksForLines(): boolean {
    return false;
  }

  override start(): void {
    this.cache.start();
    this.broker.start();
    super.start();
  }

  override startNemesis(): void {
    new RabbitNemesis(this).start();
  }

  override heal(): void {
    const { sim, cache, broker } = this;
    for (const { node } of [cache, broker]) if (node.paused) sim.resume(node);
    if (!cache.node.up) cache.start();
    if (!broker.node.up) broker.start();
    if (broker.isBlocked) broker.unblock();
    super.heal();
  }

  override healthyForMs(): number {
    const isWell = [this.cache, this.broker].every(({ node }) => node.up && !node.paused) && !this.broker.isBlocked;
    return isWell && this.unrest() === undefined ? super.healthyForMs() : 0;
  }

  override get sleepers(): readonly SimNode[] {
    return [...super.sleepers, this.cache.node, this.broker.node];
  }

  override momentsOf(sale: AuditedSale): readonly Moment[] {
    return [...sale.diary, ...(this.#diaries.get(sale.id) ?? [])];
  }

  /** Told lines stand before every mark, so a cache that is lost takes none of them along. */
  override mayRefuseTold(id: string): boolean {
    const reason = this.auditor.lines.refusedFor.get(id);
    return reason === "sale_cancelled" || reason === "discarded" || this.auditor.lines.mayDrift;
  }

  override unrest(): string | undefined {
    const { tables } = this.store;
    if (this.broker.depth > 0) return `${this.broker.depth} messages`;
    for (const { id, state } of tables.purchases.values()) if (state === "queued") return `line ${id}`;
    const nowMs = this.nowMs();
    for (const scope of tables.scopes.values()) {
      const sales = [...tables.sales.values()].filter(({ scopeId }) => scopeId === scope.id);
      const sells = sales.some(({ phase, endsAtMs }) => phase === "published" && endsAtMs > nowMs);
      if (scope.state === "closing" || scope.state === "opening" || (sells && scope.state !== "open"))
        return `scope ${scope.id}, ${scope.state}`;
      if (scope.state !== "open") continue;
      const cached = this.cache.memory.epochs.get(`${scope.id} ${scope.epoch}`);
      if (cached === undefined || !this.cache.knows({ scopeId: scope.id, epoch: scope.epoch })) return `the cache of scope ${scope.id}`;
      if (cached.feed !== scope.feed) return `the feed of scope ${scope.id}`;
      if (cached.outbox.size > 0) return `the outbox of scope ${scope.id}`;
    }
    return undefined;
  }

  override checkAtRest(): void {
    super.checkAtRest();
    const { tables } = this.store;
    this.sim.check(tables.deadLetters.size === 0, "QL7", () => `${tables.deadLetters.size} letters are left`);
    for (const scope of tables.scopes.values()) {
      const cached = this.cache.memory.epochs.get(`${scope.id} ${scope.epoch}`);
      if (scope.state !== "open" || cached === undefined) continue;
      for (const [saleId, { sale }] of cached.sales) {
        const kept = tables.sales.get(saleId);
        if (kept === undefined || kept.phase === "cancelled") continue;
        const [mine, theirs] = [sale.balances.available, kept.balances.available];
        this.sim.check(mine === theirs, "QE8", () => `the cache has ${mine} units of sale ${saleId}, the ledger ${theirs}`);
        this.sim.check(
          sale.paused === kept.paused && sale.endsAtMs === kept.endsAtMs,
          "QL4",
          () => `the cache has old switches of sale ${saleId}`,
        );
      }
      this.#checkUnits(scope.id, cached.units);
    }
  }

  /** Of each buyer the cache counts what the ledger counts. */
  #checkUnits(scopeId: string, cached: ReadonlyMap<number, number>): void {
    const { books } = this.auditor;
    const sale = [...books.sales.values()].find(({ id }) => this.store.tables.sales.get(id as SaleId)?.scopeId === scopeId);
    if (sale === undefined) return;
    for (const buyer of new Set([...books.byBuyer.keys(), ...cached.keys()])) {
      const [mine, theirs] = [cached.get(buyer) ?? 0, books.unitsOf(buyer, sale)];
      this.sim.check(
        mine === theirs,
        "QE8",
        () => `the cache counts ${mine} units of buyer ${buyer} in scope ${scopeId}, the ledger ${theirs}`,
      );
    }
  }

  override async openQueue({ process, database, membership }: QueueAsk): Promise<ProcessQueue> {
    const { mutant, cluster } = this;
    const { node } = process.server;
    const client = { node, link: process.link };
    const journal = new ModelJournal(this.broker, client);
    const { partitions, outboxMax } = this.queue;
    const { leaseMs, edgeMs, reopenDelayMs } = cluster;
    try {
      const presence = await ServerPresence.open(membership, process.monotonicMs);
      const planted = mutant.queue ?? {};
      const cache = new CacheClient(this.cache, { ...client, faults: () => this.faults });
      const livingNow = this.#living();
      const ledger = modelQueueLedger({ database, server: this.database, partitions, livingNow, decide: mutant.steps?.decide });
      return {
        foundation: {
          ledger: planted.ledger?.(ledger) ?? ledger,
          cache: planted.cache?.(cache) ?? cache,
          journal: planted.journal?.(journal) ?? journal,
          source: planted.source?.(journal) ?? journal,
          presence: planted.presence?.(presence) ?? presence,
          partitions,
          terms: {
            outboxMax,
            marks: { leaseMs: planted.leaseMs ?? leaseMs, edgeMs },
            reopenDelayMs: planted.reopenDelayMs ?? reopenDelayMs,
          },
        },
        renew: () => presence.renew(),
        leave: () => journal.close(),
        die: () => journal.die(),
      };
    } catch (error) {
      journal.die();
      throw error;
    }
  }

  protected override createStore(): MemoryStore {
    const { partitions } = clusterOf(this.shape, this.mutant).queue ?? { partitions: 1 };
    return new MemoryStore({ batchesAcrossSales: false, queue: { partitions, living: () => this.#living().living() } });
  }

  protected override terms(): AuditTerms {
    const scopeOf = (saleId: string) => {
      const scopeId = this.store.tables.sales.get(saleId as SaleId)?.scopeId;
      return scopeId && this.store.tables.scopes.get(scopeId);
    };
    return { ...super.terms(), scopeOf };
  }

  /** Asked for while the sql world is being made. */
  #living(): LivingNow {
    return (this.#livingNow ??= { living: () => this.database.livingApis() });
  }

  /** The sale as it stands in the cache now, if that is the epoch which stands. */
  #see(saleId: SaleId, { scopeId, epoch }: AtEpoch): void {
    const cached = this.cache.memory.epochs.get(`${scopeId} ${epoch}`)?.sales.get(saleId);
    if (cached === undefined) return;
    const { balances, paused, endsAtMs, phase } = cached.sale;
    let diary = this.#diaries.get(saleId);
    if (diary === undefined) this.#diaries.set(saleId, (diary = []));
    const now: Diary = { diary, available: balances.available, held: balances.held, paused, endsAtMs, phase };
    // A memory's mark is of a call that was sent before, and lives so long after it.
    const { leaseMs } = this.cluster;
    noteMoment(now, this.sim.now, leaseMs / 0.5);
  }
}
