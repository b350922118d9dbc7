/**
 * One process's way to the model server: the driver below the production code for database servers, so that its
 * transactions, tries and unknowns are the real ones.
 *
 *   connect ─► statement ─► … ─► COMMIT      each a message there and one back, any of which may be late or never come
 *
 * What a statement does on the server is a `Work`; most are made of SQL (statements.ts), the ledger's own are not.
 */
import { mysql as dialect } from "../../../src/adapters/sql/dialect.ts";
import type { InsertStatement } from "../../../src/adapters/sql/insert-statement.ts";
import { ServerError, type ServerConnection, type ServerDriver, type ServerErrorKind } from "../../../src/adapters/sql/server-driver.ts";
import type { SqlReads, SqlValue } from "../../../src/adapters/sql/sql-transaction.ts";
import { assert } from "../../../src/lib/assert.ts";
import type { CancelTask } from "../../../src/ports/tasks.ts";
import type { SimNode } from "../kernel.ts";
import type { Rng } from "../rng.ts";
import type { Client, ModelServer, Session } from "./model-server.ts";
import { workOf } from "./statements.ts";

export type Result<Value> = { readonly kind: "value"; readonly value: Value } | { readonly kind: "error"; readonly error: ServerErrorKind };
/** Something to do on the server, which calls back once. */
export type Work<Value> = (server: ModelServer, session: Session, done: (result: Result<Value>) => void) => void;

/** The network between one process and the server. */
export type Link = { isCut: boolean };

export type DriverLimits = {
  readonly writesMax: number;
  readonly readsMax: number;
  readonly acquireTimeoutMs: number;
  readonly statementTimeoutMs: number;
};
type Pool = { inUse: number; readonly max: number; readonly idle: Session[]; readonly queue: (() => void)[] };

export class ModelDriver implements ServerDriver {
  readonly dialect = dialect;
  readonly name = "model";
  readonly server: ModelServer;
  readonly node: SimNode;
  readonly incarnation: number;
  readonly link: Link;
  readonly limits: DriverLimits;
  readonly random: Rng;
  readonly client: Client;
  readonly #pools: { readonly write: Pool; readonly read: Pool };
  readonly #sessions = new Set<Session>();

  constructor(deps: { server: ModelServer; node: SimNode; link: Link; limits: DriverLimits }) {
    this.server = deps.server;
    this.node = deps.node;
    this.incarnation = deps.node.incarnation;
    this.link = deps.link;
    this.limits = deps.limits;
    this.client = { name: deps.node.name, number: undefined };
    this.random = deps.server.sim.random(`database of ${deps.node.name}`);
    const pool = (max: number): Pool => ({ inUse: 0, max, idle: [], queue: [] });
    this.#pools = { write: pool(deps.limits.writesMax), read: pool(deps.limits.readsMax) };
  }

  async connect(purpose: "write" | "read"): Promise<ModelConnection> {
    const pool = this.#pools[purpose];
    if (pool.inUse >= pool.max) await this.#turn(pool);
    pool.inUse += 1;
    try {
      const session = pool.idle.pop() ?? (await this.#open());
      return new ModelConnection(this, session, (isGood) => this.#release(pool, session, isGood));
    } catch (error) {
      this.#free(pool);
      throw error;
    }
  }

  /** The process died or ended: its connections end, though the server may not hear of it at once. */
  async close(): Promise<void> {
    for (const session of this.#sessions) this.#leave(session);
    this.#sessions.clear();
  }

  /** Waits for a place in the pool. */
  #turn(pool: Pool): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = this.later(this.limits.acquireTimeoutMs, () => {
        pool.queue.splice(pool.queue.indexOf(go), 1);
        this.server.sim.probe("pool-exhausted");
        reject(new ServerError("unavailable", "no connection was free in time"));
      });
      const go = (): void => {
        late();
        resolve();
      };
      pool.queue.push(go);
    });
  }

  async #open(): Promise<Session> {
    const { server, link, random } = this;
    const { faults } = server;
    const refused = random.chance(faults.unavailable);
    // Silence takes longer than a refusal.
    await new Promise<void>((resolve) => this.later(link.isCut ? this.limits.acquireTimeoutMs : random.around(faults.readMs), resolve));
    if (!link.isCut && server.node.up && !refused) {
      const session = server.open(this.client);
      this.#sessions.add(session);
      return session;
    }
    server.trouble("database-unreachable");
    throw new ServerError("unavailable", "the database cannot be reached");
  }

  #release(pool: Pool, session: Session, isGood: boolean): void {
    if (isGood) pool.idle.push(session);
    else {
      this.#sessions.delete(session);
      this.#leave(session);
    }
    this.#free(pool);
  }

  #free(pool: Pool): void {
    pool.inUse -= 1;
    pool.queue.shift()?.();
  }

  /** Where no word gets through, the server ends what lies about by itself. */
  #leave(session: Session): void {
    if (!this.link.isCut) this.server.leave(session, this.random.around(this.random.chance(0.8) ? 2 : 400));
  }

  /** In this life of the process. */
  later(ms: number, run: () => void): CancelTask {
    return this.server.sim.at(ms, run, this.node, this.incarnation);
  }
}

