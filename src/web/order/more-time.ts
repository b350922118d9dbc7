/** More time to pay: the button beside the timer, and when a page says that little of it is left. */
import type { OrderOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { actButton } from "../shared/forms.ts";
import { pathsOf } from "../shared/paths.ts";
import type { OrderPage } from "./order-view.ts";

/** Below this much time the page says that it is little. */
export const soonMs = 120_000;
/** And again: whoever is warned now has at least twenty seconds to ask for more, however late the page notices (WCAG 2.2.1). */
export const lastCallMs = 40_000;

/** How urgent it is to pay; it is said aloud when this rises. */
export function urgencyOf({ state, pay_by: payBy }: Pick<OrderOnWire, "state" | "pay_by">, nowMs: number | undefined): 0 | 1 | 2 {
  if (state !== "reserved" || payBy === null || nowMs === undefined) return 0;
  const leftMs = Date.parse(payBy) - nowMs;
  return leftMs < lastCallMs ? 2 : leftMs < soonMs ? 1 : 0;
}

export function warningOf({ extensions_left: left }: Pick<OrderOnWire, "extensions_left">, urgency: 1 | 2): Key {
  if (urgency === 1) return "say_2_minutes";
  return left > 0 ? "say_last_call_more" : "say_last_call";
}

/** Until when the order waits: a payment that failed in its grace may be begun again. */
export const isLate = ({ nowMs }: Pick<OrderPage, "nowMs">, { hold_until: holdUntil }: Pick<OrderOnWire, "hold_until">): boolean =>
  holdUntil !== null && nowMs !== undefined && nowMs >= Date.parse(holdUntil);

/** Once all time is given the button stays, for whoever's focus is on it. */
export function moreTimeView(page: OrderPage, order: OrderOnWire): VNode | null {
  const { t, acts, working, language, isPlain } = page;
  const { extensions_used: used, extensions_left: left } = order;
  if (used + left === 0) return null;
  const off = working || left === 0 || isLate(page, order);
  return h(
    "div",
    { class: "more-time" },
    actButton({
      label: t("more_time"),
      class: "second",
      onClick: off ? undefined : acts?.extend,
      form:
        isPlain && !off
          ? { action: `${pathsOf(language, true).order(order.id)}/extend`, fields: { pay_by: order.pay_by ?? "" } }
          : undefined,
      more: { "aria-disabled": off ? "true" : undefined, "aria-describedby": "more-time-left" },
    }),
    h("span", { id: "more-time-left" }, left === 0 ? t("more_time_none") : t("more_time_left", { n: left })),
  );
}
