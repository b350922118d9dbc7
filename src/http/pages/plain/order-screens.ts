/** One's orders, and one order with what can be done about it. */
import { parsePurchaseId } from "../../../domain/ids.ts";
import { orderView } from "../../../web/order/order-view.ts";
import { filters, ordersView } from "../../../web/order/orders-view.ts";
import { problemText } from "../../../web/order/problem-text.ts";
import { scenarios } from "../../../web/order/pay-view.ts";
import type { ListOnWire, OrderOnWire, PurchaseOnWire, SaleOnWire } from "../../contract/wire.ts";
import { translatorOf } from "../document.ts";
import { statusOf, unread, type Screen, type Visit } from "./screen.ts";

const pageSize = 20;
/** Beyond it nobody leafs. */
const pagesMax = 500;

export async function ordersScreen(visit: Visit): Promise<Screen> {
  const { visitor, language, nowMs, paths, query } = visit;
  const filter = filters.find((each) => each === query.get("show")) ?? "all";
  const page = Math.min(pagesMax, Math.max(1, Math.trunc(Number(query.get("page") ?? 1)) || 1));
  const state = filter === "reserved" || filter === "paid" ? `&state=${filter}` : "";
  const told = await visitor.call<ListOnWire<PurchaseOnWire>>(`/api/v1/purchases?page=${page}&page_size=${pageSize}${state}`);
  if (told.kind !== "done") return unread(visit, told, paths.orders);
  const { items: orders, total } = told.data;
  const names = await namesOf(visit, new Set(orders.map(({ sale_id: saleId }) => saleId)));
  const t = translatorOf(language, ["order"]);
  const hasOlder = total > page * pageSize;
  return {
    kind: "page",
    status: 200,
    title: t("orders_title"),
    here: "my_orders",
    other: (others) => others.orders,
    content: ordersView({ language, t, filter, page, orders, hasOlder, names, nowMs, problem: undefined, isPlain: true, timeZone: "UTC" }),
  };
}

async function namesOf({ visitor }: Visit, saleIds: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const told = await Promise.all([...saleIds].map(async (id) => [id, await visitor.call<SaleOnWire>(`/api/v1/sales/${id}`)] as const));
  return new Map(told.flatMap(([id, sale]) => (sale.kind === "done" ? [[id, sale.data.name] as const] : [])));
}

export async function orderScreen(visit: Visit): Promise<Screen> {
  const { visitor, words, form, paths } = visit;
  const [idText = "", act, ...more] = words;
  const id = parsePurchaseId(idText);
  if (id === undefined || more.length > 0) return { kind: "none" };
  if (form === undefined) return act === undefined ? lookAt(visit, id, undefined) : { kind: "go", to: paths.order(id) };
  const body = bodyOf(visit, act);
  if (body === undefined) return { kind: "none" };
  const told = await visitor.call(`/api/v1/orders/${id}/${act}`, { method: "POST", body });
  if (told.kind === "done") return { kind: "go", to: paths.order(id) };
  if (told.kind === "no" && (told.status === 401 || told.status === 404)) return unread(visit, told, paths.order(id));
  // A deadline that the order never had, or has no more: the page says the one that it has.
  if (act === "extend" && (statusOf(told) === 400 || statusOf(told) === 422)) return { kind: "go", to: paths.order(id) };
  const t = translatorOf(visit.language, ["order"]);
  return lookAt(visit, id, { status: statusOf(told), told: problemText(t, told) });
}

/** What the API is told for an act; undefined for what is none. */
function bodyOf({ form, payWay }: Visit, act: string | undefined): object | undefined {
  if (act === "cancel") return {};
  if (act === "extend") return { pay_by: form?.get("pay_by") ?? "" };
  if (act !== "payments" || payWay === "external") return undefined;
  const scenario = scenarios.find(([name]) => name === form?.get("scenario"))?.[0] ?? "success";
  return payWay === "trial" ? { scenario } : {};
}

async function lookAt(visit: Visit, id: string, failed: { readonly status: number; readonly told: string } | undefined): Promise<Screen> {
  const { visitor, language, nowMs, payWay, paths, query } = visit;
  const told = await visitor.call<OrderOnWire>(`/api/v1/orders/${id}`);
  if (told.kind !== "done") return unread(visit, told, paths.order(id));
  const order = told.data;
  const saleName = (await namesOf(visit, new Set([order.sale_id]))).get(order.sale_id);
  const t = translatorOf(language, ["order"]);
  return {
    kind: "page",
    status: failed?.status ?? 200,
    title: saleName ?? t("order_title"),
    other: (others) => others.order(id),
    content: orderView({
      language,
      t,
      payWay,
      order,
      isUnknown: false,
      saleName,
      nowMs,
      working: false,
      asksCancel: query.has("cancel"),
      told: failed?.told,
      live: undefined,
      acts: undefined,
      isPlain: true,
      timeZone: "UTC",
    }),
  };
}
