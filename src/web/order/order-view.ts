/** One order: what became of it, what can be done and until when. The server's word decides; the time is the server's. */
import type { OrderOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { clockText, instant, money } from "../shared/format.ts";
import { actButton, withoutProgram } from "../shared/forms.ts";
import { hearingLine } from "../shared/hearing-line.ts";
import type { Language } from "../shared/languages.ts";
import type { Hearing } from "../shared/live.ts";
import { pathsOf } from "../shared/paths.ts";
import type { Translate } from "../shared/translate.ts";
import { moreTimeView, soonMs } from "./more-time.ts";
import { payView } from "./pay-view.ts";

/** Who takes the money: the simulated provider (with its buttons where one tries things out), or the shop by itself. */
export type PayWay = "trial" | "simulated" | "external";

export type OrderActs = {
  readonly pay: (scenario: string) => void;
  readonly extend: () => void;
  readonly askCancel: () => void;
  readonly keep: () => void;
  readonly cancel: () => void;
  readonly togglePause: () => void;
};

export type OrderPage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly payWay: PayWay;
  readonly order: OrderOnWire | undefined;
  /** The server said that there is no such order. */
  readonly isUnknown: boolean;
  readonly saleName: string | undefined;
  readonly nowMs: number | undefined;
  readonly working: boolean;
  readonly asksCancel: boolean;
  readonly told: string | undefined;
  readonly live: { readonly hearing: Hearing; readonly paused: boolean; readonly said: string } | undefined;
  readonly acts: OrderActs | undefined;
  /** No program is to run: what can be done are forms. */
  readonly isPlain?: boolean | undefined;
  /** Of the reader; the server's pages say UTC. */
  readonly timeZone?: string | undefined;
};

export function orderView(page: OrderPage): VNode {
  const { t, order, language, live, acts, isUnknown, isPlain } = page;
  const paths = pathsOf(language, isPlain);
  const all = h("p", null, h("a", { href: paths.orders }, t("all_orders")));
  if (order === undefined)
    return h(
      "section",
      { class: "order" },
      h("h1", null, t("order_title")),
      isPlain ? null : withoutProgram(t("no_script")),
      h("p", null, t(isUnknown ? "order_unknown" : "working")),
      all,
    );
  return h(
    "section",
    { class: "order", "data-state": order.state },
    h("h1", null, page.saleName ?? t("order_title")),
    h(
      "div",
      { class: `state ${order.state}` },
      h("p", { class: "state-word", tabindex: -1 }, t(`state_${order.state}`)),
      h("p", null, t(order.refunded ? "text_refunded" : textKey(order.state))),
    ),
    order.state === "reserved"
      ? h("div", { class: "todo" }, deadlineView(page, order), moreTimeView(page, order), payView(page, order), cancelView(page, order))
      : null,
    h("div", { role: "status" }, page.told === undefined ? null : h("p", { class: "told" }, page.told)),
    factsView(page, order),
    historyView(page, order),
    live === undefined || acts === undefined ? null : hearingLine(t, live, acts),
    isPlain ? h("p", null, h("a", { href: paths.order(order.id) }, t("look_again"))) : null,
    h("p", null, h("a", { href: paths.sale(order.sale_id) }, t("to_sale"))),
    all,
    h("div", { class: "unseen", role: "status", "aria-live": "polite" }, live?.said ?? ""),
  );
}

function textKey(state: OrderOnWire["state"]): Key {
  return state === "stuck" || state === "offered" ? "text_queued" : `text_${state}`;
}

function deadlineView({ t, language, nowMs, timeZone }: OrderPage, { pay_by: payBy, hold_until: holdUntil }: OrderOnWire): VNode | null {
  if (payBy === null) return null;
  const atMs = Date.parse(payBy);
  const leftMs = nowMs === undefined ? undefined : atMs - nowMs;
  const isKept = holdUntil !== null && Date.parse(holdUntil) > atMs;
  return h(
    "div",
    { class: `deadline ${leftMs !== undefined && leftMs < soonMs ? "soon" : ""}` },
    h("span", { id: "pay-left" }, t("pay_left")),
    h("strong", { role: "timer", "aria-live": "off", "aria-labelledby": "pay-left" }, leftMs === undefined ? "--:--" : clockText(leftMs)),
    h("span", null, h("time", { datetime: payBy }, t("pay_by", { time: instant(language, atMs, timeZone) }))),
    isKept ? h("p", null, t("pay_grace")) : leftMs !== undefined && leftMs < soonMs ? h("p", null, t("pay_soon")) : null,
  );
}

function cancelView({ t, asksCancel, acts, working, language, isPlain }: OrderPage, { id }: OrderOnWire): VNode {
  const path = pathsOf(language, isPlain).order(id);
  const busy = working ? "true" : undefined;
  if (!asksCancel && isPlain) return h("p", { class: "cancel" }, h("a", { class: "quiet", href: `${path}?cancel` }, t("cancel")));
  if (!asksCancel)
    return h("p", { class: "cancel" }, h("button", { type: "button", class: "quiet", onClick: acts?.askCancel }, t("cancel")));
  return h(
    "div",
    { class: "cancel", role: "group", "aria-labelledby": "cancel-question" },
    h("p", { id: "cancel-question", tabindex: -1 }, t("cancel_question")),
    actButton({
      label: t("cancel_yes"),
      class: "second danger",
      onClick: acts?.cancel,
      form: isPlain ? { action: `${path}/cancel` } : undefined,
      more: { "aria-disabled": busy },
    }),
    isPlain
      ? h("a", { class: "second", href: path }, t("cancel_no"))
      : h("button", { type: "button", class: "second", onClick: acts?.keep }, t("cancel_no")),
  );
}

function factsView({ t, language, saleName, timeZone }: OrderPage, order: OrderOnWire): VNode {
  const time = (text: string) => h("time", { datetime: text }, instant(language, Date.parse(text), timeZone));
  const rows: readonly (readonly [Key, VNode | string])[] = [
    ["order_number", order.id],
    ["order_item", saleName ?? order.product_id],
    ["order_quantity", String(order.quantity)],
    ["order_amount", money(language, order.amount_minor, order.currency)],
    ["order_made", time(order.accepted_at)],
    ["order_changed", time(order.changed_at)],
  ];
  return h(
    "dl",
    { class: "rows" },
    rows.map(([key, value]) => h("div", { key }, h("dt", null, t(key)), h("dd", null, value))),
  );
}

function historyView({ t, language, timeZone }: OrderPage, { payments, refunds }: OrderOnWire): VNode {
  const line = (
    what: { readonly id: string; readonly changed_at: string; readonly amount_minor: number; readonly currency: string },
    key: Key,
  ) =>
    h(
      "li",
      { key: what.id },
      h("span", null, t(key)),
      h("span", null, money(language, what.amount_minor, what.currency)),
      h("time", { datetime: what.changed_at }, instant(language, Date.parse(what.changed_at), timeZone)),
    );
  const list = (title: Key, lines: readonly VNode[]) =>
    lines.length === 0 ? null : h("section", null, h("h2", null, t(title)), h("ul", { class: "rows" }, lines));
  return h(
    "div",
    null,
    list(
      "payments_title",
      payments.map((payment) => line(payment, `payment_${payment.state}`)),
    ),
    list(
      "refunds_title",
      refunds.map((refund) => line(refund, `refund_${refund.state}`)),
    ),
  );
}
