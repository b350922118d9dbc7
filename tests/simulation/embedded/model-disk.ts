/**
 * The store as the engine meets it: the memory store behind a disk that takes its time and fails in every way a disk may.
 *
 *   write ─► queue ─► [ time, stall ] ─► applied and durable ─► reply
 *                          │                    └ lost: unknown        sync error: unknown, may or may not be there
 *                          └ crash: kept or lost, nobody was told      late: unknown, and there only before the next write
 *
 * Invariant: what was answered as committed is never lost, and what a read shows is durable. Everything the port calls
 * `unknown` may have happened or not; everything it calls `failed` did not.
 */
import type { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import type { Catalogue } from "../../../src/ports/catalogue.ts";
import type { Records } from "../../../src/ports/records.ts";
import type { LedgerBatch, StockLedger } from "../../../src/ports/stock-ledger.ts";
import { StoreUnavailable } from "../../../src/ports/store-unavailable.ts";
import type { Faults } from "../faults.ts";
import type { Sim, SimNode } from "../kernel.ts";
import { isPoisoned } from "../poison.ts";
import type { Rng } from "../rng.ts";
import { observedCatalogue, type Committed, type StoreObserver } from "../store-observer.ts";

type Failure = { readonly kind: "failed"; readonly cause: "storage_full" | "bad_line" | "unavailable"; readonly message: string };
type WriteResult = { readonly kind: "done" } | Failure | { readonly kind: "unknown"; readonly message: string };
type Write = { readonly name: string; readonly apply: () => Failure | undefined; readonly reply: (result: WriteResult) => void };

/** Also hears when the engine was told that a batch is durable. */
export interface DiskObserver extends StoreObserver {
  told(batch: LedgerBatch): void;
}

const stallMaxMs = 6_000;

export class ModelDisk {
  readonly store: MemoryStore;
  full = false;
  lastTroubleMs = 0;
  /** The largest id and the latest time of commit in the store, for the next start. */
  idFloor = 0n;
  lastAtMs = 0;
  readonly #sim: Sim;
  readonly #node: SimNode;
  readonly #random: Rng;
  readonly #faults: () => Faults;
  readonly #observer: DiskObserver;
  readonly #queue: Write[] = [];
  #busy: Write | undefined;
  #late: Write[] = [];

  constructor(deps: { sim: Sim; node: SimNode; store: MemoryStore; faults: () => Faults; observer: DiskObserver }) {
    this.#sim = deps.sim;
    this.#node = deps.node;
    this.store = deps.store;
    this.#faults = deps.faults;
    this.#observer = deps.observer;
    this.#random = deps.sim.random("disk");
  }

  /** Writes that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The process died: nobody was told of the write that was under way, so it may be there or not. */
  crash(): void {
    for (const write of [...this.#late, ...(this.#busy === undefined ? [] : [this.#busy])]) {
      const kept = this.#random.chance(0.5);
      this.#sim.probe(kept ? "crash-kept-unanswered" : "crash-lost-unanswered");
      if (kept) write.apply();
    }
    this.#late = [];
    this.#busy = undefined;
    this.#queue.length = 0;
  }

  readonly ledger: StockLedger = {
    batchesAcrossSales: true,
    commit: async (batch) => {
      let committed: Committed | undefined;
      const result = await this.#write("commit", () => {
        if (isPoisoned(batch)) return { kind: "failed", cause: "bad_line", message: "a line cannot be kept" };
        committed = this.#commit(batch);
        return undefined;
      });
      if (result.kind !== "done") return result;
      this.#observer.told(batch);
      return committed ?? { kind: "unknown", message: "the store gave no result" };
    },
  };

  /** Writes outside the acceptance path. */
  catalogue(): Catalogue {
    return observedCatalogue({
      store: this.store,
      observer: this.#observer,
      noteId: (id) => this.#noteId(id),
      write: ({ name }, apply) => this.#change(name, apply),
      read: (run) => this.#read(async () => run()),
    });
  }

  records(): Records {
    const reading: ProxyHandler<MemoryStore> = {
      get: (store, name) => {
        // Only methods of the Records port are asked for through its type, and all of those give promises.
        const method = Reflect.get(store, name) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => this.#read(() => method.apply(store, args));
      },
    };
    return new Proxy(this.store, reading);
  }

  #commit(batch: LedgerBatch): Committed {
    const result = this.store.commitNow(batch);
    this.lastAtMs = Math.max(this.lastAtMs, batch.nowMs);
    for (const group of batch.groups)
      for (const movement of group.movements) {
        if ("purchaseId" in movement) this.#noteId(movement.purchaseId);
        if ("paymentId" in movement) this.#noteId(movement.paymentId);
        if ("refundId" in movement) this.#noteId(movement.refundId);
        if ("adjustmentId" in movement) this.#noteId(movement.adjustmentId);
      }
    this.#observer.committed(batch, result, batch.nowMs);
    return result;
  }

  #noteId(id: string): void {
    const value = BigInt(id);
    if (value > this.idFloor) this.idFloor = value;
  }

  async #change<Result>(name: string, apply: () => Result): Promise<Result> {
    let kept: { result: Result } | undefined;
    const written = await this.#write(name, () => {
      kept = { result: apply() };
      return undefined;
    });
    if (written.kind === "unknown") throw new StoreUnavailable("unknown", written.message);
    if (written.kind === "failed")
      throw new StoreUnavailable(written.cause === "storage_full" ? "storage_full" : "unavailable", written.message);
    if (kept === undefined) throw new StoreUnavailable("unknown", "the store gave no result");
    return kept.result;
  }

  async #read<Result>(run: () => Promise<Result>): Promise<Result> {
    const faults = this.#faults();
    const wait = (): Promise<void> => {
      const slow = this.#random.chance(faults.slowRead) ? this.#random.around(60) : 0;
      return this.#sim.sleep(this.#random.around(faults.readMs) + slow, this.#node);
    };
    await wait();
    if (this.#random.chance(faults.readError)) {
      this.#trouble("read-error");
      throw new StoreUnavailable("unavailable", "a read failed");
    }
    const result = await run();
    // The answer travels too: what it says may be old when it arrives.
    await wait();
    return result;
  }

  #write(name: string, apply: () => Failure | undefined): Promise<WriteResult> {
    return new Promise((reply) => {
      this.#queue.push({ name, apply, reply });
      if (this.#busy === undefined) this.#next();
    });
  }

  #next(): void {
    const write = this.#queue.shift();
    this.#busy = write;
    if (write === undefined) return;
    const faults = this.#faults();
    let ms = 0.1 + this.#random.around(faults.commitMs);
    if (this.#random.chance(faults.stall)) {
      ms += Math.min(stallMaxMs, 500 + this.#random.around(2000));
      this.#trouble("sync-stalled");
      this.lastTroubleMs += ms;
    }
    this.#sim.at(ms, () => this.#finish(write), this.#node);
  }

  #finish(write: Write): void {
    for (const late of this.#late.splice(0)) late.apply();
    const result = this.#outcome(write);
    this.#sim.log(`disk ${write.name} ${result.kind}${result.kind === "failed" ? ` ${result.cause}` : ""}`);
    this.#busy = undefined;
    // After a failed sync the store is opened anew, and what it shows then is durable.
    if (result.kind === "unknown") this.#sim.at(this.#random.around(100), () => this.#wake(), this.#node);
    else this.#next();
    write.reply(result);
  }

  #wake(): void {
    if (this.#busy === undefined) this.#next();
  }

  #outcome(write: Write): WriteResult {
    const faults = this.#faults();
    const random = this.#random;
    if (this.full) return this.#failed("storage_full");
    if (random.chance(faults.unavailable)) return this.#failed("unavailable");
    const unknown = (probe: string): WriteResult => {
      this.#trouble(probe);
      return { kind: "unknown", message: probe };
    };
    if (random.chance(faults.lateCommit)) {
      this.#late.push(write);
      return unknown("commit-late");
    }
    if (random.chance(faults.syncError)) {
      if (random.chance(0.5)) return unknown("sync-error-lost");
      write.apply();
      return unknown("sync-error-kept");
    }
    const failure = write.apply();
    if (failure !== undefined) return failure;
    return random.chance(faults.lostCommitReply) ? unknown("commit-reply-lost") : { kind: "done" };
  }

  #failed(cause: "storage_full" | "unavailable"): WriteResult {
    this.#trouble(cause === "storage_full" ? "disk-full" : "store-unavailable");
    return { kind: "failed", cause, message: cause };
  }

  #trouble(probe: string): void {
    this.#sim.probe(probe);
    this.lastTroubleMs = this.#sim.now;
  }
}
