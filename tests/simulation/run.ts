/**
 * One seed, one run: set up, faults, heal, rest, checks.
 *
 *   0 ──setup──► safety phase: faults, clients, operator ──heal──► liveness phase: all must end ──► checks at rest
 */
import { parseCurrency } from "../../src/domain/money.ts";
import { parseProductId, type SaleId } from "../../src/domain/ids.ts";
import { createProduct, setQuota } from "../../src/engine/products.ts";
import { createSale, switchSale } from "../../src/engine/sales.ts";
import { Buyer } from "./clients.ts";
import { drawFaults, healed, type FaultClass, type Faults } from "./faults.ts";
import { checkAtRest } from "./final-checks.ts";
import { issuer, Judge, subjectOf } from "./judge.ts";
import { Sim, type Violation } from "./kernel.ts";
import { noMutant, type Mutant } from "./mutants.ts";
import { Operator } from "./operator.ts";
import { drawShape, type Shape } from "./shape.ts";
import { productIdText, type World } from "./world.ts";
import { kinds, type WorldName } from "./worlds.ts";

export type RunOptions = {
  readonly world?: WorldName | undefined;
  readonly mutant?: Mutant | undefined;
  readonly keepTrace?: boolean | undefined;
  readonly without?: ReadonlySet<FaultClass> | undefined;
};
export type RunResult = {
  readonly seed: number;
  readonly hash: string;
  readonly events: number;
  readonly violations: readonly Violation[];
  readonly probes: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly shape: Shape;
  readonly faults: Faults;
};

/** How long everything may take to come to rest once nothing fails any more (I5). */
const restMs = 30_000;
const lateMaxMs = 1_000;
/** So long nothing went wrong and nothing was queued: only then is lateness a fault of ours. */
const calmMs = 4_000;
const monitorMs = 250;
const beforeDeadlineMs = 1_000;

export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const sim = new Sim(seed, options.keepTrace);
  const kind = kinds[options.world ?? "embedded"];
  const faults = drawFaults(seed, kind.faults, options.without ?? new Set());
  const shape = kind.reshaped(drawShape(seed, faults.on.has("crowding")), seed, faults);
  const world = kind.open(sim, { shape, faults: healed(faults), mutant: options.mutant ?? noMutant });
  await run(world, faults);
  const hash = sim.hash.toString(16).padStart(8, "0");
  return { seed, hash, events: sim.events, violations: sim.violations, probes: sim.probes, trace: sim.trace, shape, faults };
}

async function run(world: World, faults: Faults): Promise<void> {
  const { sim, shape } = world;
  const saleIds = await setUp(world);
  if (sim.violations.length > 0) return;
  const operator = new Operator(world, saleIds);
  operator.foresee();
  world.faults = faults;
  world.listen(saleIds);
  const judge = new Judge(world);
  const life = { open: 0, excusedMs: 0 };
  const live = (living: Promise<void>): void => {
    life.open += 1;
    void living.catch((error: unknown) => sim.violate("assert", `a client broke: ${String(error)}`)).finally(() => (life.open -= 1));
  };
  for (let number = 1; number <= shape.buyers; number++) live(new Buyer(world, judge, number).live(saleIds));
  live(operator.live());
  live(operator.openLate());
  world.startNemesis();
  watchExpiry(world);
  await sim.run(sim.now + shape.faultsForMs);
  world.heal();
  await end(world, judge, life);
  sim.log(`end ${world.store.tables.purchases.size} purchases ${judge.attempts.length} attempts`);
}

/** Lets all that is under way come to its end, and looks at what is left. */
export async function end(world: World, judge: Judge, life: { open: number }): Promise<void> {
  do await rest(world, life);
  while (!(await isStill(world)));
  if (world.sim.violations.length > 0) return;
  judge.finish();
  await checkAtRest(world);
}

/** Products, sales and quotas, before anything fails. */
export async function setUp(world: World): Promise<SaleId[]> {
  const { sim, shape } = world;
  world.start();
  const saleIds: SaleId[] = [];
  let isDone = false;
  const build = async (): Promise<void> => {
    while (world.running.length === 0) await sim.sleep(10);
    const productId = parseProductId(productIdText);
    const currency = parseCurrency("EUR");
    if (productId === undefined || currency === undefined) throw new Error("the shop can be set up");
    const lateStock = shape.cluster?.lateSaleInMs === undefined ? 0 : (shape.sales[0]?.stock ?? 0);
    const toSell = shape.sales.reduce((sum, { stock }) => sum + stock, lateStock);
    const inventory = shape.spare === undefined ? undefined : toSell + shape.spare;
    const lamp = { id: productId, name: "Lamp", price: { minor: 100, currency }, seller: "shop", inventory };
    await world.patiently((parts) => createProduct(parts, lamp));
    const random = sim.random("setup");
    for (let buyer = 1; buyer <= shape.buyers; buyer++) {
      if (!random.chance(shape.vips)) continue;
      const quota = { productId, buyer: { issuer, subject: subjectOf(buyer) }, units: random.int(0, 5) };
      await world.patiently((parts) => setQuota(parts, quota));
    }
    for (const {
      stock,
      limit,
      payWindowMs,
      payExtensionsMax,
      startsInMs,
      lastsMs,
      grouped,
      refundedUnitsCount,
      priceMinor,
    } of shape.sales) {
      const startsAtMs = Math.floor(world.nowMs() + startsInMs);
      const limitGroup = grouped ? "g" : undefined;
      const rules = { perBuyerLimit: limit, limitGroup, refundedUnitsCount, payWindowMs, payExtensionsMax };
      const price = { minor: priceMinor, currency };
      const draft = { productId, name: "Lamp", price, stock, ...rules, startsAtMs, endsAtMs: startsAtMs + lastsMs };
      const submission = { owner: "setup", key: `${saleIds.length}` };
      const answer = await world.patiently((parts) => createSale(parts, { draft, submission }));
      if (!("sale" in answer)) throw new Error(`a sale could not be created: ${JSON.stringify(answer)}`);
      await world.patiently(async (parts) => {
        const { kind } = await switchSale(parts, answer.sale.id, { kind: "publish" });
        return kind === "switched" ? kind : undefined;
      });
      saleIds.push(answer.sale.id);
    }
    isDone = true;
  };
  build().catch((error: unknown) => sim.violate("setup", String(error)));
  await sim.run(60_000, () => isDone);
  return saleIds;
}

