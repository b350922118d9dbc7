/** What a run sells and who comes for it: drawn per seed, widely. */
import { markLeaseMs, reopenDelayMs, startEdgeMs } from "../../src/modes/sql.ts";
import type { Faults } from "./faults.ts";
import { Rng } from "./rng.ts";
import { scenarios, type Scenario } from "./model-provider.ts";

export type SaleShape = {
  readonly stock: number;
  readonly limit: number;
  readonly payWindowMs: number;
  readonly payExtensionsMax: number;
  readonly startsInMs: number;
  readonly lastsMs: number;
  readonly grouped: boolean;
  readonly refundedUnitsCount: boolean;
  readonly priceMinor: number;
};

/** Of a world in which a cache decides and a broker carries. */
export type QueueShape = {
  readonly partitions: number;
  /** Messages that a reader holds. */
  readonly prefetch: number;
  /** So long the broker believes in a silent connection. */
  readonly heartbeatMs: number;
  /** Whether the cache has every write on its disk before it answers. */
  readonly syncsAlways: boolean;
  readonly outboxMax: number;
};

/** Of a world of several processes on one database. */
export type Cluster = {
  readonly apis: number;
  readonly workers: number;
  /** How long a memory may refuse, how long acceptance waits after it must not, and how close before a start nobody is refused. */
  readonly leaseMs: number;
  readonly reopenDelayMs: number;
  readonly edgeMs: number;
  readonly writesMax: number;
  readonly readsMax: number;
  /** Seconds of the database's clock in a second. */
  readonly rate: number;
  readonly lockTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Processes that the database can tell apart. */
  readonly numbers: number;
  /** How long a process is stopped that is stopped for long. */
  readonly stopMs: number;
  /** When a sale is made that buyers ask for before; undefined where all are there from the beginning. */
  readonly lateSaleInMs: number | undefined;
  readonly queue?: QueueShape | undefined;
};

export type Shape = {
  readonly cluster?: Cluster | undefined;
  readonly sales: readonly SaleShape[];
  readonly buyers: number;
  /** Share of the buyers with a token of their own. */
  readonly comesAlone: number;
  /** Share of the buyers with a quota of their own. */
  readonly vips: number;
  /** Mean time until a buyer comes, after the first sale's start. */
  readonly rushMs: number;
  readonly intentsMax: number;
  readonly keyed: number;
  readonly doubleClick: number;
  readonly repeatsLate: number;
  readonly changesPayload: number;
  readonly pays: number;
  readonly cancels: number;
  /** Share of orders whose buyers ask for more time to pay. */
  readonly extends: number;
  /** How payments go, drawn from this. */
  readonly scenarios: readonly Scenario[];
  /** Mean time between acts of the operator; Infinity without one. */
  readonly operatorGapMs: number;
  readonly cancelsSales: boolean;
  /** Mean time until a refused or unanswered buyer asks again; undefined where buyers lose patience by and by. */
  readonly againMs: number | undefined;
  readonly faultsForMs: number;
  readonly timeoutMs: number;
  readonly batchMax: number;
  readonly queueMax: number;
  readonly answerTimeoutMs: number;
  readonly salesMax: number;
  readonly buyersMax: number;
  /** Units of the product beyond what its sales are published with; undefined where the shop keeps count elsewhere. */
  readonly spare: number | undefined;
};

export function drawShape(seed: number, crowding: boolean): Shape {
  const random = new Rng(seed, "shape");
  const extending = new Rng(seed, "extensions");
  const stock = random.pick([1, 2, 3, 6, 12]);
  const limit = random.pick([1, 1, 2, 3]);
  const faultsForMs = random.pick([1500, 3000, 6000]);
  const grouped = random.chance(0.3);
  const sales: SaleShape[] = [];
  for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
    sales.push({
      stock: stock + random.int(0, 2),
      limit,
      payWindowMs: random.pick([1000, 1500, 4000]),
      payExtensionsMax: extending.pick([0, 1, 2]),
      startsInMs: random.int(0, 600),
      lastsMs: random.chance(0.3) ? random.int(500, faultsForMs) : 60_000,
      grouped,
      refundedUnitsCount: random.chance(0.6),
      priceMinor: random.int(100, 9999),
    });
  }
  const crowd = random.pick([1, 1.5, 3]);
  return {
    sales,
    buyers: Math.min(30, Math.max(3, Math.round(stock * sales.length * crowd))),
    comesAlone: random.pick([0, 0.5]),
    vips: random.pick([0, 0, 0.3]),
    rushMs: random.pick([5, 150, 1500]),
    intentsMax: random.pick([1, 2, 3]),
    keyed: random.pick([1, 1, 0.8, 0.3]),
    doubleClick: random.pick([0, 0.2, 0.6]),
    repeatsLate: random.pick([0.1, 0.4]),
    changesPayload: random.pick([0, 0.15]),
    pays: random.pick([0.3, 0.7, 0.95]),
    cancels: random.pick([0, 0.2, 0.6]),
    extends: extending.pick([0, 0.2, 0.4]),
    scenarios: drawScenarios(random),
    operatorGapMs: random.pick([Infinity, 1500, 400]),
    cancelsSales: random.chance(0.2),
    againMs: undefined,
    faultsForMs,
    timeoutMs: random.pick([400, 1500, 3000]),
    batchMax: random.pick([1, 2, 8, 64]),
    queueMax: crowding ? random.pick([2, 4]) : 1000,
    answerTimeoutMs: random.pick([200, 1000, 2500]),
    salesMax: crowding ? random.pick([1, 2]) : 100,
    buyersMax: crowding ? random.pick([1, 3]) : 10_000,
    spare: random.chance(0.6) ? random.int(0, 4) : undefined,
  };
}

