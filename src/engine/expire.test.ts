import { expect, test } from "bun:test";
import { decideBatch } from "../domain/sale-batch.ts";
import { paymentGraceMs, type Purchase } from "../domain/purchase.ts";
import { must, OrderWorld, payWindowMs, price } from "../../tests/kit/order-world.ts";
import { applyCallback, type Callback } from "./callback.ts";
import { closeCancelled, expireDue, releasesMax } from "./expire.ts";

/** Orders that come in over a while, swept as time passes; how early the earliest and how late the latest went. */
async function sweepMany(options: { decide?: typeof decideBatch; clockAheadMs?: number } = {}) {
  const world = await OrderWorld.open(options.decide && { steps: { decide: options.decide } });
  const saleId = await world.sale();
  const orders: Purchase[] = [];
  for (let i = 0; i < 40; i++) {
    orders.push(await world.order(saleId));
    await world.pass(137, 137);
  }
  const clock = { nowMs: () => world.time.nowMs() + (options.clockAheadMs ?? 0) };
  const sweeper = { records: world.records, acceptance: world.acceptance, clock };
  let left = orders.length;
  const endMs = world.time.nowMs() + payWindowMs + 3_000;
  for (; world.time.nowMs() < endMs && left > 0; await world.pass(250)) left -= (await expireDue(sweeper)).released;
  const late = orders.map(({ id, payByMs }) => world.read(id).changedAtMs - payByMs);
  const allExpired = orders.every(({ id }) => world.read(id).state === "expired");
  return { world, allExpired, earliestMs: Math.min(...late), latestMs: Math.max(...late) };
}

test("[OR3] [I11] no order expires before its deadline, and none later than a second after it", async () => {
  const { world, allExpired, earliestMs, latestMs } = await sweepMany();
  expect(allExpired).toBe(true);
  expect(earliestMs).toBeGreaterThanOrEqual(0);
  expect(latestMs).toBeLessThanOrEqual(1_000);
  expect(world.problems()).toEqual([]);
});

test("[OR3] a sweeper whose clock is ahead expires nothing early: the commit's own time decides", async () => {
  const { earliestMs } = await sweepMany({ clockAheadMs: 5_000 });
  expect(earliestMs).toBeGreaterThanOrEqual(0);
});

test("[OR3] control: a decider that takes the sweeper's word expires early", async () => {
  const hasty: typeof decideBatch = (facts, movements, nowMs) =>
    decideBatch(facts, movements, movements.some((m) => m.kind === "expire") ? nowMs + 5_000 : nowMs);
  const { earliestMs } = await sweepMany({ decide: hasty, clockAheadMs: 5_000 });
  expect(earliestMs).toBeLessThan(4_000);
  const { world } = await sweepMany({ decide: hasty, clockAheadMs: 5_000 });
  const early = [...world.store.tables.ledger.values()].filter((entry) => {
    const purchase = world.store.tables.purchases.get(entry.sourceId as Purchase["id"]);
    return entry.kind === "expire" && purchase !== undefined && entry.atMs - 5_000 < purchase.holdUntilMs;
  });
  expect(early.length).toBeGreaterThan(0);
});

test("[PA2] [I11] a pending payment holds the order for 120 s past its deadline at most", async () => {
  const world = await OrderWorld.open();
  const order = await world.order(await world.sale());
  await world.pass(payWindowMs - 1_000, payWindowMs);
  await world.pay(order.id, "abandon");
  world.startWorkers({ sweeper: true });
  const { holdUntilMs } = world.read(order.id);
  expect(holdUntilMs).toBeGreaterThan(order.payByMs);
  await world.pass(holdUntilMs - world.time.nowMs() - 1, 500);
  expect(world.read(order.id).state).toBe("reserved");
  await world.pass(1_001);
  expect(world.read(order.id).state).toBe("expired");
  expect(world.read(order.id).changedAtMs - order.payByMs).toBeLessThanOrEqual(paymentGraceMs + 1_000);
  await world.stop();
});