export class ModelConnection implements ServerConnection {
  readonly dialect = dialect;
  readonly #driver: ModelDriver;
  readonly #session: Session;
  readonly #giveBack: (isGood: boolean) => void;
  #isBroken = false;
  #lose: () => void = () => {};

  constructor(driver: ModelDriver, session: Session, giveBack: (isGood: boolean) => void) {
    this.#driver = driver;
    this.#session = session;
    this.#giveBack = giveBack;
    session.onReset = () => this.#reset();
  }

  async query<Row>(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    // The statement's rows are its handler's; the caller's type is its column list.
    return (await this.run(workOf(sql, params))).rows as readonly Row[];
  }

  async execute(sql: string, params: readonly SqlValue[]): Promise<number> {
    return (await this.run(workOf(sql, params))).matched;
  }

  insert(statement: InsertStatement): Promise<number> {
    throw new Error(`nothing is inserted into "${statement.table}" here`);
  }

  /** Its first statement begins it. */
  async begin(): Promise<void> {}
  beginSnapshot = (): Promise<void> => this.begin();

  async rollback(): Promise<void> {
    await this.run<void>((server, session, done) => {
      server.rollback(session);
      done({ kind: "value", value: undefined });
    });
  }

  release(): void {
    this.#giveBack(!this.#isBroken);
  }

  destroy(): void {
    this.#giveBack(false);
  }

  /** A message there, the work, and a message back. */
  run<Value>(work: Work<Value>): Promise<Value> {
    const { random, server } = this.#driver;
    const { faults } = server;
    const slow = random.chance(faults.slowRead) ? random.around(faults.slowReadMs) : 0;
    const breaks = random.chance(faults.readError);
    return this.#exchange<Value>(random.around(faults.readMs) + slow, (session, answer) =>
      work(server, session, (result) => {
        server.idle(session);
        if (!breaks) return answer(result);
        server.trouble("connection-broke");
        this.#reset();
        server.leave(session, random.around(random.pick([5, 300])));
      }),
    );
  }

  commit(): Promise<void> {
    const { random, server } = this.#driver;
    const { faults } = server;
    const fate = this.#fate();
    let ms = 0.1 + random.around(faults.commitMs);
    if (random.chance(faults.stall)) {
      ms += 300 + random.around(800);
      server.trouble("commit-stalled");
    }
    if (fate === "late") ms += random.around(600);
    return this.#exchange<void>(random.around(faults.readMs), (session, answer) => {
      if (fate !== "committed") server.trouble(`commit-${fate}`);
      if (fate === "conflict" || fate === "lost-before") {
        server.rollback(session);
        server.idle(session);
        return fate === "conflict" ? answer({ kind: "error", error: "conflict" }) : this.#reset();
      }
      if (fate === "late") this.#reset();
      server.commit(session, ms, () => {
        server.idle(session);
        if (fate === "lost-after") return this.#reset();
        answer({ kind: "value", value: undefined });
      });
    });
  }

  #fate(): "committed" | "conflict" | "lost-before" | "lost-after" | "late" {
    const { random, server } = this.#driver;
    const { conflict, syncError, lostCommitReply, lateCommit } = server.faults;
    const drawn = { conflict, "lost-before": syncError, "lost-after": lostCommitReply, late: lateCommit };
    let fate: keyof typeof drawn | "committed" = "committed";
    // Drawn each, so that a class left out moves no other.
    for (const name of ["late", "lost-after", "lost-before", "conflict"] as const) if (random.chance(drawn[name])) fate = name;
    return fate;
  }

  #exchange<Value>(ms: number, work: (session: Session, answer: (result: Result<Value>) => void) => void): Promise<Value> {
    const driver = this.#driver;
    const { server, link, random } = driver;
    const session = this.#session;
    return new Promise((resolve, reject) => {
      let isOpen = true;
      const settle = (end: () => void): void => {
        if (!isOpen) return;
        isOpen = false;
        late();
        end();
      };
      const lose = (): void =>
        settle(() => {
          this.#isBroken = true;
          reject(new ServerError("lost", "the database did not answer"));
        });
      const late = driver.later(driver.limits.statementTimeoutMs, lose);
      this.#lose = lose;
      if (this.#isBroken) return lose();
      const isEarly = random.chance(0.5);
      const arrive = (): void => {
        if (link.isCut) return;
        if (!server.node.up || !session.isOpen) return this.#reset();
        server.busy(session);
        work(session, (result) => {
          if (link.isCut) return;
          driver.later(isEarly ? ms : 0, () =>
            settle(() =>
              result.kind === "value" ? resolve(result.value) : reject(new ServerError(result.error, `the database says ${result.error}`)),
            ),
          );
        });
      };
      if (isEarly) arrive();
      else server.sim.at(ms, arrive, server.node);
    });
  }

  /** The connection is gone, which this end hears of now, later, or by silence. */
  #reset(): void {
    const { random, link } = this.#driver;
    const lose = this.#lose;
    const isSilent = random.chance(0.1);
    const ms = random.around(5);
    if (!isSilent && !link.isCut) this.#driver.later(ms, lose);
  }
}

/** What the model's own code runs on a connection beside SQL. */
export function connectionOf(tx: SqlReads): ModelConnection {
  assert(tx instanceof ModelConnection, "a transaction of the model's driver");
  return tx;
}