/** Marks as they live in production; in some runs shorter or longer, in the same proportion. */
const marks = { leaseMs: markLeaseMs, reopenDelayMs, edgeMs: startEdgeMs };
const scaled = (by: number) => ({ leaseMs: marks.leaseMs * by, reopenDelayMs: marks.reopenDelayMs * by, edgeMs: marks.edgeMs * by });

/** A lease lives 10 s, the number of a process 65 s. */
const stops = { lease: 12_000, number: 68_000 };

export function clustered(shape: Shape, seed: number, faults: Faults): Shape {
  const random = new Rng(seed, "cluster");
  const isLong = faults.on.has("long_stop");
  const stopMs = random.chance(0.25) ? stops.number : stops.lease;
  const cluster: Cluster = {
    apis: random.pick([2, 2, 3]),
    workers: random.pick([1, 2, 2]),
    ...random.pick([marks, marks, marks, marks, scaled(0.4), scaled(2)]),
    writesMax: random.pick([1, 3, 6]),
    readsMax: random.pick([1, 4]),
    rate: random.pick([1, 1 + 1e-4, 1 - 1e-4]),
    lockTimeoutMs: random.pick([150, 1_000, 4_000]),
    idleTimeoutMs: random.pick([1_500, 6_000]),
    numbers: 1_024,
    stopMs,
    lateSaleInMs: random.chance(0.3) ? random.int(0, 1_500) : undefined,
  };
  // What processes may get wrong between them shows where a sale is sold out and opens again while few ask on and on.
  const stock = random.pick([1, 1, 2]);
  const faultsForMs = random.pick([1_500, 2_500]);
  const grouped = random.chance(0.5);
  const endsSoon = random.chance(0.4);
  const hotSale = (sale: SaleShape): SaleShape => {
    const lastsMs = random.int(300, faultsForMs);
    return { ...sale, stock, grouped, startsInMs: Math.min(sale.startsInMs, 200), lastsMs: endsSoon ? lastsMs : sale.lastsMs };
  };
  const heat = {
    againMs: random.pick([20, 50]),
    operatorGapMs: random.pick([60, 250]),
    cancels: random.pick([0.3, 0.9]),
    doubleClick: random.pick([0.2, 0.8]),
    repeatsLate: random.pick([0.1, 0.4]),
    rushMs: random.pick([5, 150]),
    intentsMax: random.pick([2, 3]),
    buyers: random.int(3, 8),
    sales: [...shape.sales, ...shape.sales].slice(0, random.pick([1, 2, 2])).map(hotSale),
    pays: random.pick([0.1, 0.5]),
    faultsForMs,
  };
  const isHot = random.chance(0.7);
  const shaped = { ...shape, ...(isHot && heat), cluster };
  return isLong ? { ...shaped, faultsForMs: stopMs * 1.15 } : shaped;
}

/** What a world of several processes is, with a cache and a broker between them. */
export function queued(drawn: Shape, seed: number, faults: Faults): Shape {
  const shape = clustered(drawn, seed, faults);
  const random = new Rng(seed, "queue");
  const queue: QueueShape = {
    partitions: random.pick([1, 2, 3]),
    prefetch: random.pick([1, 3, 64]),
    heartbeatMs: random.pick([600, 2_000, 5_000]),
    syncsAlways: random.chance(0.4),
    outboxMax: faults.on.has("crowding") ? 3 : 1_000,
  };
  return { ...shape, cluster: shape.cluster && { ...shape.cluster, queue } };
}

function drawScenarios(random: Rng): readonly Scenario[] {
  const mix = scenarios.filter((scenario) => scenario !== "abandon" && random.chance(0.5));
  // Abandoned payments hold their units for two more minutes, which costs a run most of its time.
  if (random.chance(0.1)) mix.push("abandon");
  return [...mix, "success"];
}
