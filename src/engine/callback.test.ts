import { expect, test } from "bun:test";
import { decideBatch } from "../domain/sale-batch.ts";
import { must, euros, OrderWorld, payWindowMs, price, type WorldOptions } from "../../tests/kit/order-world.ts";
import { applyCallback, type Callback } from "./callback.ts";

/** An order whose payment the provider has, and will never speak of by itself. */
async function rig(options?: WorldOptions) {
  const world = await OrderWorld.open(options);
  const saleId = await world.sale();
  const order = await world.order(saleId);
  await world.pay(order.id, "abandon");
  const payment = must(world.paymentsOf(order.id)[0]);
  const common = { provider: "simulated", paymentId: payment.id };
  const captured = (over: Partial<{ id: string; captureId: string; money: typeof price }> = {}): Callback => ({
    id: "cb-1", type: "payment.captured", captureId: "cap-1", money: price, ...common, ...over,
  }); // prettier-ignore
  const failed = (id = "cb-f"): Callback => ({ id, type: "payment.failed", ...common });
  const apply = (callback: Callback) => world.answered(applyCallback(world, callback));
  return { world, saleId, order, payment, captured, failed, apply };
}

test("[PA3] a captured callback pays the order", async () => {
  const { world, order, captured, apply } = await rig();
  expect(await apply(captured())).toEqual({ kind: "applied", repeated: false });
  expect(world.read(order.id).state).toBe("paid");
  expect(world.paymentsOf(order.id)[0]?.state).toBe("captured");
});

/** Whether money moved exactly once after 1,000 replays, at once and one after another. */
async function replays(options?: WorldOptions): Promise<boolean> {
  const { world, saleId, order, captured, apply } = await rig(options);
  await Promise.all(Array.from({ length: 500 }, () => apply(captured())));
  for (let i = 0; i < 500; i++) await apply(captured());
  const { captures, refunds, sales } = world.store.tables;
  return captures.size === 1 && refunds.size === 0 && sales.get(saleId)?.balances.sold === 1 && world.read(order.id).state === "paid";
}

test("[PA7] a thousand replays of a callback have one effect", async () => {
  expect(await replays()).toBe(true);
});

test("[PA7] control: a store that forgets captures fails a thousand replays", async () => {
  const forgetful: typeof decideBatch = (facts, movements, nowMs) => {
    const renamed = movements.map((m, i) => (m.kind === "capture" ? { ...m, captureId: `${m.captureId}-${facts.sale.feed}-${i}` } : m));
    return decideBatch(facts, renamed, nowMs);
  };
  expect(await replays({ steps: { decide: forgetful } })).toBe(false);
});

test("[PA7] one capture told by callbacks of different ids is one capture", async () => {
  const { world, captured, apply } = await rig();
  expect(await apply(captured({ id: "cb-1" }))).toEqual({ kind: "applied", repeated: false });
  expect(await apply(captured({ id: "cb-2" }))).toEqual({ kind: "applied", repeated: true });
  expect(world.store.tables.captures.size).toBe(1);
});

test("[PA8] a failed callback fails the payment, and money that comes all the same pays the order", async () => {
  const { world, order, captured, failed, apply } = await rig();
  expect(await apply(failed())).toEqual({ kind: "applied", repeated: false });
  expect(await apply(failed())).toEqual({ kind: "applied", repeated: true });
  expect(world.paymentsOf(order.id)[0]?.state).toBe("failed");
  await apply(captured());
  expect(world.read(order.id).state).toBe("paid");
});

test("[PA8] a failed callback after the capture changes nothing", async () => {
  const { world, order, captured, failed, apply } = await rig();
  await apply(captured());
  expect(await apply(failed())).toEqual({ kind: "applied", repeated: true });
  expect(world.paymentsOf(order.id)[0]?.state).toBe("captured");
});

for (const [name, money] of [
  ["less", euros(price.minor - 1)],
  ["more", euros(price.minor + 1)],
] as const)
  // prettier-ignore
  test(`[PA4] ${name} money than the order costs is refunded in full, and the order waits on`, async () => {
    const { world, order, captured, apply } = await rig();
    await apply(captured({ money }));
    expect(world.read(order.id).state).toBe("reserved");
    expect(world.refundsOf(order.id)).toMatchObject([{ reason: "wrong_amount", money }]);
  });

test("[PA5] a second capture is refunded in full", async () => {
  const { world, order, captured, apply } = await rig();
  await apply(captured());
  await apply(captured({ id: "cb-2", captureId: "cap-2" }));
  expect(world.refundsOf(order.id)).toMatchObject([{ reason: "second_capture", captureId: "cap-2", money: price }]);
});

test("[PA6] money for an expired order is refunded in full, its units stay free", async () => {
  const { world, saleId, order, captured, apply } = await rig();
  world.startWorkers({ sweeper: true });
  await world.pass(payWindowMs + 121_000, 1_000);
  expect(world.read(order.id).state).toBe("expired");
  await apply(captured());
  expect(world.refundsOf(order.id)).toMatchObject([{ reason: "order_closed", money: price }]);
  expect(world.store.tables.sales.get(saleId)?.balances).toMatchObject({ held: 0, sold: 0, available: 1_000 });
  await world.stop();
});

test("a payment that does not exist, or is another provider's, is unknown", async () => {
  const { world, captured, apply } = await rig();
  expect(await apply({ ...captured(), paymentId: must(world.ids.mint() as Callback["paymentId"]) })).toEqual({ kind: "payment_unknown" });
  expect(await apply({ ...captured(), provider: "external" })).toEqual({ kind: "payment_unknown" });
  expect(world.store.tables.captures.size).toBe(0);
});

test("[PA7] a store that does not answer wants the callback again, which then has its effect", async () => {
  const { world, order, captured, apply } = await rig();
  world.storeDown = true;
  expect(await apply(captured())).toEqual({ kind: "retry_later" });
  world.storeDown = false;
  world.ledger.failNext(1, "unavailable");
  expect(await apply(captured())).toEqual({ kind: "retry_later" });
  world.ledger.failNext(1, "storage_full");
  expect(await apply(captured())).toEqual({ kind: "retry_later" });
  expect(world.read(order.id).state).toBe("reserved");
  world.ledger.loseAnswers(3, "after");
  expect((await apply(captured())).kind).toBe("applied");
  expect(world.read(order.id).state).toBe("paid");
  expect(world.store.tables.captures.size).toBe(1);
});

test("[PA7] an answer that takes too long is asked for again, and both are one effect", async () => {
  const { world, order, captured } = await rig();
  const release = world.ledger.hold("after");
  const slow = applyCallback(world, captured());
  await world.pass(2_100);
  expect(await slow).toEqual({ kind: "retry_later" });
  const again = applyCallback(world, captured());
  release();
  expect(await world.answered(again)).toEqual({ kind: "applied", repeated: true });
  expect(world.read(order.id).state).toBe("paid");
  expect(world.store.tables.captures.size).toBe(1);
});