/** Steps until all is quiet; what rightly waits (a hold, a payment under way) excuses waiting. */
async function rest(world: World, life: { open: number }): Promise<void> {
  const { sim } = world;
  let excusedMs = sim.now;
  while (sim.violations.length === 0) {
    await sim.run(sim.now + monitorMs);
    const waits = waitingFor(world, life.open);
    if (waits === undefined) return;
    if (waits.idleMs !== undefined) await skip(world, waits.idleMs - beforeDeadlineMs);
    if (waits.excused) excusedMs = sim.now;
    if (sim.now - excusedMs > restMs) return sim.violate("I5", `not at rest ${restMs} ms after faults stopped: ${waits.what}`);
  }
}

/** Nothing but a deadline is waited for: the servers sleep until shortly before, which saves them their idle rounds. */
async function skip({ sim, sleepers }: World, ms: number): Promise<void> {
  if (ms <= 0) return;
  for (const node of sleepers) sim.pause(node);
  await sim.run(sim.now + ms);
  for (const node of sleepers) sim.resume(node);
}

/** Time for those who listen to hear the last, unless a request that was long on its way changes something once more. */
async function isStill(world: World): Promise<boolean> {
  const { sim, auditor, hearsWithinMs } = world;
  const before = auditor.commits;
  if (hearsWithinMs > 0) await sim.run(sim.now + hearsWithinMs);
  // A call of a cache may have been as long on its way.
  return (auditor.commits === before && world.unrest() === undefined) || sim.violations.length > 0;
}

type Waiting = { readonly what: string; readonly excused: boolean; readonly idleMs?: number | undefined };

function waitingFor(world: World, openClients: number): Waiting | undefined {
  const { provider } = world;
  const { tables } = world.store;
  const nowMs = world.nowMs();
  if (openClients > 0) return { what: "clients", excused: true };
  if (provider.openPlays > 0) return { what: "the provider", excused: true };
  if (provider.openCallbacks > 0) return { what: "callbacks", excused: false };
  for (const refund of tables.refunds.values())
    if (refund.state === "requested" || refund.state === "sent") return { what: `refund ${refund.id}`, excused: false };
  const unrest = world.unrest();
  if (unrest !== undefined) return { what: unrest, excused: false };
  const holds = [...tables.purchases.values()].filter(({ state }) => state === "reserved").map(({ holdUntilMs }) => holdUntilMs - nowMs);
  // The clock may be slewed: half as fast again is the most.
  if (holds.length > 0) return { what: "holds", excused: Math.min(...holds) > 0, idleMs: Math.min(...holds) / 1.5 };
  for (const payment of tables.payments.values())
    if (payment.state === "created" || payment.state === "pending") return { what: `payment ${payment.id}`, excused: false };
  for (const sale of tables.sales.values()) {
    const isOver = sale.phase === "cancelled" || sale.endsAtMs <= nowMs;
    if (isOver && sale.phase !== "draft" && sale.settledAtMs === undefined) return { what: `settling sale ${sale.id}`, excused: false };
  }
  return world.waiting > 0 ? { what: "lines without an answer", excused: false } : undefined;
}

/** Holds are never released early, and late by at most a second while nothing is wrong (I11). */
function watchExpiry(world: World): void {
  const { sim, auditor } = world;
  auditor.onExpired = (purchase) => {
    const submittedMs = world.submitted.get(purchase.id)?.atMs;
    if (submittedMs === undefined || purchase.holdUntilMs !== purchase.payByMs || submittedMs < world.steadySinceMs) return;
    // A clock that goes steadily may be slewed, at most half as fast again.
    const atLeastMs = purchase.sale.payWindowMs / 1.5 - 2;
    sim.check(
      sim.now - submittedMs >= atLeastMs,
      "I11",
      () => `hold ${purchase.id} was released ${sim.now - submittedMs} ms after it was asked for`,
    );
  };
  let busyMs = 0;
  const look = (): void => {
    if (world.waiting > 2) busyMs = sim.now;
    if (sim.now - busyMs > calmMs && world.healthyForMs() > calmMs + world.takeoverMs) {
      const nowMs = world.nowMs();
      // A slow store takes its time for what is due at once.
      const lateMs = lateMaxMs + 8 * world.faults.commitMs;
      for (const purchase of auditor.books.purchases.values())
        if (purchase.state === "reserved" && nowMs - purchase.holdUntilMs > lateMs)
          return sim.violate("I11", `hold ${purchase.id} is ${nowMs - purchase.holdUntilMs} ms late`);
    }
    sim.at(monitorMs, look);
  };
  look();
}

/** The fault classes that a failure needs: each that can be dropped is dropped. */
export async function minimize(seed: number, options: Pick<RunOptions, "world" | "mutant">): Promise<ReadonlySet<FaultClass>> {
  const without = new Set<FaultClass>();
  for (const name of kinds[options.world ?? "embedded"].faults.classes) {
    const tried = new Set([...without, name]);
    const { violations } = await runSeed(seed, { ...options, without: tried });
    if (violations.length > 0) without.add(name);
  }
  return without;
}
