/**
 * The cache server that all processes share: a Redis as it is met. It decides by the domain's own decision (memory-cache.ts)
 * and, beyond that, goes wrong: it forgets its scripts when it starts, comes back with less than it had, is flushed, is
 * replaced by a copy that lags behind, stands still; its answers are lost, and calls are done long after they were asked.
 *
 *   call ─► on its way ─► (the server's turn) one step ─► on its way back ─► answer
 *             │ late: done after the caller gave up           │ lost: done, and nobody heard
 *
 * Invariant: a call is one step, done once or never, at any time after it was sent.
 */
import { MemoryCache, type CachedEpoch } from "../../../src/adapters/memory/memory-cache.ts";
import type { PurchaseId, SaleId } from "../../../src/domain/ids.ts";
import type { CutResult } from "../../../src/ports/queue-ledger.ts";
import type {
  AtEpoch,
  CacheAnswer,
  ReserveAsk,
  ReserveLine,
  ReserveReply,
  SaleAnswer,
  StockCache,
} from "../../../src/ports/stock-cache.ts";
import type { Faults } from "../faults.ts";
import { SimNode, type Sim } from "../kernel.ts";
import type { Rng } from "../rng.ts";

type Data = ReadonlyMap<string, CachedEpoch>;
type NoAnswer = Exclude<CacheAnswer<never>, { readonly kind: "ok" }>;
export type CacheCall = keyof StockCache;

const callTimeoutMs = 1_000;
const loadTimeoutMs = 30_000;
/** So often it writes its log to disk, and so far behind a copy of it may be. */
const syncEveryMs = 1_000;
const copiesMax = 3;
const closed = { kind: "closed" } as const;
const unknown = { kind: "unknown", message: "the cache did not answer" } as const;
const failed = { kind: "failed", message: "the cache is not connected" } as const;

/** `lost`: it never arrives. `unheard`: it is done, and its answer is lost. `lateMs`: it is done so much later. */
export type CallFate = "lost" | "unheard" | { readonly lateMs: number };

export type CacheTerms = {
  /** Every write is on its disk before its answer; else once a second. */
  readonly syncsAlways: boolean;
  /** A planted bug: what knows the epoch lives as long as the data. */
  readonly keepsScripts?: boolean | undefined;
};

/** Hears of every step in the moment it is done. */
export type CacheWitness = {
  readonly accepted: (id: PurchaseId) => void;
  readonly refused: (saleId: SaleId, line: Pick<ReserveLine, "buyerId" | "key">, reason: string) => void;
  /** A sale as the cache has it now. */
  readonly sees: (saleId: SaleId, at: AtEpoch) => void;
};

export class CacheServer {
  readonly node = new SimNode("cache");
  readonly memory: MemoryCache;
  readonly sim: Sim;
  /** How often anything of it was lost. */
  losses = 0;
  /** A test's word on what becomes of the next call, instead of chance. */
  onCall: (call: CacheCall, client: string) => CallFate | undefined = () => undefined;
  witness: CacheWitness = { accepted: () => undefined, refused: () => undefined, sees: () => undefined };
  readonly #terms: CacheTerms;
  readonly #scripts = new Set<string>();
  /** What was on disk, or with a copy, the latest last. */
  #copies: Data[] = [];

  constructor(sim: Sim, { nowMs, terms }: { nowMs: () => number; terms: CacheTerms }) {
    this.sim = sim;
    this.memory = new MemoryCache(nowMs);
    this.#terms = terms;
    this.node.up = false;
  }

  start(): void {
    this.node.up = true;
    this.sim.log("start cache");
    const sync = (): void => {
      this.#copies.push(structuredClone(this.memory.epochs));
      if (this.#copies.length > copiesMax) this.#copies.shift();
      this.sim.at(syncEveryMs, sync, this.node);
    };
    sync();
  }

  /** Dies; with what is on its disk it will come back. */
  kill(): void {
    const kept = this.#terms.syncsAlways ? this.memory.epochs : (this.#copies.at(-1) ?? new Map());
    this.sim.kill(this.node);
    this.#comesBackWith(kept);
  }

  /** Another server, with a copy that lags behind, answers from now on, and nobody's connection shows it. */
  promote(lag: number): void {
    this.sim.log("promote cache");
    this.#comesBackWith(this.#copies.at(-1 - lag) ?? this.#copies[0] ?? new Map());
  }

  flush(): void {
    this.sim.log("flush cache");
    this.losses += 1;
    this.memory.epochs.clear();
  }

  #comesBackWith(data: Data): void {
    this.losses += 1;
    const kept = structuredClone(data);
    this.memory.epochs.clear();
    for (const [name, epoch] of kept) this.memory.epochs.set(name, epoch);
    if (this.#terms.keepsScripts !== true) this.#scripts.clear();
  }

  knows(ask: AtEpoch): boolean {
    return this.#scripts.has(nameOf(ask));
  }

  learn(state: CutResult): void {
    this.#scripts.add(nameOf({ scopeId: state.scope.id, epoch: state.scope.epoch }));
  }
}

/** One process's connection to it. */
export class CacheClient implements StockCache {
  readonly #server: CacheServer;
  readonly #node: SimNode;
  readonly #incarnation: number;
  readonly #faults: () => Faults;
  readonly #random: Rng;
  readonly #link: { readonly isCut: boolean };

