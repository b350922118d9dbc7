/**
 * The life of one rehearsed buyer: asks in its manner until it knows, and then pays, fails, dawdles or walks away. Every
 * repeat goes under the same key, which is what the API asks of a client that lost an answer.
 */
import { backoffMs } from "../../lib/backoff.ts";
import { unreachable } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";
import type { Gate } from "./open-loop.ts";
import { repeatsDefault, type Aftermath, type BuyerPlan } from "./plan.ts";
import type { ShopClient, ShopReply } from "./shop-client.ts";
import { isObject } from "./shop-client.ts";
import type { AcceptedOrder, Tally } from "./tally.ts";

export type Stage = {
  readonly shop: ShopClient;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly saleId: string;
  readonly payWindowMs: number;
  /** Bounds the purchases in flight where the crowd comes by a schedule. */
  readonly gate?: Gate | undefined;
  /** A lost or untried answer is asked for again this often before the buyer gives up. */
  readonly repeatsMax?: number | undefined;
  /** Whoever it stops does nothing more. */
  readonly halt?: StopSignal | undefined;
};

const pollMs = 400;
/** How much longer than the pay window a buyer watches its order for an end. */
const patienceMs = 20_000;
const watchMaxMs = 60_000;

/** Asks for a unit, first when it is due; resolves with the order if the buyer got one, or the reason of the last answer. */
export async function ask(stage: Stage, plan: BuyerPlan, dueMs?: number): Promise<{ order?: AcceptedOrder; reason: string }> {
  const { manner, dropAfterMs } = plan;
  const clicks = manner === "double_click" ? [askOnce(stage, plan, { dueMs }), askOnce(stage, plan, { dueMs })] : [];
  if (manner === "lost_answer") await askOnce(stage, plan, { dueMs, dropAfterMs });
  const [first, second] = await Promise.all(clicks);
  const yes = [first, second].find((reply) => reply?.kind === "ok");
  const again = manner === "double_click" || manner === "lost_answer" ? undefined : dueMs;
  const reply = yes ?? (first !== undefined && isFinal(first) ? first : await askUntilKnown(stage, plan, again));
  if (reply === undefined) return { reason: "not_sent" };
  stage.tally.counts.buyersAnswered += 1;
  const order = reply.kind === "ok" ? orderOf(plan, reply) : undefined;
  if (order === undefined) return { reason: reply.reason };
  stage.tally.orders.set(order.id, order);
  if (manner === "greedy") await askForMore(stage, plan);
  if (manner === "key_reuse") await reuseKey(stage, plan);
  return { order, reason: "ok" };
}

async function askUntilKnown(stage: Stage, plan: BuyerPlan, dueMs: number | undefined): Promise<ShopReply | undefined> {
  const { repeatsMax = repeatsDefault, halt } = stage;
  for (let attempt = 0; ; attempt++) {
    const reply = await askOnce(stage, plan, attempt === 0 ? { dueMs } : {});
    if (reply === undefined || isFinal(reply) || attempt >= repeatsMax || halt?.aborted === true) return reply;
    await stage.tasks.sleep(backoffMs(attempt, { baseMs: 20, ceilingMs: 500 }), halt);
  }
}

/** A yes, or a no that was looked at; what was not tried or is unknown is asked again. */
const isFinal = ({ kind, status }: ShopReply) => kind === "ok" || (kind === "no" && status !== 503 && status !== 429);

/** Undefined when the client was too busy to send it. */
async function askOnce(
  { shop, tally, saleId, gate, clock }: Stage,
  plan: BuyerPlan,
  when: { dueMs?: number | undefined; dropAfterMs?: number | undefined },
): Promise<ShopReply | undefined> {
  const dueMs = when.dueMs ?? clock.nowMs();
  let sentMs = dueMs;
  const send = () => {
    sentMs = clock.nowMs();
    return shop.purchase({ saleId, buyer: plan.subject, key: plan.key, dropAfterMs: when.dropAfterMs });
  };
  const reply = await (gate === undefined ? send() : gate.run(send));
  if (reply === undefined) tally.notSent(dueMs);
  else tally.purchaseAnswered(plan.key, reply, { dueMs, sentMs, answeredMs: clock.nowMs() });
  return reply;
}

/** One more than the limit allows: a no, unless the first unit was given back meanwhile. The checker knows which. */
async function askForMore(stage: Stage, plan: BuyerPlan): Promise<void> {
  const { tally } = stage;
  const reply = await askOnce(stage, { ...plan, key: `${plan.key}-more` }, {});
  if (reply === undefined) return;
  const order = reply.kind === "ok" ? orderOf(plan, reply) : undefined;
  if (order !== undefined) tally.orders.set(order.id, order);
}

