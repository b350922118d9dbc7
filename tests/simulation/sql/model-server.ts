/**
 * The database server that all processes share: committed rows, locks, transactions that end one way or the other, and a
 * clock of its own. It knows sessions, not processes; how they are reached is the driver's business (model-driver.ts).
 *
 *   begin ─► locks, what is to be written ─► COMMIT ─► [ takes its time ] ─► applied: durable, seen by all, locks let go
 *                                                │
 *                                  connection ended before: taken back · meanwhile: applied all the same (a zombie)
 *                                  server killed meanwhile: kept or lost, nobody was told
 *
 * Invariant: what was answered as committed is never lost, and a read sees what is committed. Time within a sale never
 * runs back, whatever the clock does. Ids of the change log are taken before COMMIT, so rows show themselves in another order.
 */
import type { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import type { Faults } from "../faults.ts";
import { SimNode, type Sim } from "../kernel.ts";
import type { CancelTask } from "../../../src/ports/tasks.ts";
import type { Rng } from "../rng.ts";
import type { StoreObserver } from "../store-observer.ts";
import { epochMs } from "../world.ts";
import { Locks, type Mode } from "./locks.ts";

export type LeaseRow = { readonly term: number; readonly holder: number; readonly untilMs: number };
export type ProcessRow = {
  readonly number: number;
  readonly life: string;
  readonly roles: string;
  readonly startedMs: number;
  readonly untilMs: number;
};
export type LogRow = {
  readonly id: number;
  readonly saleId: SaleId;
  readonly feed: number;
  readonly buyers: string | null;
  /** When it was there to be read. */
  readonly committedMs: number;
};

export type ServerTerms = {
  /** Seconds of its clock in a second. */
  readonly rate: number;
  /** How long a statement waits for a lock. */
  readonly lockTimeoutMs: number;
  /** How long a transaction may lie about without a statement. */
  readonly idleTimeoutMs: number;
};

/** A process, with its number once it has one. */
export type Client = { readonly name: string; number: number | undefined };

/** One connection as the server sees it. */
export class Session {
  readonly client: Client;
  isOpen = true;
  /** A statement is being worked at. */
  isBusy = false;
  /** To be ended when the statement is done. */
  isLeft = false;
  effects: (() => void)[] = [];
  /** COMMIT is being worked at: makes it durable. */
  committing: (() => void) | undefined;
  /** Ends a transaction that lies about. */
  cancelIdle: CancelTask = () => {};
  /** Tells the other end that the connection is gone. */
  onReset: () => void = () => {};

  constructor(client: Client) {
    this.client = client;
  }
}

export class ModelServer {
  readonly node = new SimNode("database");
  readonly store: MemoryStore;
  readonly observer: StoreObserver;
  locks = new Locks();
  readonly leases = new Map<string, LeaseRow>();
  readonly processes = new Map<number, ProcessRow>();
  readonly log = new Map<number, LogRow>();
  readonly lastAtMs = new Map<SaleId, number>();
  idFloor = 0n;
  /** What could not be kept can be kept from now on. */
  isCured = false;
  lastTroubleMs = 0;
  /** Since when the clock has gone steadily. */
  steadySinceMs = 0;
  readonly sim: Sim;
  readonly random: Rng;
  readonly #faults: () => Faults;
  readonly #sessions = new Set<Session>();
  readonly #terms: ServerTerms;
  #logId = 0;
  #offsetMs = 0;
  #shownMs = 0;

  constructor(deps: { sim: Sim; store: MemoryStore; observer: StoreObserver; faults: () => Faults; terms: ServerTerms }) {
    this.sim = deps.sim;
    this.store = deps.store;
    this.observer = deps.observer;
    this.#faults = deps.faults;
    this.#terms = deps.terms;
    this.random = deps.sim.random("database");
  }

  get faults(): Faults {
    return this.#faults();
  }

  nowMs(): number {
    return Math.floor(epochMs + this.sim.now * this.#terms.rate + this.#offsetMs);
  }

  /** The latest time that it ever showed. */
  latestMs(): number {
    return Math.max(this.#shownMs, this.nowMs());
  }

  /** The clock is put elsewhere. */
  step(byMs: number): void {
    this.#shownMs = this.latestMs();
    this.#offsetMs += byMs;
    this.steadySinceMs = this.sim.now;
    this.sim.log(`the database's clock goes ${byMs}`);
  }

  /** Processes that answer buyers and count as alive. */
  livingApis(): readonly { readonly number: number; readonly life: string }[] {
    const nowMs = this.nowMs();
    return [...this.processes.values()].filter(({ roles, untilMs }) => roles.includes("api") && untilMs > nowMs);
  }

  open(client: Client): Session {
    const session = new Session(client);
    this.#sessions.add(session);
    return session;
  }

  /** Locks rows for a transaction, or says why not. */
  lock(session: Session, keys: readonly string[], mode: Mode, done: (answer: "granted" | "conflict") => void): void {
    const late = this.sim.at(
      this.#terms.lockTimeoutMs,
      () => {
        if (!this.locks.isWaiting(session)) return;
        this.locks.cancel(session);
        this.sim.probe("lock-timed-out");
        done("conflict");
      },
      this.node,
    );
    this.locks.ask(session, keys, mode, (answer) => {
      late();
      if (answer === "deadlock") this.sim.probe("deadlock");
      done(answer === "granted" ? "granted" : "conflict");
    });
    if (this.locks.isWaiting(session)) this.sim.probe("lock-waited");
  }

  noteId(id: string): void {
    const value = BigInt(id);
    if (value > this.idFloor) this.idFloor = value;
  }

  takeLogId(): number {
    return ++this.#logId;
  }

  /** COMMIT has arrived; `done` when it is durable. */
  commit(session: Session, ms: number, done: () => void): void {
    const { effects } = session;
    session.effects = [];
    session.committing = () => {
      session.committing = undefined;
      for (const effect of effects) effect();
    };
    const apply = (): void => {
      session.committing?.();
      this.locks.release(session);
      done();
    };
    this.sim.at(ms, apply, this.node);
  }

  rollback(session: Session): void {
    session.effects = [];
    this.locks.release(session);
  }

  /** The other end is gone, and the server hears of it. What it is working at it ends. */
  leave(session: Session, afterMs: number): void {
    this.sim.at(
      afterMs,
      () => {
        session.isLeft = true;
        if (!session.isBusy) this.#end(session);
      },
      this.node,
    );
  }

  /** A statement has come. */
  busy(session: Session): void {
    session.isBusy = true;
    session.cancelIdle();
  }

  /** A statement was done. */
  idle(session: Session): void {
    session.isBusy = false;
    if (session.isLeft) return this.#end(session);
    if (session.effects.length === 0 && !this.locks.holds(session)) return;
    const end = (): void => {
      this.trouble("transaction-lay-about");
      this.#end(session);
    };
    session.cancelIdle = this.sim.at(this.#terms.idleTimeoutMs, end, this.node);
  }

  #end(session: Session): void {
    if (!session.isOpen) return;
    session.isOpen = false;
    this.#sessions.delete(session);
    this.rollback(session);
  }

  /** Dies with everything that is not durable. Of what was being made durable nobody knows. */
  kill(): void {
    this.trouble();
    for (const session of this.#sessions) {
      session.isOpen = false;
      session.onReset();
      if (session.committing === undefined) continue;
      const kept = this.random.chance(0.5);
      this.sim.probe(kept ? "crash-kept-unanswered" : "crash-lost-unanswered");
      if (kept) session.committing();
    }
    this.#sessions.clear();
    this.locks = new Locks();
    this.sim.kill(this.node);
    // Numbers that a sequence had in hand are not given out again.
    this.#logId += this.random.pick([0, 0, 1, 32]);
  }

  start(): void {
    this.trouble();
    this.node.up = true;
    this.sim.log("start database");
  }

  trouble(probe?: string): void {
    this.lastTroubleMs = this.sim.now;
    if (probe !== undefined) this.sim.probe(probe);
  }
}