  constructor(server: CacheServer, client: { node: SimNode; link: { readonly isCut: boolean }; faults: () => Faults }) {
    this.#server = server;
    this.#node = client.node;
    this.#incarnation = client.node.incarnation;
    this.#faults = client.faults;
    this.#link = client.link;
    this.#random = server.sim.random(`cache of ${client.node.name}`);
  }

  async reserve(ask: ReserveAsk): Promise<SaleAnswer<ReserveReply>> {
    const { memory, witness } = this.#server;
    return this.#call("reserve", ask, async () => {
      const answer = memory.reserveNow(ask);
      if (answer.kind === "ok")
        for (const [index, outcome] of answer.value.outcomes.entries()) {
          const line = ask.lines[index];
          if (line === undefined) continue;
          if (outcome.kind === "accepted") witness.accepted(line.purchaseId);
          if (outcome.kind === "refused" && ask.readmit !== true) witness.refused(ask.saleId, line, outcome.refusal.reason);
        }
      witness.sees(ask.saleId, ask);
      return answer;
    });
  }

  apply(ask: Parameters<StockCache["apply"]>[0]): ReturnType<StockCache["apply"]> {
    const { memory, witness } = this.#server;
    return this.#call("apply", ask, async () => {
      const answer = await memory.apply(ask);
      witness.sees(ask.row.patch.saleId, ask);
      return answer;
    });
  }

  load(state: CutResult): Promise<CacheAnswer<void>> {
    const { memory, witness } = this.#server;
    const at = { scopeId: state.scope.id, epoch: state.scope.epoch };
    return this.#send("load", async () => {
      this.#server.learn(state);
      const answer = await memory.load(state);
      for (const { sale } of state.sales) witness.sees(sale.id, at);
      return answer;
    });
  }

  quote = (ask: Parameters<StockCache["quote"]>[0]) =>
    this.#call("quote", ask, async () => {
      const answer = await this.#server.memory.quote(ask);
      this.#server.witness.sees(ask.saleId, ask);
      return answer;
    });
  drop = (ask: AtEpoch) => this.#send("drop", () => this.#server.memory.drop(ask));
  loaded = () => this.#send("loaded", () => this.#server.memory.loaded());
  journaled = (ask: Parameters<StockCache["journaled"]>[0]) => this.#call("journaled", ask, () => this.#server.memory.journaled(ask));
  look = (ask: Parameters<StockCache["look"]>[0]) => this.#call("look", ask, () => this.#server.memory.look(ask));
  accepted = (ask: Parameters<StockCache["accepted"]>[0]) => this.#call("accepted", ask, () => this.#server.memory.accepted(ask));
  outbox = (ask: Parameters<StockCache["outbox"]>[0]) => this.#call("outbox", ask, () => this.#server.memory.outbox(ask));
  findKey = (ask: Parameters<StockCache["findKey"]>[0]) => this.#call("findKey", ask, () => this.#server.memory.findKey(ask));
  records = (ask: Parameters<StockCache["records"]>[0]) => this.#call("records", ask, () => this.#server.memory.records(ask));

  /** A script of an epoch that this start of the server was not given is not known to it. */
  #call<Answer>(name: CacheCall, ask: AtEpoch, run: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    return this.#send(name, async () => (this.#server.knows(ask) ? run() : closed));
  }

  #send<Answer>(name: CacheCall, run: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    const random = this.#random;
    const faults = this.#faults();
    const { sim, node } = this.#server;
    // Each is drawn, so that a class left out moves no other.
    const drawn = {
      isLost: random.chance(faults.cacheLost),
      isUnheard: random.chance(faults.cacheUnheard),
      isLate: random.chance(faults.cacheLate),
    };
    const there = 0.05 + random.around(faults.cacheMs);
    const back = 0.05 + random.around(faults.cacheMs);
    const drawnLateMs = random.around(random.pick([400, 2_000, 4_000]));
    const told = this.#server.onCall(name, this.#node.name);
    const isLost = drawn.isLost || told === "lost";
    const isUnheard = drawn.isUnheard || told === "unheard";
    const isLate = drawn.isLate || typeof told === "object";
    const lateMs = typeof told === "object" ? told.lateMs : drawnLateMs;
    const timeoutMs = name === "load" || name === "drop" ? loadTimeoutMs : callTimeoutMs;
    return new Promise((resolve, reject) => {
      const later = (ms: number, then: () => void) => sim.at(ms, then, this.#node, this.#incarnation);
      if (!node.up && !this.#link.isCut) return void later(there, () => resolve(failed));
      const giveUp = later(timeoutMs, () => {
        sim.probe(`cache-silent ${name}`);
        resolve(unknown);
      });
      const lost = (): void => void later(random.around(5), () => (giveUp(), resolve(unknown)));
      if (isLost || this.#link.isCut) return;
      if (isLate) sim.probe(`cache-late ${name}`);
      const serverLife = node.incarnation;
      sim.at(
        there + (isLate ? lateMs : 0),
        () => {
          if (node.incarnation !== serverLife || !node.up) return lost();
          // Done now; what it answers is on its way.
          void run().then(
            (answer) => {
              if (isUnheard) sim.probe(`cache-unheard ${name}`);
              if (isUnheard || this.#link.isCut) return;
              later(back, () => (giveUp(), resolve(answer)));
              // The client could not read what it was to send.
            },
            (error: unknown) => void later(back, () => (giveUp(), reject(error))),
          );
        },
        node.up ? node : undefined,
      );
    });
  }
}

const nameOf = ({ scopeId, epoch }: AtEpoch) => `${scopeId} ${epoch}`;