async function reuseKey({ shop, tally, saleId, clock }: Stage, plan: BuyerPlan): Promise<void> {
  const sentMs = clock.nowMs();
  const reply = await shop.purchase({ saleId, buyer: plan.subject, key: plan.key, quantity: 2 });
  if (reply.kind === "ok") return tally.broken(`key ${plan.key} was accepted with another payload`);
  tally.purchaseAnswered(plan.key, reply, { dueMs: sentMs, sentMs, answeredMs: clock.nowMs() });
}

function orderOf(plan: BuyerPlan, { data }: ShopReply): AcceptedOrder | undefined {
  const { id, amount_minor: amountMinor, currency } = data;
  if (typeof id !== "string" || typeof amountMinor !== "number" || typeof currency !== "string") return undefined;
  return { id, buyer: plan.subject, aftermath: plan.aftermath, amountMinor, currency };
}

/** What the buyer does with its order. Resolves when it has done all it will do. */
export async function live(stage: Stage, order: AcceptedOrder, aftermath: Aftermath): Promise<void> {
  switch (aftermath) {
    case "pay":
      return pay(stage, order, "success");
    case "duplicate_callback":
      return pay(stage, order, "duplicate");
    case "pay_twice":
      return pay(stage, order, "second_capture");
    case "pay_by_shop":
      return payByShop(stage, order);
    case "fail_then_pay":
      return payAgainAfter(stage, order, "failure");
    case "wrong_amount":
      return payAgainAfter(stage, order, "wrong_amount");
    case "fail":
      await pay(stage, order, "failure");
      return cancel(stage, order);
    case "late_money":
      // A payment on its way keeps the unit for up to two minutes; the buyer who gives up meanwhile makes its money late.
      await pay(stage, order, "delay:2");
      return cancel(stage, order);
    case "cancel":
      return cancel(stage, order);
    case "abandon":
      return;
    default:
      return unreachable(aftermath);
  }
}

const pay = (stage: Stage, order: AcceptedOrder, scenario: string) => insist(stage, () => stage.shop.pay(order.id, order.buyer, scenario));
const cancel = (stage: Stage, order: AcceptedOrder) => insist(stage, () => stage.shop.cancel(order.id, order.buyer));

function payByShop(stage: Stage, order: AcceptedOrder): Promise<void> {
  const money = { captureId: `shop-${order.id}`, amountMinor: order.amountMinor, currency: order.currency };
  return insist(stage, () => stage.shop.payExternally(order.id, order.buyer, money));
}

/** A first payment that does not pay the order, and once its end is seen, one that does. */
async function payAgainAfter(stage: Stage, order: AcceptedOrder, first: "failure" | "wrong_amount"): Promise<void> {
  await pay(stage, order, first);
  const isOver = (data: ShopReply["data"]) => !isOpen(lastPaymentState(data)) || data["state"] !== "reserved";
  await watch(stage, order, isOver);
  await pay(stage, order, "success");
}

const isOpen = (state: unknown) => state === "created" || state === "pending";

/** Repeats what is safe to repeat until it is known to have been looked at. */
async function insist({ tally, tasks, halt, repeatsMax = repeatsDefault }: Stage, send: () => Promise<ShopReply>): Promise<void> {
  for (let attempt = 0; attempt <= repeatsMax && halt?.aborted !== true; attempt++) {
    const reply = await send();
    tally.otherAnswered(reply);
    if (isFinal(reply)) return;
    await tasks.sleep(backoffMs(attempt, { baseMs: 50, ceilingMs: 1_000 }), halt);
  }
}

/** Reads the order until it shows what the buyer waits for, or the buyer has waited long enough. */
async function watch(stage: Stage, order: AcceptedOrder, seen: (data: ShopReply["data"]) => boolean): Promise<void> {
  const { clock, tasks, shop, tally, payWindowMs, halt } = stage;
  const untilMs = clock.nowMs() + Math.min(payWindowMs, watchMaxMs) + patienceMs;
  while (clock.nowMs() < untilMs && halt?.aborted !== true) {
    const reply = await shop.read(order.id, order.buyer);
    tally.otherAnswered(reply);
    if (reply.status === 404) return tally.broken(`order ${order.id} was accepted and is unknown now`);
    if (reply.kind === "ok" && seen(reply.data)) return;
    await tasks.sleep(pollMs, halt);
  }
}

function lastPaymentState(data: ShopReply["data"]): unknown {
  const payments: unknown = data["payments"];
  const last: unknown = Array.isArray(payments) ? payments.at(-1) : undefined;
  return isObject(last) ? last["state"] : undefined;
}
