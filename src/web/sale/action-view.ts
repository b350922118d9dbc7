/** The buy button, why it is as it is, and what else can be done. */
import { h, type VNode } from "../shared/elements.ts";
import type { Values } from "../shared/translate.ts";
import { clockText, instant } from "../shared/format.ts";
import { hiddenFields } from "../shared/forms.ts";
import { pathsOf } from "../shared/paths.ts";
import { buttonOf, orderOf, type ButtonRow } from "./button-states.ts";
import { unitsOf } from "./facts.ts";
import type { SalePage } from "./sale-view.ts";

/** In the last seconds before the start the button counts, too. */
const countsFromMs = 10_000;

export function actionView(page: SalePage): VNode {
  const { t, facts, told } = page;
  const row = buttonOf(facts);
  return h(
    "div",
    { class: `action ${row.state.toLowerCase().replace("_", "-")}`, "data-state": row.state },
    row.act === "buy" && facts.limit - unitsOf(facts.own) > 1 ? quantityView(page) : null,
    buttonView(page, row),
    h("p", { id: "hint", class: "hint" }, t(hintKey(page, row), valuesOf(page))),
    told === undefined ? null : h("p", { class: "told" }, told),
    linksView(page, row),
  );
}

function buttonView(page: SalePage, row: ButtonRow): VNode {
  const { t, acts, card, language, plain } = page;
  const paths = pathsOf(language, plain !== undefined);
  const common = { class: "main", "aria-describedby": "hint" };
  const label = labelOf(page, row);
  const order = orderOf(page.facts);
  if (row.act === "order" && order !== undefined) return h("a", { ...common, href: paths.order(order.id) }, label);
  if (row.act === "sign-in") return h("a", { ...common, href: paths.signIn(paths.sale(card.id)) }, label);
  if (plain !== undefined) return plainButton(page, row, plain.key);
  const buys = row.act === "buy";
  const buy = (event: Event) => {
    event.preventDefault();
    // What the button says decides, also for a click that comes from a moment ago.
    if (buys) acts?.buy();
  };
  // Where no program runs (yet), it leads to where none is needed.
  return h(
    "form",
    acts === undefined ? { action: pathsOf(language, true).sale(card.id) } : { onSubmit: buy },
    h(
      "button",
      {
        ...common,
        type: buys ? "submit" : "button",
        "aria-disabled": buys ? undefined : "true",
        "aria-busy": row.state === "UNKNOWN" ? "true" : undefined,
      },
      label ?? t("button_buy"),
    ),
  );
}

/** Sent again, it is the same purchase: also while it is not known what became of the first. */
function plainButton(page: SalePage, row: ButtonRow, key: string): VNode {
  const { t, quantity } = page;
  const common = { class: "main", "aria-describedby": "hint" };
  const isUnknown = row.state === "UNKNOWN";
  if (row.act !== "buy" && !isUnknown) return h("button", { ...common, type: "button", "aria-disabled": "true" }, labelOf(page, row));
  const fields = isUnknown ? { key, quantity: String(quantity), unknown: "1" } : { key };
  return h(
    "form",
    { id: "buy", method: "post" },
    hiddenFields(fields),
    h("button", common, isUnknown ? t("ask_again") : labelOf(page, row)),
  );
}

function quantityView({ t, facts, quantity, acts, card, plain }: SalePage): VNode | null {
  if (acts === undefined && plain === undefined) return null;
  const most = Math.min(facts.limit - unitsOf(facts.own), facts.sale.available, 10);
  const choose = (event: Event) => {
    // It is on a select alone.
    acts?.choose(Number((event.currentTarget as HTMLSelectElement).value));
  };
  return h(
    "label",
    { class: "quantity" },
    h("span", null, t("quantity")),
    h(
      "select",
      { name: "quantity", form: "buy", onChange: choose, value: Math.min(quantity, most), key: card.id },
      Array.from({ length: most }, (_, at) => h("option", { value: at + 1 }, String(at + 1))),
    ),
  );
}

function labelOf(page: SalePage, row: ButtonRow): string {
  const { t, facts } = page;
  const leftMs = facts.nowMs === undefined ? undefined : facts.sale.startsAtMs - facts.nowMs;
  if (row.state === "BEFORE" && leftMs !== undefined && leftMs <= countsFromMs)
    return t("button_before_seconds", { n: Math.ceil(leftMs / 1000) });
  return t(row.label, valuesOf(page)).trim();
}

function hintKey({ facts, plain }: SalePage, row: ButtonRow): ButtonRow["hint"] {
  if (plain !== undefined && row.state === "BEFORE" && facts.who !== "nobody") return "hint_before_plain";
  if (plain !== undefined && row.state === "OUT_HELD") return "hint_out_held_plain";
  return row.state === "BEFORE" && facts.who === "nobody" ? "hint_before_sign_in" : row.hint;
}

/** The numbers and times that labels and hints may name. */
function valuesOf({ facts, language, timeZone }: SalePage): Values {
  const row = buttonOf(facts);
  const { nowMs, sale, waitUntilMs, limit } = facts;
  if (row.state === "HELD") {
    const until = orderOf(facts)?.pay_by ?? null;
    if (until === null) return { left: "", time: "" };
    const atMs = Date.parse(until);
    return { left: nowMs === undefined ? "" : clockText(atMs - nowMs), time: instant(language, atMs, timeZone) };
  }
  if (row.state === "LIMITED") return { n: Math.max(1, Math.ceil(((waitUntilMs ?? 0) - (nowMs ?? 0)) / 1000)) };
  return { n: row.state === "QUOTA_REACHED" ? limit : sale.held };
}

function linksView({ t, facts, card, language, plain }: SalePage, row: ButtonRow): VNode | null {
  const paths = pathsOf(language, plain !== undefined);
  if (row.state === "BEFORE" && facts.who === "nobody")
    return h("p", null, h("a", { href: paths.signIn(paths.sale(card.id)) }, t("go_sign_in")));
  if (plain !== undefined && ["PAUSED", "BEFORE", "LIMITED", "OUT_HELD"].includes(row.state))
    return h("p", null, h("a", { href: paths.sale(card.id) }, t("look_again")));
  if (row.state === "PROCESSING" || row.state === "QUOTA_REACHED") return h("p", null, h("a", { href: paths.orders }, t("see_orders")));
  return null;
}
