/**
 * A sale, as its visitor stands to it, and the form that buys. The form carries its key, made by the server: sent again, by
 * a reload or a second press, it is the same purchase. The key is kept until the answer is definite.
 */
import { isKey, parseSaleId } from "../../../domain/ids.ts";
import { quotaUnitsMax } from "../../../domain/quota.ts";
import type { Outcome } from "../../../web/sale/attempt.ts";
import { saleNow, type SaleFacts } from "../../../web/sale/facts.ts";
import { toldOf } from "../../../web/sale/outcome-text.ts";
import { saleView } from "../../../web/sale/sale-view.ts";
import type { Told } from "../../../web/shared/api.ts";
import type { ListOnWire, ProductOnWire, PurchaseOnWire, SaleOnWire } from "../../contract/wire.ts";
import { translatorOf } from "../document.ts";
import { statusOf, unread, type Screen, type Visit } from "./screen.ts";

/** How the form that was sent has ended; `keeps` its key where that may still be needed. */
type Sent = {
  readonly outcome: Exclude<Outcome, { kind: "accepted" }> | "unknown";
  readonly keeps: boolean;
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
};

export async function saleScreen(visit: Visit): Promise<Screen> {
  const { words, form, paths } = visit;
  const id = words.length === 1 ? parseSaleId(words[0] ?? "") : undefined;
  if (id === undefined) return { kind: "none" };
  if (form === undefined) return lookAt(visit, id, undefined);
  const key = form.get("key") ?? "";
  const quantity = Number(form.get("quantity") ?? 1);
  // No form of ours says so.
  if (!isKey(key) || !Number.isSafeInteger(quantity) || quantity < 1 || quantity > quotaUnitsMax)
    return lookAt(visit, id, { outcome: { kind: "nothing" }, keeps: false, status: 400, key, quantity: 1 });
  const told = await visit.visitor.call<{ readonly id: string }>(`/api/v1/sales/${id}/purchases`, {
    method: "POST",
    key,
    body: { quantity },
  });
  if (told.kind === "done") return { kind: "go", to: paths.order(told.data.id) };
  if (told.kind === "no" && told.status === 401) return { kind: "go", to: paths.signIn(paths.sale(id)) };
  const sent = sentOf(told, form.has("unknown"));
  const found = sent.outcome === "unknown" ? await findByKey(visit, id, key) : undefined;
  return found === undefined ? lookAt(visit, id, { ...sent, key, quantity }) : { kind: "go", to: paths.order(found) };
}

/** What became of a form without an answer, if anything is known of it. That nothing is says nothing. */
async function findByKey({ visitor }: Visit, id: string, key: string): Promise<string | undefined> {
  const told = await visitor.call<PurchaseOnWire>(`/api/v1/sales/${id}/purchases/by-key/${encodeURIComponent(key)}`);
  return told.kind === "done" ? told.data.id : undefined;
}

/** What was not tried says nothing about the same key sent before, if that may have happened. */
function sentOf(told: Exclude<Told<unknown>, { kind: "done" }>, wasUnknown: boolean): Sent {
  const status = statusOf(told);
  if (told.kind === "silence" || status === 500 || status === 504) return { outcome: "unknown", keeps: true, status };
  const { problem, retryAfterMs } = told;
  if (![403, 429, 503].includes(status)) return { outcome: { kind: "refused", problem }, keeps: false, status };
  return { outcome: wasUnknown ? "unknown" : { kind: "not_tried", status, problem, retryAfterMs }, keeps: true, status, retryAfterMs };
}

async function lookAt(
  visit: Visit,
  id: string,
  sent: (Sent & { readonly key: string; readonly quantity: number }) | undefined,
): Promise<Screen> {
  const { visitor, language, nowMs, paths } = visit;
  const told = await visitor.call<SaleOnWire>(`/api/v1/sales/${id}`);
  if (told.kind !== "done") return unread(visit, told, paths.sale(id));
  const sale = told.data;
  const [product, own] = await Promise.all([visitor.call<ProductOnWire>(`/api/v1/products/${sale.product_id}`), ownIn(visit, id)]);
  if (own.kind === "screen") return own.screen;
  const facts: SaleFacts = {
    nowMs,
    sale: saleNow(sale),
    who: own.who,
    own: own.purchases,
    limit: sale.per_buyer_limit,
    asking: sent?.outcome === "unknown",
    waitUntilMs: undefined,
  };
  const t = translatorOf(language, ["sale"]);
  const image = product.kind === "done" ? product.data.image : null;
  const card = { id, name: sale.name, priceMinor: sale.price_minor, currency: sale.currency, perBuyerLimit: sale.per_buyer_limit, image };
  return {
    kind: "page",
    status: sent?.status ?? 200,
    retryAfterMs: sent?.retryAfterMs,
    title: sale.name,
    other: (others) => others.sale(id),
    content: saleView({
      language,
      t,
      card,
      facts,
      quantity: sent?.quantity ?? 1,
      told: sent === undefined ? undefined : sent.outcome === "unknown" ? t("told_unknown") : toldOf(t, sent.outcome),
      live: undefined,
      acts: undefined,
      plain: { key: sent?.keeps === true ? sent.key : visit.newKey() },
      timeZone: "UTC",
    }),
  };
}

type Own =
  | { readonly kind: "own"; readonly who: "nobody" | "account" | "banned"; readonly purchases: readonly PurchaseOnWire[] }
  | { readonly kind: "screen"; readonly screen: Screen };

async function ownIn(visit: Visit, id: string): Promise<Own> {
  if (!visit.visitor.isSignedIn) return { kind: "own", who: "nobody", purchases: [] };
  const told = await visit.visitor.call<ListOnWire<PurchaseOnWire>>(`/api/v1/purchases?sale_id=${id}&page_size=100`);
  if (told.kind === "done") return { kind: "own", who: "account", purchases: told.data.items };
  if (told.kind === "no" && told.status === 401) return { kind: "own", who: "nobody", purchases: [] };
  if (told.kind === "no" && told.status === 403) return { kind: "own", who: "banned", purchases: [] };
  return { kind: "screen", screen: unread(visit, told, visit.paths.sale(id)) };
}
