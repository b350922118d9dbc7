import { expect, test } from "bun:test";
import { paymentGraceMs } from "../domain/purchase.ts";
import { must, OrderWorld, payWindowMs } from "../../tests/kit/order-world.ts";
import { PaymentPoller, pollLimitsDefault } from "./poll-payments.ts";

async function rig(scenario: string) {
  const world = await OrderWorld.open();
  world.callbacksLost = () => true;
  const order = await world.order(await world.sale());
  const answer = await world.pay(order.id, scenario);
  const state = () => must(world.paymentsOf(order.id)[0]).state;
  const looks = () => world.provider.calls.filter(({ call }) => call === "look").length;
  return { world, order, answer, state, looks };
}

test("[PA14] money whose callback never came is found by asking", async () => {
  const { world, order, state } = await rig("success");
  world.startWorkers();
  await world.pass(4_900);
  expect(state()).toBe("pending");
  await world.pass(2_000);
  expect(state()).toBe("captured");
  expect(world.read(order.id).state).toBe("paid");
  await world.stop();
});

test("[PA14] a second capture that nobody told is found and given back", async () => {
  const { world, order } = await rig("second_capture");
  world.startWorkers();
  await world.pass(10_000);
  expect(world.read(order.id).state).toBe("paid");
  await world.stop();
  expect(world.problems()).toEqual([]);
});

test("[PA14] a failure whose callback never came is found by asking", async () => {
  const { world, order, state } = await rig("failure");
  world.startWorkers({ poller: true });
  await world.pass(7_000);
  expect([state(), world.read(order.id).state]).toEqual(["failed", "reserved"]);
  await world.stop();
});

test("[PA14] a payment that never reached the provider fails, so that the buyer may start another", async () => {
  const world = await OrderWorld.open();
  const order = await world.order(await world.sale());
  world.provider.losses.submit.push("request");
  expect((await world.pay(order.id)).kind).toBe("unknown");
  world.startWorkers({ poller: true });
  await world.pass(7_000);
  expect(world.paymentsOf(order.id)[0]?.state).toBe("failed");
  expect(await world.pay(order.id)).toMatchObject({ kind: "started", repeated: false });
  await world.stop();
});

test("[PA14] a payment whose submission got no answer becomes pending when the provider knows it", async () => {
  const world = await OrderWorld.open();
  const order = await world.order(await world.sale());
  world.provider.losses.submit.push("answer");
  expect((await world.pay(order.id, "abandon")).kind).toBe("unknown");
  world.startWorkers({ poller: true });
  await world.pass(7_000);
  expect(world.paymentsOf(order.id)[0]?.state).toBe("pending");
  await world.stop();
});

test("[PA14] a payment nobody makes is expired when its order has stopped waiting, not before", async () => {
  const { world, order, state } = await rig("abandon");
  world.startWorkers();
  await world.pass(paymentGraceMs - 1_000, 500);
  expect([state(), world.read(order.id).state]).toEqual(["pending", "reserved"]);
  await world.pass(payWindowMs, 500);
  expect([state(), world.read(order.id).state]).toEqual(["expired", "expired"]);
  await world.stop();
  expect(world.problems()).toEqual([]);
});

test("[PA14] a payment is not given up while the provider does not answer", async () => {
  const { world, order, state } = await rig("abandon");
  world.provider.chance = () => "answer";
  world.startWorkers();
  await world.pass(400_000, 1_000);
  expect([state(), world.read(order.id).state]).toEqual(["pending", "expired"]);
  world.provider.chance = () => undefined;
  await world.pass(25_000, 500);
  expect(state()).toBe("expired");
  await world.stop();
});

test("[PA14] quiet payments are asked about ever less often, and a bounded number at once", async () => {
  const { world, looks } = await rig("abandon");
  const saleId = must([...world.store.tables.sales.keys()][0]);
  for (let i = 0; i < 49; i++) await world.pay((await world.order(saleId)).id, "abandon");
  const poller = new PaymentPoller(world.workerDeps, { ...pollLimitsDefault, looksMax: 20 });
  await world.pass(6_000, 6_000);
  const rounds: number[] = [];
  for (let i = 0; i < 4; i++) rounds.push(await world.answered(poller.round()));
  expect(rounds).toEqual([20, 20, 10, 0]);
  const before = looks();
  for (let second = 0; second < 60; second++) {
    await world.pass(1_000, 1_000);
    await world.answered(poller.round());
  }
  const perPayment = (looks() - before) / 50;
  expect(perPayment).toBeGreaterThanOrEqual(3);
  expect(perPayment).toBeLessThanOrEqual(6);
});

test.each(["success", "failure"])("[PA14] what is heard of a payment (%s) is written with the fence of who asked", async (scenario) => {
  const { world } = await rig(scenario);
  await world.pass(payWindowMs + paymentGraceMs + 10_000);
  const fences: unknown[] = [];
  const submit: typeof world.acceptance.submit = (saleId, movements, options) => {
    fences.push(options?.fence);
    return world.acceptance.submit(saleId, movements, options);
  };
  const acceptance = { submit, isPending: () => false };
  const fence = { lease: "payment poller", term: 7 };
  await world.answered(new PaymentPoller({ ...world.workerDeps, acceptance }).round(fence));
  expect(fences.length).toBeGreaterThan(0);
  expect(new Set(fences)).toEqual(new Set([fence]));
});
