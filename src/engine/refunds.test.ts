import { expect, test } from "bun:test";
import type { PaymentProvider, RefundRequest } from "../ports/payment-provider.ts";
import { everywhere } from "../../tests/kit/everywhere.ts";
import { must, OrderWorld, price } from "../../tests/kit/order-world.ts";
import { refundLimitsDefault, refundOrder, sendDueRefunds } from "./refunds.ts";

/** An order paid twice, so that one capture waits to be given back. */
async function rig() {
  const world = await OrderWorld.open();
  const saleId = await world.sale();
  const order = await world.order(saleId);
  await world.pay(order.id, "second_capture");
  await world.pass(2_000);
  const refund = must(world.refundsOf(order.id)[0]);
  const send = () => world.answered(sendDueRefunds(world.workerDeps, refundLimitsDefault));
  const now = () => must(world.store.tables.refunds.get(refund.id));
  return { world, saleId, order, refund, send, now };
}

/** A provider that refunds in another way. */
function withRefund(provider: PaymentProvider, refund: PaymentProvider["refund"]): PaymentProvider {
  return { name: provider.name, submit: (request) => provider.submit(request), look: (id) => provider.look(id), refund };
}

const returned = (world: OrderWorld) => [...world.simulated.record.refunds.values()];

test("[PA10] a refund is sent, done, and due no more", async () => {
  const { world, refund, send, now } = await rig();
  expect(refund).toMatchObject({ state: "requested", reason: "second_capture" });
  expect(await send()).toEqual(["done"]);
  expect(now()).toMatchObject({ state: "done", tries: 1 });
  expect(returned(world)).toMatchObject([{ id: refund.id, captureId: refund.captureId, money: price }]);
  await world.pass(10_000_000, 10_000_000);
  expect(await send()).toEqual([]);
  expect(world.problems()).toEqual([]);
});

test("[PA10] the provider is not called before the row says so", async () => {
  const { world, send, now } = await rig();
  world.ledger.failNext(1, "unavailable");
  expect(await send()).toEqual(["open"]);
  expect(world.provider.calls.filter(({ call }) => call === "refund")).toEqual([]);
  expect(now().state).toBe("requested");
});

/** Tries until the refund is done while the provider's answers get lost; what the provider returned in the end. */
async function underLosses(withKey: (request: RefundRequest, attempt: number) => RefundRequest) {
  const { world, refund, now } = await rig();
  const { provider } = world;
  provider.losses.refund.push("answer", "request", "answer", "answer");
  let attempt = 0;
  const broken = withRefund(provider, (request) => provider.refund(withKey(request, attempt++)));
  const deps = { ...world.workerDeps, providers: new Map([[provider.name, broken]]) };
  for (let i = 0; i < 10 && now().state !== "done"; i++) {
    await world.answered(sendDueRefunds(deps, refundLimitsDefault));
    await world.pass(20_000, 20_000);
  }
  return { world, refund, state: now().state };
}

test("[PA10] [I9] money is returned once, however often the provider's answer is lost", async () => {
  const { world, refund, state } = await underLosses((request) => request);
  expect(state).toBe("done");
  expect(world.provider.calls.filter(({ call }) => call === "refund").map(({ id }) => id)).toEqual(
    Array.from({ length: 5 }, () => refund.id),
  );
  expect(returned(world).length).toBe(1);
  expect(world.problems()).toEqual([]);
});

test("[PA10] [I9] control: a new key for each try is noticed", async () => {
  // The provider returns no more than it took, so the second key is declined and the refund never gets done.
  const { world } = await underLosses((request, attempt) => ({
    ...request,
    refundId: `${request.refundId}${attempt}` as RefundRequest["refundId"],
  }));
  expect(world.problems().length).toBeGreaterThan(0);
});

test("[PA10] a refund without an answer waits longer each time, up to a ceiling", async () => {
  const { world, send, now } = await rig();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    world.provider.losses.refund.push("request");
    expect(await send()).toEqual(["open"]);
    const { nextTryAtMs, changedAtMs } = now();
    waits.push(nextTryAtMs - changedAtMs);
    expect(await send()).toEqual([]);
    await world.pass(nextTryAtMs - world.time.nowMs(), 60_000);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  expect(now()).toMatchObject({ state: "sent", tries: 8 });
});

test("[PA10] a refund whose end was not noted is asked again, with one effect", async () => {
  const { world, send, now } = await rig();
  const { provider } = world;
  const refuse = () => world.ledger.failNext(1, "unavailable");
  const fragile = withRefund(provider, (request) => provider.refund(request).finally(refuse));
  const deps = { ...world.workerDeps, providers: new Map([[provider.name, fragile]]) };
  expect(await world.answered(sendDueRefunds(deps, refundLimitsDefault))).toEqual(["open"]);
  expect(now().state).toBe("sent");
  await world.pass(1_000);
  expect(await send()).toEqual(["done"]);
  expect(returned(world).length).toBe(1);
});

test("[PA10] a declined refund fails, and is tried again only after an hour", async () => {
  const { world, send, now } = await rig();
  const { provider } = world;
  const declining = withRefund(provider, async () => ({ kind: "declined", message: "no" }));
  const deps = { ...world.workerDeps, providers: new Map([[provider.name, declining]]) };
  expect(await world.answered(sendDueRefunds(deps, refundLimitsDefault))).toEqual(["failed"]);
  expect(now().state).toBe("failed");
  await world.pass(3_000_000, 3_000_000);
  expect(await send()).toEqual([]);
  await world.pass(700_000, 700_000);
  expect(await send()).toEqual(["done"]);
});

test("[PA10] a refund of a provider that is not configured stays open", async () => {
  const { world, now } = await rig();
  expect(await world.answered(sendDueRefunds({ ...world.workerDeps, providers: new Map() }, refundLimitsDefault))).toEqual(["open"]);
  expect(now().state).toBe("sent");
});

for (const returnStock of [true, false])
  test(`[PA9] [I2] the shop refunds an order ${returnStock ? "with" : "without"} its units, once`, async () => {
    const { world, saleId, order, send } = await rig();
    const ask = { purchaseId: order.id, returnStock };
    const first = await world.answered(refundOrder(world, everywhere, ask));
    expect(first).toMatchObject({ kind: "refunding", repeated: false, refund: { money: price, returnStock } });
    expect(await world.answered(refundOrder(world, everywhere, ask))).toMatchObject({ kind: "refunding", repeated: true });
    expect(world.store.tables.sales.get(saleId)?.balances).toMatchObject(
      returnStock ? { sold: 0, available: 1_000 } : { sold: 1, available: 999 },
    );
    expect(await send()).toEqual(["done", "done"]);
    expect(world.problems()).toEqual([]);
  });

test("[PA9] an order that is not paid, or does not exist, is not refunded", async () => {
  const { world, saleId } = await rig();
  const order = await world.order(saleId);
  expect(await world.answered(refundOrder(world, everywhere, { purchaseId: order.id, returnStock: true }))).toMatchObject({
    kind: "not_paid",
  });
  expect(await refundOrder(world, everywhere, { purchaseId: "7" as typeof order.id, returnStock: true })).toEqual({
    kind: "purchase_unknown",
  });
});
