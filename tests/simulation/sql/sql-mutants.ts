/**
 * Planted bugs of the sql world, each one that somebody could write: around the production code, never in it. What is
 * harmless by design, like two sweepers at work, is no bug. Nor is to forget what is on its way: of a mark everybody is
 * known who was accepted up to it.
 */
import type { ServerDriver } from "../../../src/adapters/sql/server-driver.ts";
import { refusalToAll } from "../../../src/domain/availability.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import type { Refusal } from "../../../src/domain/purchase.ts";
import type { Sale } from "../../../src/domain/sale.ts";
import { SaleBoard, type HeldLock, type SaleView } from "../../../src/engine/sale-board.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Fence, Leases } from "../../../src/ports/leases.ts";
import type { StockLedger } from "../../../src/ports/stock-ledger.ts";
import { answersBeforeSync, reformsBatch, unknownIsRefused } from "../mutants-acceptance.ts";
import { ForgetsBuyers, RefusesKnownBuyers } from "../mutants-board.ts";
import type { CountedMutant } from "../mutants.ts";

type Ask = Parameters<SaleBoard["refuse"]>[1];
type Deps = ConstructorParameters<typeof SaleBoard>[0];
type Options = ConstructorParameters<typeof SaleBoard>[1];

/** Measures a mark from the answer on: an answer that took long makes it live too long. */
class LeaseFromTheAnswer extends SaleBoard {
  readonly #ownClock: Clock;

  constructor(deps: Deps, options: Options) {
    super(deps, options);
    this.#ownClock = deps.clock;
  }

  override observe(sale: Sale, held?: HeldLock): void {
    super.observe(sale, held && { ...held, sentAtMs: this.#ownClock.nowMs() });
  }
}

/** Takes a copy that it read, or still has, for one that a commit has just found under the lock. */
class ReadsAsMarks extends SaleBoard {
  readonly #ownClock: Clock;

  constructor(deps: Deps, options: Options) {
    super(deps, options);
    this.#ownClock = deps.clock;
  }

  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    const nowMs = this.#ownClock.nowMs();
    super.observe(view.sale, { sentAtMs: nowMs, decidedAtMs: nowMs });
    return super.refuse(view, ask);
  }
}

/** Has the buyers that it read once for all there are: what other processes accepted since is in their log alone. */
class ForgetsTheLog extends SaleBoard {
  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    view.buyersFeed = view.sale.feed;
    return super.refuse(view, ask);
  }
}

/** While a lease lives it says what its own clock makes of the copy: that a sale is over which was live under the lock. */
class EndsByItsOwnClock extends SaleBoard {
  readonly #aliveUntilMs = new Map<SaleId, number>();
  readonly #leaseMs: number;

  constructor(deps: Deps, options: Options) {
    super(deps, options);
    this.#leaseMs = options.shared?.leaseMs ?? 0;
  }

  override observe(sale: Sale, held?: HeldLock): void {
    super.observe(sale, held);
    if (held !== undefined) this.#aliveUntilMs.set(sale.id, held.sentAtMs + this.#leaseMs);
  }

  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    const refusal = refusalToAll(view.sale, ask.nowMs);
    const alive = ask.nowMs < (this.#aliveUntilMs.get(view.sale.id) ?? 0);
    if (refusal === undefined || refusal.reason === "not_started" || !alive) return super.refuse(view, ask);
    view.mark = { refusal, untilMs: ask.nowMs + 1 };
    return super.refuse(view, ask);
  }
}

/** Says "not started" up to the very start, by its own clock. */
class StartsByItsOwnClock extends SaleBoard {
  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    const refusal = refusalToAll(view.sale, ask.nowMs);
    return refusal?.reason === "not_started" ? refusal : super.refuse(view, ask);
  }
}

/** Remembers for seconds that a sale is not there. */
class RemembersAbsence extends SaleBoard {
  readonly #ownClock: Clock;
  readonly #goneUntilMs = new Map<SaleId, number>();

