/** One's own orders: those to pay first, then the newest. */
import type { PurchaseOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { clockText, instant, money } from "../shared/format.ts";
import { withoutProgram } from "../shared/forms.ts";
import type { Language } from "../shared/languages.ts";
import { pathsOf } from "../shared/paths.ts";
import type { Translate } from "../shared/translate.ts";

/** States that the reader may choose, and their links. */
export const filters = ["all", "reserved", "paid", "over"] as const;
export type Filter = (typeof filters)[number];
const over: readonly PurchaseOnWire["state"][] = ["cancelled", "expired", "closed", "refused"];
export const fits = (filter: Filter, { state }: Pick<PurchaseOnWire, "state">): boolean =>
  filter === "all" || (filter === "over" ? over.includes(state) : state === filter);

export type OrdersPage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly filter: Filter;
  readonly page: number;
  /** Undefined while it is asked for. */
  readonly orders: readonly PurchaseOnWire[] | undefined;
  readonly hasOlder: boolean;
  readonly names: ReadonlyMap<string, string>;
  readonly nowMs: number | undefined;
  readonly problem: string | undefined;
  /** Saves all of them as a file; undefined where no program runs. */
  readonly save?: (() => void) | undefined;
  /** No program is to run: its links stay among such pages. */
  readonly isPlain?: boolean | undefined;
  /** Of the reader; the server's pages say UTC. */
  readonly timeZone?: string | undefined;
};

export function ordersView(page: OrdersPage): VNode {
  const { t, orders, language, filter, problem, isPlain } = page;
  const paths = pathsOf(language, isPlain);
  const shown = orders?.filter((order) => fits(filter, order));
  return h(
    "section",
    { class: "orders" },
    h("h1", null, t("orders_title")),
    isPlain ? null : withoutProgram(t("no_script")),
    h(
      "nav",
      { class: "filters", "aria-label": t("orders_filter") },
      filters.map((each) =>
        h(
          "a",
          { key: each, class: "quiet", href: linkTo(paths.orders, each), "aria-current": each === filter ? "true" : undefined },
          t(`filter_${each}`),
        ),
      ),
    ),
    problem === undefined ? null : h("p", { class: "told", role: "status" }, problem),
    shown === undefined
      ? h("p", null, t("working"))
      : shown.length === 0
        ? emptyView(page)
        : h(
            "ul",
            { class: "order-cards" },
            unpaidFirst(shown).map((order) => cardView(page, order)),
          ),
    pagesView(page),
    page.save === undefined || orders === undefined || orders.length === 0
      ? null
      : h("p", null, h("button", { type: "button", class: "quiet", onClick: page.save }, t("save_orders"))),
  );
}

/** That none are shown here is not that there are none. */
function emptyView({ t, language, filter, page, isPlain }: OrdersPage): VNode {
  const paths = pathsOf(language, isPlain);
  const isAll = filter === "all" && page === 1;
  const [text, href, link] = isAll
    ? (["orders_empty", paths.list, "sales"] as const)
    : (["orders_none_here", paths.orders, "all_orders"] as const);
  return h("p", { class: "empty" }, t(text), " ", h("a", { href }, t(link)));
}

const linkTo = (path: string, filter: Filter, page = 1) => {
  const query = [...(filter === "all" ? [] : [`show=${filter}`]), ...(page === 1 ? [] : [`page=${page}`])];
  return query.length === 0 ? path : `${path}?${query.join("&")}`;
};

function unpaidFirst(orders: readonly PurchaseOnWire[]): readonly PurchaseOnWire[] {
  return orders.toSorted((a, b) => Number(b.state === "reserved") - Number(a.state === "reserved"));
}

function cardView({ t, language, names, nowMs, isPlain, timeZone }: OrdersPage, order: PurchaseOnWire): VNode {
  const leftMs = order.state === "reserved" && order.pay_by !== null && nowMs !== undefined ? Date.parse(order.pay_by) - nowMs : undefined;
  return h(
    "li",
    { key: order.id, class: "order-card" },
    h(
      "h2",
      null,
      h("a", { href: pathsOf(language, isPlain).order(order.id) }, names.get(order.sale_id) ?? `${t("order_title")} ${order.id}`),
    ),
    h(
      "p",
      { class: `state-word ${order.state}` },
      t(`state_${order.state}`),
      leftMs === undefined ? null : h("strong", { class: "left" }, ` ${clockText(leftMs)}`),
    ),
    h("p", null, `${order.quantity} × ${money(language, order.price_minor, order.currency)}`),
    h("p", { class: "when" }, h("time", { datetime: order.accepted_at }, instant(language, Date.parse(order.accepted_at), timeZone))),
  );
}

function pagesView({ t, language, page, hasOlder, filter, isPlain }: OrdersPage): VNode | null {
  const { orders } = pathsOf(language, isPlain);
  if (page === 1 && !hasOlder) return null;
  return h(
    "nav",
    { class: "pages", "aria-label": t("older") },
    page > 1 ? h("a", { href: linkTo(orders, filter, page - 1) }, t("newer")) : null,
    hasOlder ? h("a", { href: linkTo(orders, filter, page + 1) }, t("older")) : null,
  );
}
