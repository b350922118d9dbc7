/**
 * A Redis that is not there: the memory cache with what a server does besides deciding. It forgets its scripts when it
 * restarts, may come back with older data, may be flushed; calls may be done and their answers lost, or be done late.
 */
import { MemoryCache, type CachedEpoch } from "../../src/adapters/memory/memory-cache.ts";
import type { CutResult } from "../../src/ports/queue-ledger.ts";
import type { AtEpoch, CacheAnswer, ReserveAsk, StockCache } from "../../src/ports/stock-cache.ts";

type NoAnswer = Exclude<CacheAnswer<never>, { readonly kind: "ok" }>;
type Fate = "done" | "answer_lost" | "late" | "refused";
const closed = { kind: "closed" } as const;
const unknown = { kind: "unknown", message: "the cache did not answer" } as const;
const failed = { kind: "failed", message: "the cache is not connected" } as const;

export class ModelRedis implements StockCache {
  readonly server: MemoryCache;
  /** Epochs whose scripts this start of the server knows. */
  readonly #scripts = new Set<string>();
  readonly #late: (() => void)[] = [];
  /** What becomes of the next call; a model of a bad network decides it anew each time. */
  fate: (call: keyof StockCache) => Fate = () => "done";

  constructor(nowMs: () => number) {
    this.server = new MemoryCache(nowMs);
  }

  flush(): void {
    this.server.epochs.clear();
  }

  restart(data: ReadonlyMap<string, CachedEpoch> = this.server.epochs): void {
    const kept = structuredClone(data);
    this.server.epochs.clear();
    for (const [name, epoch] of kept) this.server.epochs.set(name, epoch);
    this.#scripts.clear();
  }

  snapshot(): ReadonlyMap<string, CachedEpoch> {
    return structuredClone(this.server.epochs);
  }

  /** Does what was to be done late. */
  doLate(): void {
    for (const run of this.#late.splice(0)) run();
  }

  reserve = (ask: ReserveAsk) => this.#call("reserve", ask, () => this.server.reserve(ask));
  journaled = (ask: Parameters<StockCache["journaled"]>[0]) => this.#call("journaled", ask, () => this.server.journaled(ask));
  apply = (ask: Parameters<StockCache["apply"]>[0]) => this.#call("apply", ask, () => this.server.apply(ask));
  quote = (ask: Parameters<StockCache["quote"]>[0]) => this.#call("quote", ask, () => this.server.quote(ask));
  look = (ask: Parameters<StockCache["look"]>[0]) => this.#call("look", ask, () => this.server.look(ask));
  accepted = (ask: Parameters<StockCache["accepted"]>[0]) => this.#call("accepted", ask, () => this.server.accepted(ask));
  outbox = (ask: Parameters<StockCache["outbox"]>[0]) => this.#call("outbox", ask, () => this.server.outbox(ask));
  findKey = (ask: Parameters<StockCache["findKey"]>[0]) => this.#call("findKey", ask, () => this.server.findKey(ask));
  records = (ask: Parameters<StockCache["records"]>[0]) => this.#call("records", ask, () => this.server.records(ask));

  load(state: CutResult): Promise<CacheAnswer<void>> {
    return this.#send("load", async () => {
      this.#scripts.add(nameOf({ scopeId: state.scope.id, epoch: state.scope.epoch }));
      return this.server.load(state);
    });
  }

  drop(ask: AtEpoch): Promise<CacheAnswer<void>> {
    return this.#send("drop", () => this.server.drop(ask));
  }

  loaded = () => this.#send("loaded", () => this.server.loaded());

  #call<Answer>(name: keyof StockCache, ask: AtEpoch, run: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    return this.#send(name, async () => (this.#scripts.has(nameOf(ask)) ? run() : closed));
  }

  async #send<Answer>(name: keyof StockCache, run: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    switch (this.fate(name)) {
      case "done":
        return run();
      case "answer_lost":
        await run();
        return unknown;
      case "late":
        this.#late.push(() => void run());
        return unknown;
      case "refused":
        return failed;
    }
  }
}

const nameOf = ({ scopeId, epoch }: AtEpoch) => `${scopeId} ${epoch}`;
