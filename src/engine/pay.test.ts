import { expect, test } from "bun:test";
import { paymentGraceMs } from "../domain/purchase.ts";
import { everywhere } from "../../tests/kit/everywhere.ts";
import { euros, OrderWorld, payWindowMs, price } from "../../tests/kit/order-world.ts";
import { payExternal } from "./pay-external.ts";

async function rig() {
  const world = await OrderWorld.open();
  const saleId = await world.sale();
  const order = await world.order(saleId);
  return { world, saleId, order };
}

test("[PA1] starts a payment of the whole amount with the provider, by the payment's id", async () => {
  const { world, saleId } = await rig();
  const order = await world.order(saleId, 3);
  const answer = await world.pay(order.id, "abandon");
  expect(answer).toMatchObject({ kind: "started", repeated: false, payment: { state: "pending", money: euros(price.minor * 3) } });
  const [payment] = world.paymentsOf(order.id);
  expect(world.provider.calls).toEqual([{ call: "submit", id: payment?.id ?? "" }]);
  expect(world.simulated.record.payments.get(payment?.id ?? "")).toMatchObject({ purchaseId: order.id, money: payment?.money });
});

test("[PA1] a repeated pay answers the open payment and asks the provider no more", async () => {
  const { world, order } = await rig();
  const first = await world.pay(order.id, "abandon");
  const second = await world.pay(order.id, "success");
  expect(second).toMatchObject({ kind: "started", repeated: true, payment: first.kind === "started" ? first.payment : {} });
  expect(world.provider.calls.length).toBe(1);
  expect(world.paymentsOf(order.id).length).toBe(1);
});

test("[PA1] a hundred pays at once start one payment", async () => {
  const { world, order } = await rig();
  const answers = await Promise.all(Array.from({ length: 100 }, () => world.pay(order.id, "abandon")));
  expect(answers.filter((answer) => answer.kind === "started" && !answer.repeated).length).toBe(1);
  expect(new Set(answers.map((answer) => (answer.kind === "started" ? answer.payment.id : "")))).toHaveProperty("size", 1);
  expect(world.simulated.record.payments.size).toBe(1);
});

for (const loss of ["request", "answer"] as const)
  test(`[PA1] a submission whose ${loss} was lost stays open, and a repeat resolves it with the same id`, async () => {
    const { world, order } = await rig();
    world.provider.losses.submit.push(loss);
    expect(await world.pay(order.id)).toEqual({ kind: "unknown" });
    const [created] = world.paymentsOf(order.id);
    expect(created?.state).toBe("created");
    const answer = await world.pay(order.id);
    expect(answer).toMatchObject({ kind: "started", payment: { id: created?.id, state: "pending" } });
    expect(world.simulated.record.payments.size).toBe(1);
  });

test("[PA1] a provider that declines fails the payment, and the next one may be started", async () => {
  const { world, order } = await rig();
  expect(await world.pay(order.id, "nonsense")).toMatchObject({ kind: "payment_failed", payment: { state: "failed" } });
  expect(await world.pay(order.id, "success")).toMatchObject({ kind: "started", repeated: false });
});

test("[PA1] an order that stopped waiting is not payable, and the provider does not hear of it", async () => {
  const { world, saleId, order } = await rig();
  const cancelled = await world.order(saleId);
  await world.acceptance.submit(saleId, [{ kind: "cancel", purchaseId: cancelled.id }]);
  expect(await world.pay(cancelled.id)).toMatchObject({ kind: "not_payable", purchase: { state: "cancelled" } });
  await world.pass(payWindowMs, payWindowMs);
  expect(await world.pay(order.id)).toMatchObject({ kind: "not_payable", purchase: { state: "reserved" } });
  expect(world.provider.calls).toEqual([]);
});

test("[PA1] a payment left open is not submitted for an order that was closed meanwhile", async () => {
  const { world, saleId, order } = await rig();
  world.provider.losses.submit.push("request");
  expect(await world.pay(order.id)).toEqual({ kind: "unknown" });
  await world.acceptance.submit(saleId, [{ kind: "cancel", purchaseId: order.id }]);
  expect(await world.pay(order.id)).toMatchObject({ kind: "not_payable" });
  expect(world.simulated.record.payments.size).toBe(0);
});

test("[PA2] [I11] payments move the deadline by 120 s in all, however many are started", async () => {
  const { world, order } = await rig();
  await world.time.advance(payWindowMs - 1_000);
  for (let i = 0; i < 5; i++) {
    await world.pay(order.id, "nonsense");
    expect(world.read(order.id).holdUntilMs).toBeLessThanOrEqual(order.payByMs + paymentGraceMs);
    await world.time.advance(paymentGraceMs / 4);
  }
  expect(world.read(order.id).holdUntilMs).toBe(order.payByMs + paymentGraceMs);
  expect(await world.pay(order.id)).toMatchObject({ kind: "not_payable" });
});

test("[OR8] somebody else's order is unknown", async () => {
  const { world, order } = await rig();
  const { pay } = await import("./pay.ts");
  const stranger = await world.newBuyer();
  expect(await pay(world.payDeps, { buyerId: stranger }, { purchaseId: order.id })).toEqual({ kind: "purchase_unknown" });
  expect(await pay(world.payDeps, { buyerId: order.buyerId }, { purchaseId: order.id, scenario: "abandon" })).toMatchObject({
    kind: "started",
  });
});

test("[PA3] the shop's own capture pays the order at once, and a repeat answers the same payment", async () => {
  const { world, order } = await rig();
  const ask = { purchaseId: order.id, captureId: "till-7", money: price };
  const first = await world.answered(payExternal(world.payDeps, everywhere, ask));
  expect(first).toMatchObject({
    kind: "started",
    repeated: false,
    payment: { provider: "external", state: "captured" },
    purchase: { state: "paid" },
  });
  const second = await world.answered(payExternal(world.payDeps, everywhere, ask));
  expect(second).toMatchObject({ kind: "started", repeated: true, payment: first.kind === "started" ? first.payment : {} });
  expect(world.store.tables.captures.size).toBe(1);
  expect(world.problems()).toEqual([]);
});

test("[PA4] the shop's own capture of a wrong amount is refused before anything is recorded", async () => {
  const { world, order } = await rig();
  const wrong = await world.answered(
    payExternal(world.payDeps, everywhere, { purchaseId: order.id, captureId: "till-7", money: euros(1) }),
  );
  expect(wrong).toEqual({ kind: "wrong_amount", expected: price });
  expect(world.store.tables.payments.size + world.store.tables.captures.size).toBe(0);
});

test("[PA7] one capture of the shop pays one order", async () => {
  const { world, saleId, order } = await rig();
  const other = await world.order(saleId);
  await world.answered(payExternal(world.payDeps, everywhere, { purchaseId: order.id, captureId: "till-7", money: price }));
  const reused = await world.answered(payExternal(world.payDeps, everywhere, { purchaseId: other.id, captureId: "till-7", money: price }));
  expect(reused).toEqual({ kind: "capture_reused" });
  expect(world.read(other.id).state).toBe("reserved");
  expect(world.problems()).toEqual([]);
});

test("[PA1] the shop cannot pay an order that was paid with another capture", async () => {
  const { world, order } = await rig();
  await world.answered(payExternal(world.payDeps, everywhere, { purchaseId: order.id, captureId: "till-7", money: price }));
  const second = await world.answered(payExternal(world.payDeps, everywhere, { purchaseId: order.id, captureId: "till-8", money: price }));
  expect(second).toMatchObject({ kind: "not_payable", purchase: { state: "paid" } });
  expect(world.store.tables.captures.size).toBe(1);
});
