/** Paying, or what became of it. */
import type { OrderOnWire, PaymentOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { money } from "../shared/format.ts";
import { isLate } from "./more-time.ts";
import type { OrderPage } from "./order-view.ts";

/** How the simulated provider may be told to behave. */
export const scenarios: readonly (readonly [scenario: string, key: Key])[] = [
  ["success", "scenario_success"],
  ["failure", "scenario_failure"],
  ["delay:10", "scenario_delay"],
  ["duplicate", "scenario_duplicate"],
  ["late", "scenario_late"],
  ["wrong_amount", "scenario_wrong_amount"],
  ["second_capture", "scenario_second_capture"],
  ["abandon", "scenario_abandon"],
];

export function payView(page: OrderPage, order: OrderOnWire): VNode {
  const { t, payWay, language, acts, working } = page;
  if (payWay === "external") return h("p", null, t("pay_by_shop"));
  const open = openPayment(order);
  if (open !== undefined) return openView(page, open);
  const failed = order.payments.length > 0;
  const amount = money(language, order.amount_minor, order.currency);
  const label = working ? t("working") : failed ? t("pay_again") : t("pay_now", { amount });
  const off = working || isLate(page, order) ? "true" : undefined;
  const pay = (scenario: string) => () => (off === undefined ? acts?.pay(scenario) : undefined);
  return h(
    "div",
    { class: "pay" },
    h("button", { type: "button", class: "main", "aria-disabled": off, onClick: pay("success") }, label),
    payWay === "simulated"
      ? null
      : h(
          "details",
          { class: "trial" },
          h("summary", null, t("pay_test")),
          h("p", { class: "hint" }, t("pay_test_text")),
          h(
            "div",
            { class: "scenarios" },
            scenarios.map(([scenario, key]) =>
              h("button", { key: scenario, type: "button", class: "quiet", "aria-disabled": off, onClick: pay(scenario) }, t(key)),
            ),
          ),
        ),
  );
}

/** A payment whose outcome is awaited. */
export const openPayment = ({ payments }: OrderOnWire): PaymentOnWire | undefined =>
  payments.find(({ state }) => state === "created" || state === "pending");

function openView({ t }: OrderPage, { pay_url: payUrl }: PaymentOnWire): VNode {
  return h(
    "div",
    { class: "pay", role: "status" },
    h("p", { class: "told" }, t("pay_started")),
    payUrl === null ? null : h("a", { class: "main", href: payUrl, rel: "noreferrer" }, t("pay_elsewhere")),
  );
}
