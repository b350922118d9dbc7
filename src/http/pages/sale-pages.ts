/** Sale pages, and starts as calendar files: for each published sale, in each language, looked at once a second at most. */
import { parseSaleId } from "../../domain/ids.ts";
import { statusOf, type Sale } from "../../domain/sale.ts";
import type { WebBundle } from "../../ports/web-files.ts";
import { saleNow } from "../../web/sale/facts.ts";
import { saleView, type SaleCard } from "../../web/sale/sale-view.ts";
import type { SaleData } from "../../web/sale/sale-page.ts";
import type { Language } from "../../web/shared/languages.ts";
import { pathsOf } from "../../web/shared/paths.ts";
import type { HttpDeps } from "../deps.ts";
import { saleView as saleOnWire } from "../views.ts";
import { calendarFile } from "./calendar-file.ts";
import { documentOf, otherLanguage, translatorOf } from "./document.ts";
import { KeptPages, type Found } from "./kept-pages.ts";
import type { PageBytes } from "./page-bytes.ts";

/** Between two looks at a sale. */
const youngForMs = 1_000;

export class SalePages {
  readonly #deps: HttpDeps;
  readonly #kept: KeptPages;
  readonly #calendars: KeptPages;

  constructor(deps: HttpDeps) {
    this.#deps = deps;
    const options = { clock: deps.clock, tasks: deps.tasks, youngForMs };
    this.#kept = new KeptPages(options);
    this.#calendars = new KeptPages(options);
  }

  /** Undefined if there is no such sale, or not yet. */
  page(language: Language, idText: string, bundle: WebBundle): PageBytes | Promise<PageBytes | undefined> {
    return this.#kept.page(`${language}/${idText}`, () => this.#look(language, idText, bundle));
  }

  /** Undefined if there is no such sale, or none that is yet to start. */
  calendar(language: Language, idText: string): PageBytes | Promise<PageBytes | undefined> {
    return this.#calendars.page(`${language}/${idText}`, async () => {
      const sale = await this.#saleOf(idText);
      if (sale === undefined || statusOf(sale, this.#deps.clock.nowMs()) !== "scheduled") return undefined;
      const t = translatorOf(language, ["calendar"]);
      const words = { title: t("calendar_title", { name: sale.name }), about: t("calendar_about") };
      return { word: String(sale.feed), html: async () => calendarFile(sale, words) };
    });
  }

  async #saleOf(idText: string): Promise<Sale | undefined> {
    const id = parseSaleId(idText);
    const sale = id === undefined ? undefined : (await this.#deps.board.load(id))?.sale;
    return sale?.phase === "draft" ? undefined : sale;
  }

  async #look(language: Language, idText: string, bundle: WebBundle): Promise<Found | undefined> {
    const sale = await this.#saleOf(idText);
    if (sale === undefined) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    const product = await this.#deps.products.get(sale.productId);
    const word = `${sale.feed}.${statusOf(sale, nowMs)}.${product?.version}`;
    return { word, html: async () => this.#html(language, sale, bundle, { image: product?.image ?? null, nowMs }) };
  }

  #html(
    language: Language,
    sale: Sale,
    bundle: WebBundle,
    { image, nowMs }: { readonly image: string | null; readonly nowMs: number },
  ): string {
    const onWire = saleOnWire(sale, nowMs);
    const { id, name, price, perBuyerLimit } = sale;
    const card: SaleCard = { id, name, priceMinor: price.minor, currency: price.currency, perBuyerLimit, image };
    const t = translatorOf(language, ["sale"]);
    const unknown = { nowMs: undefined, who: "unknown", own: [], asking: false, waitUntilMs: undefined } as const;
    const facts = { ...unknown, sale: saleNow(onWire), limit: perBuyerLimit };
    const own: SaleData = { card, sale: onWire };
    return documentOf(bundle, {
      language,
      title: name,
      otherPath: pathsOf(otherLanguage(language)).sale(id),
      content: saleView({ language, t, card, facts, quantity: 1, told: undefined, live: undefined, acts: undefined, timeZone: "UTC" }),
      program: { page: "sale", groups: ["sale"], own },
    });
  }
}
