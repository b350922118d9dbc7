/** What a run sells and who comes for it: drawn per seed, widely. */
import { Rng } from "./rng.ts";
import { scenarios, type Scenario } from "./model-provider.ts";

export type SaleShape = {
  readonly stock: number;
  readonly limit: number;
  readonly payWindowMs: number;
  readonly startsInMs: number;
  readonly lastsMs: number;
  readonly grouped: boolean;
  readonly refundedUnitsCount: boolean;
  readonly priceMinor: number;
};

export type Shape = {
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
  /** How payments go, drawn from this. */
  readonly scenarios: readonly Scenario[];
  /** Mean time between acts of the operator; Infinity without one. */
  readonly operatorGapMs: number;
  readonly cancelsSales: boolean;
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
    scenarios: drawScenarios(random),
    operatorGapMs: random.pick([Infinity, 1500, 400]),
    cancelsSales: random.chance(0.2),
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

function drawScenarios(random: Rng): readonly Scenario[] {
  const mix = scenarios.filter((scenario) => scenario !== "abandon" && random.chance(0.5));
  // Abandoned payments hold their units for two more minutes, which costs a run most of its time.
  if (random.chance(0.1)) mix.push("abandon");
  return [...mix, "success"];
}
