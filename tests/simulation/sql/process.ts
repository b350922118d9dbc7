/**
 * One process of the sql world: its server, its clocks, its way to the database, and its place among the others. Built at
 * each start as modes/sql.ts, modes/engine.ts and modes/loops.ts build it; a supervisor starts it again when it has died.
 */
import { measureClock } from "../../../src/adapters/sql/server-clock.ts";
import { ServerChangeFeed } from "../../../src/adapters/sql/server-change-feed.ts";
import { ServerDatabase, type RetryPace } from "../../../src/adapters/sql/server-database.ts";
import { ServerLeases } from "../../../src/adapters/sql/server-leases.ts";
import { ServerLedger } from "../../../src/adapters/sql/server-ledger.ts";
import { processNumberBits, registerProcess, type Membership } from "../../../src/adapters/sql/server-processes.ts";
import { SystemClock } from "../../../src/adapters/system/system-clock.ts";
import { IdMint } from "../../../src/domain/id-mint.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Ids } from "../../../src/ports/ids.ts";
import { StoreUnavailable } from "../../../src/ports/store-unavailable.ts";
import { changesTickMs, runChangeFollower } from "../../../src/worker/change-follower.ts";
import type { LoopOptions } from "../../../src/worker/loop.ts";
import { clockTickMs, idsOf, membershipTickMs, NumberLost, runClockFollower, runMembership } from "../../../src/worker/sharing.ts";
import type { QueueFoundation } from "../rabbitmq/queue-engine.ts";
import { Server, type Foundation, type Role } from "../server.ts";
import { epochMs } from "../world.ts";
import { FeedWitness } from "./feed-witness.ts";
import { connectionOf, ModelDriver, type Link } from "./model-driver.ts";
import { modelCatalogue, modelDecide, modelRecords } from "./model-store.ts";
import type { SqlWorld } from "./sql-world.ts";
import { watch } from "./watchers.ts";

/** A supervisor looks away for so long. */
const restartAfterMs = 300;

type Extent = { readonly idFloor: string; readonly lastAtMs: number };
/** What a world gives a process whose sales a cache decides. */
export type ProcessQueue = {
  readonly foundation: QueueFoundation;
  /** Instead of the membership's own. */
  readonly renew: () => Promise<boolean>;
  /** The process leaves, or has died. */
  readonly leave: () => void;
  readonly die: () => void;
};
type Opened = Extent & { readonly database: ServerDatabase; readonly membership: Membership; readonly feed: FeedWitness };

export class Process {
  readonly server: Server;
  readonly link: Link = { isCut: false };
  /** The wall clock's error, which nothing here should mind, and how much faster than time this machine's clocks go. */
  wallOffsetMs = 0;
  readonly #rate: number;
  readonly #world: SqlWorld;
  #driver: ModelDriver | undefined;
  #leave: (() => Promise<void>) | undefined;
  #queue: ProcessQueue | undefined;
  /** The database's time minus what the monotonic clock shows, as last measured. */
  #offsetMs = 0;

  constructor(world: SqlWorld, name: string, roles: readonly Role[]) {
    this.#world = world;
    this.server = new Server(world, name, roles);
    const random = world.sim.random(`clock of ${name}`);
    this.wallOffsetMs = random.pick([0, random.int(-500, 500), random.int(-86_400_000, 86_400_000)]);
    this.#rate = 1 + random.pick([0, 1e-4, -1e-4]);
  }