/** An order past its deadline whose money arrives at the moment of the sweep, many times over. */
async function race(seed: number) {
  const world = await OrderWorld.open({ seed });
  const saleId = await world.sale();
  const order = await world.order(saleId);
  await world.pay(order.id, "abandon");
  const payment = must(world.paymentsOf(order.id)[0]);
  const callback: Callback = {
    id: "cb",
    provider: "simulated",
    paymentId: payment.id,
    type: "payment.captured",
    captureId: "cap",
    money: price,
  };
  await world.pass(world.read(order.id).holdUntilMs - world.time.nowMs(), 200_000);
  const actions = [
    ...Array.from({ length: 8 }, () => () => applyCallback(world, callback)),
    () => expireDue(world.workerDeps),
    () => expireDue(world.workerDeps),
  ];
  actions.sort(() => world.entropy.random() - 0.5);
  await world.answered(Promise.all(actions.map((run) => run())));
  const { state } = world.read(order.id);
  const { available, held, sold } = must(world.store.tables.sales.get(saleId)).balances;
  expect(world.store.tables.captures.size).toBe(1);
  expect([state, held, sold, available, world.refundsOf(order.id).length]).toEqual(
    state === "paid" ? ["paid", 0, 1, 999, 0] : ["expired", 0, 0, 1_000, 1],
  );
  return state;
}

test("[OR4] [I2] [I9] duplicated callbacks that meet the sweep: one of both wins, and no unit or money is lost", async () => {
  const states = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) states.add(await race(seed));
  expect(states).toEqual(new Set(["paid", "expired"]));
});

test("[OR4] [I11] money that comes before the sweep pays the order, also after its deadline", async () => {
  const world = await OrderWorld.open();
  const order = await world.order(await world.sale());
  await world.pay(order.id, "late");
  world.startWorkers({ refunder: true });
  await world.pass(200_000, 500);
  expect(world.time.nowMs()).toBeGreaterThan(world.read(order.id).holdUntilMs);
  expect(await expireDue(world.workerDeps)).toEqual({ due: 0, released: 0 });
  expect(world.read(order.id).state).toBe("paid");
  await world.stop();
  expect(world.problems()).toEqual([]);
});

test("[OR10] a round releases a bounded number, the longest overdue first, over all sales", async () => {
  const world = await OrderWorld.open();
  const [first, second] = [await world.sale(), await world.sale()];
  const orders: Purchase[] = [];
  for (let i = 0; i < 6; i++) {
    orders.push(await world.order(i % 2 === 0 ? first : second));
    await world.pass(10);
  }
  await world.pass(payWindowMs, payWindowMs);
  expect(await world.answered(expireDue(world.workerDeps, { countMax: 4 }))).toEqual({ due: 4, released: 4 });
  expect(orders.map(({ id }) => world.read(id).state)).toEqual(["expired", "expired", "expired", "expired", "reserved", "reserved"]);
  expect(releasesMax).toBeLessThanOrEqual(1_000);
});

test("[OR10] [I2] the orders of a cancelled sale are closed, paid ones stay", async () => {
  const world = await OrderWorld.open();
  const saleId = await world.sale();
  const [paid, open] = [await world.order(saleId), await world.order(saleId)];
  await world.pay(paid.id, "success");
  await world.pass(2_000);
  await world.acceptance.submit(saleId, [{ kind: "switch", change: { kind: "cancel_sale" } }]);
  expect(await world.answered(closeCancelled(world.workerDeps))).toEqual({ due: 1, released: 1 });
  expect([world.read(paid.id).state, world.read(open.id).state]).toEqual(["paid", "closed"]);
  expect(await closeCancelled(world.workerDeps)).toEqual({ due: 0, released: 0 });
  expect(world.problems()).toEqual([]);
});

test("[OR5] a sweep whose answer was lost is swept again and releases once", async () => {
  const world = await OrderWorld.open();
  const saleId = await world.sale();
  await world.order(saleId);
  await world.pass(payWindowMs, payWindowMs);
  world.ledger.failNext(1, "unavailable");
  expect(await world.answered(expireDue(world.workerDeps))).toEqual({ due: 1, released: 0 });
  world.ledger.loseAnswers(2, "after");
  expect((await world.answered(expireDue(world.workerDeps))).due).toBe(1);
  expect(await expireDue(world.workerDeps)).toEqual({ due: 0, released: 0 });
  expect(world.store.tables.sales.get(saleId)?.balances).toMatchObject({ held: 0, available: 1_000 });
  expect(world.problems()).toEqual([]);
});