  constructor(deps: Deps, options: Options) {
    super(deps, options);
    this.#ownClock = deps.clock;
  }

  override async load(saleId: SaleId): Promise<SaleView | undefined> {
    if ((this.#goneUntilMs.get(saleId) ?? 0) > this.#ownClock.nowMs()) return undefined;
    const view = await super.load(saleId);
    if (view === undefined) this.#goneUntilMs.set(saleId, this.#ownClock.nowMs() + 3_000);
    return view;
  }
}

/** Reads on from the last row it saw, as if rows showed themselves in the order of their ids. */
function skipsGaps(driver: ServerDriver): ServerDriver {
  return {
    dialect: driver.dialect,
    name: driver.name,
    close: () => driver.close(),
    async connect(purpose) {
      const connection = await driver.connect(purpose);
      const query = connection.query.bind(connection);
      connection.query = async (sql, params) => (sql.includes("WHERE id IN") ? [] : query(sql, params)) as never;
      return connection;
    },
  };
}

const unfenced = (ledger: StockLedger): StockLedger => ({
  batchesAcrossSales: ledger.batchesAcrossSales,
  commit: (batch) => ledger.commit({ ...batch, fence: undefined }),
});

/** Asks for a lease once. */
function believesInItsLease(leases: Leases): Leases {
  const held = new Map<string, Fence>();
  return {
    async hold(name) {
      const fence = held.get(name) ?? (await leases.hold(name));
      if (fence !== undefined) held.set(name, fence);
      return fence;
    },
    giveUp: (fence) => leases.giveUp(fence),
  };
}

/** A machine's own time, which somebody may turn, as a clock that at least never runs back. */
function byTheWall(wallMs: () => number): Clock {
  let latestMs = 0;
  return { nowMs: () => (latestMs = Math.max(latestMs, Math.floor(wallMs()))) };
}

/** By name, with how many seeds may pass before it is caught. */
export const sqlMutants: Readonly<Record<string, CountedMutant>> = {
  "mark-without-end": { shared: (shared) => ({ ...shared, leaseMs: 1e9 }), seedsMax: 60 },
  "reopens-at-once": { cluster: (cluster) => ({ ...cluster, reopenDelayMs: 0 }), seedsMax: 100 },
  "lease-from-the-answer": { board: LeaseFromTheAnswer, seedsFrom: 1_830, seedsMax: 100 },
  "reads-as-marks": { board: ReadsAsMarks, seedsMax: 50 },
  "forgets-the-log": { board: ForgetsTheLog, seedsMax: 100 },
  "forgets-buyers": { board: ForgetsBuyers, seedsMax: 100 },
  "refuses-known-buyers": { board: RefusesKnownBuyers, seedsMax: 50 },
  "ends-by-its-own-clock": { board: EndsByItsOwnClock, seedsMax: 300 },
  // Two layers stand in front of this one, so both are broken.
  "starts-by-the-wall": { board: StartsByItsOwnClock, clock: byTheWall, seedsMax: 50 },
  "remembers-absence": { board: RemembersAbsence, seedsMax: 100 },
  "skips-gaps": { feedDriver: skipsGaps, seedsMax: 100 },
  // As above.
  "fence-unchecked": { ledger: unfenced, leases: believesInItsLease, seedsMax: 300 },
  // As above: numbers, and the chance in where a millisecond's counter starts.
  "ids-without-numbers": { minting: (minting) => ({ ...minting, number: 0 }), startsAtZero: true, seedsMax: 20 },
  "decides-by-its-own-clock": { decide: { byProcessClock: true }, seedsMax: 50 },
  "locks-alone": { decide: { locksAlone: true }, seedsFrom: 380, seedsMax: 40 },
  "unknown-is-refused": { ledger: unknownIsRefused, seedsMax: 100 },
  "reforms-batch": { ledger: reformsBatch, seedsFrom: 240, seedsMax: 100 },
  "answers-before-sync": { ledger: answersBeforeSync, seedsMax: 50 },
};