  start(): void {
    const life = this.server.begin();
    void this.#open(life).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable))
        return this.#world.sim.violate("assert", `${this.server.name} does not start: ${String(error)}`);
      this.#world.sim.probe("start-failed");
      this.kill();
      this.restart(restartAfterMs);
    });
  }

  /** As a supervisor does, unless somebody else was quicker. */
  restart(afterMs: number): void {
    this.#world.sim.at(afterMs, () => {
      if (!this.server.node.up) this.start();
    });
  }

  /** As a deployment does it. */
  async stop(): Promise<void> {
    if (!(await this.server.drain())) return;
    const { incarnation } = this.server.node;
    this.#queue?.leave();
    await this.#leave?.().catch(() => undefined);
    if (this.server.node.incarnation === incarnation) this.kill();
  }

  kill(): void {
    this.server.kill();
    void this.#driver?.close();
    this.#queue?.die();
    this.#queue = undefined;
    this.#driver = undefined;
    this.#leave = undefined;
  }

  readonly monotonicMs = (): number => this.#world.sim.now * this.#rate;

  async #open({ tasks, entropy, signal }: ReturnType<Server["begin"]>): Promise<void> {
    const world = this.#world;
    const { cluster, mutant } = world;
    const { writesMax, readsMax } = cluster;
    const limits = { writesMax, readsMax, acquireTimeoutMs: 1_000, statementTimeoutMs: world.shape.answerTimeoutMs };
    const driver = new ModelDriver({ server: world.database, node: this.server.node, link: this.link, limits });
    this.#driver = driver;
    const pace: RetryPace = { random: () => entropy.random(), sleep: (ms) => tasks.sleep(ms) };
    const database = new ServerDatabase(driver, pace);
    const opened = await this.#join(database, driver, pace);
    const { membership, feed } = opened;
    driver.client.number = membership.number;
    this.#leave = () => membership.leave();
    const clock = this.#clock(opened);
    const loop = (_: string, tickMs: number): LoopOptions => ({ tasks, signal, tickMs });
    const leases = new ServerLeases(database, membership.number, this.monotonicMs);
    const queue = await world.openQueue({ process: this, database, membership });
    this.#queue = queue;
    const shared = { feed, leaseMs: cluster.leaseMs, edgeMs: cluster.edgeMs };
    const foundation: Foundation = {
      clock,
      entropy,
      tasks,
      ids: this.#ids(clock, opened, () => (mutant.startsAtZero === true ? 0 : entropy.random())),
      catalogue: modelCatalogue(database, world.database),
      records: modelRecords(database, world.store),
      ledger: new ServerLedger(
        database,
        { reopenDelayMs: cluster.reopenDelayMs, queue: cluster.queue },
        modelDecide({ ...mutant.decide, steps: mutant.steps }),
      ),
      queue: queue?.foundation,
      shared: mutant.shared?.(shared) ?? shared,
      loop,
      singleton: (name, tickMs) => ({ ...loop(name, tickMs), lease: { leases: mutant.leases?.(leases) ?? leases, name } }),
    };
    this.server.open(foundation);
    const renewing = { renew: queue?.renew ?? (() => membership.renew()) };
    this.server.keep(runMembership(renewing, loop("membership", membershipTickMs)), (error) => this.#died(error));
    this.server.keep(runClockFollower(() => this.#measure(database), loop("clock follower", clockTickMs)));
    const { parts } = this.server;
    if (!this.server.roles.includes("api") || parts === undefined) return;
    this.server.keep(runChangeFollower({ ...parts, changeFeed: feed }, loop("change follower", changesTickMs)));
    watch(world, this.server, parts);
  }

  /** What it must know of the store before it can begin. */
  async #join(database: ServerDatabase, driver: ModelDriver, pace: RetryPace): Promise<Opened> {
    const world = this.#world;
    const extent = await database.read((db) =>
      connectionOf(db).run<Extent>(({ idFloor }, _, done) => done({ kind: "value", value: { idFloor: idFloor.toString(), lastAtMs: 0 } })),
    );
    const { name, roles } = this.server;
    const { numbers } = world.cluster;
    const membership = await registerProcess(
      database,
      { name, roles, version: "0.0.0", secrets: "" },
      { nowMs: this.monotonicMs, numbers },
    );
    await this.#measure(database);
    const reading = world.mutant.feedDriver?.(driver);
    const feed = new ServerChangeFeed(reading === undefined ? database : new ServerDatabase(reading, pace), this.monotonicMs);
    const heard = new FeedWitness(world, this.server, feed);
    await heard.next();
    world.sim.log(`${this.server.name} is number ${membership.number}`);
    return { ...extent, database, membership, feed: heard };
  }

  async #measure(database: ServerDatabase): Promise<void> {
    const { offsetMs } = await measureClock(database, { ownMs: this.monotonicMs });
    this.#offsetMs = offsetMs;
  }

  #clock({ lastAtMs }: Extent): Clock {
    const planted = this.#world.mutant.clock?.(() => epochMs + this.monotonicMs() + this.wallOffsetMs);
    if (planted !== undefined) return planted;
    return new SystemClock({
      notBeforeMs: lastAtMs,
      wallMs: () => this.monotonicMs() + this.#offsetMs,
      monotonicMs: this.monotonicMs,
      follows: true,
      onJump: () => this.#world.sim.violate("assert", "a clock that follows took what it follows for a jump"),
    });
  }

  /** No id is ever minted twice, and none under a number that is another's now. */
  #ids(clock: Clock, { idFloor, membership }: Opened, random: () => number): Ids {
    const world = this.#world;
    const { sim, database, mutant, minted } = world;
    const { number } = membership;
    const life = database.processes.get(number)?.life;
    const minting = { number, bits: processNumberBits };
    const own = new IdMint({ nowMs: () => clock.nowMs(), random, floor: idFloor, process: mutant.minting?.(minting) ?? minting });
    const mint = idsOf(membership, own);
    return {
      mint: () => {
        const id = mint.mint();
        sim.check(!minted.has(id), "ids", () => `${this.server.name} minted ${id}, which was minted before`);
        minted.add(id);
        const holder = database.processes.get(number)?.life;
        sim.check(holder === life, "ids", () => `${this.server.name} minted ${id} under a number that is another's now`);
        return id;
      },
    };
  }

  /** Its number is another's: it ends, and is started again. */
  #died(error: unknown): void {
    const { sim } = this.#world;
    if (!(error instanceof NumberLost)) return sim.violate("assert", `a worker ended: ${String(error)}`);
    sim.probe("number-lost");
    this.kill();
    this.restart(restartAfterMs);
  }
}
