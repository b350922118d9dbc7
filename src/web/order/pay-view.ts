/** Paying, or what became of it. */
import type { OrderOnWire, PaymentOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { actButton } from "../shared/forms.ts";
import { money } from "../shared/format.ts";
import { pathsOf } from "../shared/paths.ts";
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
  const { t, payWay, language, acts, working, isPlain } = page;
  if (payWay === "external") return h("p", null, t("pay_by_shop"));
  const open = openPayment(order);
  if (open !== undefined) return openView(page, open);
  const failed = order.payments.length > 0;
  const amount = money(language, order.amount_minor, order.currency);
  const label = working ? t("working") : failed ? t("pay_again") : t("pay_now", { amount });
  const off = working || isLate(page, order) ? "true" : undefined;
  const payButton = (label: string, name: string, scenario: string) =>
    actButton({
      label,
      class: name,
      onClick: () => (off === undefined ? acts?.pay(scenario) : undefined),
      form: isPlain ? { action: `${pathsOf(language, true).order(order.id)}/payments`, fields: { scenario } } : undefined,
      more: { key: scenario, "aria-disabled": off },
    });
  return h(
    "div",
    { class: "pay" },
    payButton(label, "main", "success"),
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
            scenarios.map(([scenario, key]) => payButton(t(key), "quiet", scenario)),
          ),
        ),
  );
}

/** A payment whose outcome is awaited. */
export const openPayment = ({ payments }: OrderOnWire): PaymentOnWire | undefined =>
  payments.find(({ state }) => state === "created" || state === "pending");

function openView({ t, isPlain }: OrderPage, { pay_url: payUrl }: PaymentOnWire): VNode {
  return h(
    "div",
    { class: "pay", role: "status" },
    h("p", { class: "told" }, t(isPlain ? "pay_started_plain" : "pay_started")),
    payUrl === null ? null : h("a", { class: "main", href: payUrl, rel: "noreferrer" }, t("pay_elsewhere")),
  );
}
