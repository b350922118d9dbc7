/** The things of the domain by the names that two of the seeds have for them: a price in whole units, a status as a number. */
import type { Product } from "../../domain/product.ts";
import type { Purchase, PurchaseState } from "../../domain/purchase.ts";
import { formatDecimal, type Money } from "../../domain/money.ts";
import { isOver, statusOf, type Sale } from "../../domain/sale.ts";
import type { Order } from "../../engine/orders.ts";
import type { reservationStatuses } from "../contract/seeds.ts";
import { statusNumbers } from "../contract/seeds.ts";
import { isoTime } from "../time.ts";
import { orderView, productView, purchaseView } from "../views.ts";

/** At most ten digits, so the number has exactly those that the decimal has. */
const decimal = (money: Money): number => Number(formatDecimal(money));

/** With what its current sale has, if there is one; without one that sells, the stock is what the inventory has free. */
export function shopProductView(product: Product, sale: Sale | undefined, nowMs: number) {
  const isSelling = sale !== undefined && !isOver(statusOf(sale, nowMs));
  return {
    ...productView(product),
    price: decimal(sale?.price ?? product.price),
    stock: isSelling ? sale.balances.available : product.inventory,
    start_time: sale === undefined ? null : isoTime(sale.startsAtMs),
  };
}

export function shopOrderItemView(purchase: Purchase, userId: string | undefined) {
  return { ...purchaseView(purchase), ...orderNames(purchase, userId) };
}

export function shopOrderView(order: Order, userId: string | undefined) {
  return { ...orderView(order), ...orderNames(order.purchase, userId) };
}

const orderNames = ({ id, price, state }: Purchase, userId: string | undefined) => ({
  order_num: id,
  user_id: userId ?? null,
  price: decimal(price),
  status: statusNumbers[phaseOf[state]],
});

const phaseOf: Readonly<Record<PurchaseState, keyof typeof statusNumbers>> = {
  queued: "unpaid",
  offered: "unpaid",
  reserved: "unpaid",
  stuck: "unpaid",
  paid: "paid",
  refused: "over",
  cancelled: "over",
  expired: "over",
  closed: "over",
};

/** The states behind a number. */
export function statesOf(status: "0" | "1" | "2"): readonly PurchaseState[] {
  // The table above has a row for every state.
  const states = Object.keys(phaseOf) as PurchaseState[];
  return states.filter((state) => String(statusNumbers[phaseOf[state]]) === status);
}

const reservationStatusOf: Readonly<Record<PurchaseState, (typeof reservationStatuses)[number]>> = {
  queued: "waiting_for_order",
  stuck: "waiting_for_order",
  offered: "waiting_for_payment",
  reserved: "waiting_for_payment",
  paid: "paid",
  cancelled: "cancelled_by_buyer",
  expired: "timed_out",
  closed: "closed_by_shop",
  refused: "refused",
};

/** Reservation and order are one row, so they share their id; there is no order while none was made. */
export function reservationView({ id, productId, quantity, state }: Purchase) {
  const status = reservationStatusOf[state];
  const hasOrder = status !== "waiting_for_order" && status !== "refused";
  return { seckill_id: id, order_id: hasOrder ? id : null, product_id: productId, quantity, status };
}
