/** All sales as cards, in three groups: what is on, what comes, what was. */
import type { Key } from "../messages/catalogue.ts";
import { phaseOf, type SaleNow } from "../sale/facts.ts";
import { h, type VNode } from "../shared/elements.ts";
import { instant, money } from "../shared/format.ts";
import type { Language } from "../shared/languages.ts";
import { pathsOf } from "../shared/paths.ts";
import { pictureOf } from "../shared/picture.ts";
import type { Translate } from "../shared/translate.ts";
import type { ListCard } from "./cards.ts";

export type ListPage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly cards: readonly ListCard[];
  readonly nowMs: number | undefined;
  /** Since when nothing more was heard, if that is so. */
  readonly oldSinceMs: number | undefined;
  readonly timeZone?: string | undefined;
};

type Shelf = "list_live" | "list_soon" | "list_over";

export function listView(page: ListPage): VNode {
  const { t, language, oldSinceMs, timeZone } = page;
  const shelves = Map.groupBy(page.cards, (card) => shelfOf(card, page.nowMs));
  return h(
    "div",
    { class: "list" },
    h("h1", null, t("list_title")),
    h("p", { class: "intro" }, t("list_intro")),
    page.cards.length === 0 ? h("p", { class: "empty" }, t("list_empty")) : null,
    oldSinceMs === undefined
      ? null
      : h("p", { class: "told", role: "status" }, t("stock_not_live", { time: instant(language, oldSinceMs, timeZone) })),
    ...(["list_live", "list_soon", "list_over"] as const).map((shelf) => shelfView(page, shelf, shelves.get(shelf) ?? [])),
  );
}

function shelfOf({ sale }: ListCard, nowMs: number | undefined): Shelf {
  const phase = phaseOf({ sale, nowMs });
  return phase === "before" ? "list_soon" : phase === "ended" || phase === "cancelled" ? "list_over" : "list_live";
}

/** What begins or ends next comes first; of what is over, what ended last. */
function inOrder(shelf: Shelf, cards: readonly ListCard[]): readonly ListCard[] {
  const by = (card: ListCard) =>
    shelf === "list_soon" ? card.sale.startsAtMs : shelf === "list_live" ? card.sale.endsAtMs : -card.sale.endsAtMs;
  return cards.toSorted((a, b) => by(a) - by(b) || (a.id < b.id ? -1 : 1));
}

function shelfView(page: ListPage, shelf: Shelf, cards: readonly ListCard[]): VNode | null {
  const { t } = page;
  if (cards.length === 0 && (shelf !== "list_live" || page.cards.length === 0)) return null;
  return h(
    "section",
    { "aria-labelledby": shelf },
    h("h2", { id: shelf }, t(shelf)),
    cards.length === 0
      ? h("p", { class: "empty" }, t("list_none_live"))
      : h(
          "ul",
          { class: `cards ${shelf === "list_over" ? "past" : ""}` },
          inOrder(shelf, cards).map((card) => cardView(page, shelf, card)),
        ),
  );
}

function cardView({ t, language, timeZone }: ListPage, shelf: Shelf, card: ListCard): VNode {
  const { sale } = card;
  const [key, atMs] = (
    {
      list_soon: ["card_starts", sale.startsAtMs],
      list_live: ["card_ends", sale.endsAtMs],
      list_over: ["card_ended", sale.endsAtMs],
    } as const
  )[shelf];
  const time = h("time", { datetime: new Date(atMs).toISOString() }, t(key, { time: instant(language, atMs, timeZone) }));
  const stock = stockKey(sale);
  return h(
    "li",
    { key: card.id, class: "card" },
    h("div", { class: "picture" }, pictureOf(card, { sizes: "(min-width: 48rem) 20rem, 100vw", isFirst: false })),
    h(
      "div",
      { class: "about" },
      h("h3", null, h("a", { href: pathsOf(language).sale(card.id) }, card.name)),
      h(
        "p",
        { class: "price" },
        h("span", { class: "unseen" }, `${t("price")}: `),
        h("strong", null, money(language, card.priceMinor, card.currency)),
      ),
      hasStockWord(shelf, sale) ? h("p", { class: `stock-word ${stock}` }, t(stock)) : null,
      h("p", { class: "when" }, time),
    ),
  );
}

/** Of the units issued: below it they are few. */
const fewShare = 0.2;

/** Before the start all is there; after the end what is left says nothing to anybody. */
const hasStockWord = (shelf: Shelf, { status }: SaleNow): boolean => shelf === "list_live" || status === "cancelled";

/** In words: numbers that change each second belong to the sale's own page. */
export function stockKey({ status, available, held, issued }: SaleNow): Key {
  if (status === "cancelled") return "stock_cancelled";
  if (status === "paused") return "stock_paused";
  if (available > 0) return available < issued * fewShare ? "stock_few" : "stock_plenty";
  return held > 0 ? "stock_taken" : "stock_none";
}
