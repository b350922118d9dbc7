/** The list of sales, in each language: what is on and comes in full, of what is over the newest. */
import type { Sale, SaleStatus } from "../../domain/sale.ts";
import type { WebBundle } from "../../ports/web-files.ts";
import { cardOf, type ListCard } from "../../web/list/cards.ts";
import type { ListData } from "../../web/list/list-page.ts";
import { listView } from "../../web/list/list-view.ts";
import type { Language } from "../../web/shared/languages.ts";
import { pathsOf } from "../../web/shared/paths.ts";
import type { HttpDeps } from "../deps.ts";
import { saleView } from "../views.ts";
import { documentOf, otherLanguage, translatorOf } from "./document.ts";
import { KeptPages, type Found } from "./kept-pages.ts";
import type { PageBytes } from "./page-bytes.ts";

/** Between two looks at all sales. */
const youngForMs = 3_000;
/** Cards of each kind. */
const shelves: readonly (readonly [status: SaleStatus, countMax: number])[] = [
  ["live", 100],
  ["paused", 20],
  ["scheduled", 100],
  ["ended", 12],
  ["cancelled", 4],
];

export class ListPages {
  readonly #deps: HttpDeps;
  readonly #kept: KeptPages;

  constructor(deps: HttpDeps) {
    this.#deps = deps;
    this.#kept = new KeptPages({ clock: deps.clock, tasks: deps.tasks, youngForMs });
  }

  page(language: Language, bundle: WebBundle): PageBytes | Promise<PageBytes | undefined> {
    return this.#kept.page(language, () => this.#look(language, bundle));
  }

  async #look(language: Language, bundle: WebBundle): Promise<Found> {
    const { records, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const listings = await Promise.all(
      shelves.map(([status, limit]) => records.sales({ nowMs, status, withDrafts: false }, { offset: 0, limit })),
    );
    const cards = await Promise.all(listings.flatMap(({ items }) => items).map((sale) => this.#card(sale, nowMs)));
    return { word: JSON.stringify(cards), html: async () => htmlOf(language, cards, bundle) };
  }

  async #card(sale: Sale, nowMs: number): Promise<ListCard> {
    const image = (await this.#deps.products.get(sale.productId))?.image ?? null;
    return cardOf(saleView(sale, nowMs), image);
  }
}

function htmlOf(language: Language, cards: readonly ListCard[], bundle: WebBundle): string {
  const t = translatorOf(language, ["list"]);
  const own: ListData = { cards };
  return documentOf(bundle, {
    language,
    title: t("list_title"),
    otherPath: pathsOf(otherLanguage(language)).list,
    here: "sales",
    content: listView({ language, t, cards, nowMs: undefined, oldSinceMs: undefined, timeZone: "UTC" }),
    program: { page: "list", groups: ["list"], own },
  });
}
