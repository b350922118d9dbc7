/**
 * Sale pages, kept as bytes for a second at a time: a stampede on one page is one rendering a second, however many come.
 *
 *   asked ─► kept and young? ─► yes: these bytes
 *                └ no ─► one look at the sale for all who ask ─► changed? ─► made anew, the last bytes meanwhile
 *                                └ cannot be read ─► the old bytes, for an hour
 *
 * Must stay true: a page holds the sale's numbers and nothing of anybody, and whoever has seen a page gets one as long as
 * this process lives, whatever the store does.
 */
import { parseSaleId, type SaleId } from "../../domain/ids.ts";
import { statusOf, type Sale } from "../../domain/sale.ts";
import type { WebBundle } from "../../ports/web-files.ts";
import { saleNow } from "../../web/sale/facts.ts";
import { saleView, type SaleCard } from "../../web/sale/sale-view.ts";
import type { SaleData } from "../../web/sale/sale-page.ts";
import type { Language } from "../../web/shared/languages.ts";
import { pathsOf } from "../../web/shared/paths.ts";
import type { HttpContext } from "../context.ts";
import { saleView as saleOnWire } from "../views.ts";
import { documentOf, otherLanguage, translatorOf } from "./document.ts";
import { pageBytes, type PageBytes } from "./page-bytes.ts";

/** Between two looks at a sale. */
const youngForMs = 1_000;
/** A page that was looked at longer ago is shown only if a new one is not there soon. */
const soonForMs = 5_000;
const newWithinMs = 500;
/** How long an old page may stand in for one that cannot be made. */
const staleForMs = 3_600_000;
/** Pages kept: sales times languages. Beyond it the one that was made first goes. */
const keptMax = 400;

type Kept = { readonly word: string; readonly page: PageBytes; readonly madeAtMs: number; lookedAtMs: number };

export class SalePages {
  readonly #context: Pick<HttpContext, "deps">;
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, Promise<PageBytes | undefined>>();

  constructor(context: Pick<HttpContext, "deps">) {
    this.#context = context;
  }

  /** Undefined if there is no such sale. Throws what the store throws, if there is no old page either. */
  page(language: Language, idText: string, bundle: WebBundle): PageBytes | Promise<PageBytes | undefined> {
    const name = `${language}/${idText}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && this.#nowMs() - kept.lookedAtMs < youngForMs) return kept.page;
    let making = this.#making.get(name);
    if (making === undefined) {
      making = this.#look({ language, name, id: parseSaleId(idText), bundle }).finally(() => this.#making.delete(name));
      this.#making.set(name, making);
    }
    if (kept === undefined) return making;
    making.catch(() => {});
    return this.#nowMs() - kept.lookedAtMs < soonForMs ? kept.page : this.#soon(making, kept.page);
  }

  /** The new page, or the old one if the store takes its time. */
  #soon(making: Promise<PageBytes | undefined>, old: PageBytes): Promise<PageBytes | undefined> {
    const late = new AbortController();
    const waited = this.#context.deps.tasks.sleep(newWithinMs, late.signal).then(() => old);
    return Promise.race([making.catch(() => old), waited]).finally(() => late.abort());
  }

  async #look({
    language,
    name,
    id,
    bundle,
  }: {
    language: Language;
    name: string;
    id: SaleId | undefined;
    bundle: WebBundle;
  }): Promise<PageBytes | undefined> {
    const { deps } = this.#context;
    const kept = this.#kept.get(name);
    try {
      const sale = id === undefined ? undefined : (await deps.board.load(id))?.sale;
      if (sale === undefined || sale.phase === "draft") return this.#forget(name);
      const nowMs = this.#nowMs();
      const word = `${sale.feed}.${statusOf(sale, nowMs)}`;
      if (kept?.word === word) {
        kept.lookedAtMs = nowMs;
        return kept.page;
      }
      const page = await pageBytes(await this.#html(language, sale, bundle));
      return this.#keep(name, { word, page, madeAtMs: nowMs, lookedAtMs: nowMs });
    } catch (error) {
      if (kept === undefined || this.#nowMs() - kept.madeAtMs > staleForMs) throw error;
      kept.lookedAtMs = this.#nowMs();
      return kept.page;
    }
  }

  #forget(name: string): undefined {
    this.#kept.delete(name);
  }

  #keep(name: string, kept: Kept): PageBytes {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest);
    return kept.page;
  }

  async #html(language: Language, sale: Sale, bundle: WebBundle): Promise<string> {
    const image = (await this.#context.deps.products.get(sale.productId))?.image ?? null;
    const onWire = saleOnWire(sale, this.#nowMs());
    const { id, name, price, perBuyerLimit } = sale;
    const card: SaleCard = { id, name, priceMinor: price.minor, currency: price.currency, perBuyerLimit, image };
    const t = translatorOf(language, ["sale"]);
    const facts = {
      nowMs: undefined,
      sale: saleNow(onWire),
      who: "unknown",
      own: [],
      limit: perBuyerLimit,
      asking: false,
      waitUntilMs: undefined,
    } as const;
    const own: SaleData = { card, sale: onWire };
    return documentOf(bundle, {
      language,
      title: name,
      otherPath: pathsOf(otherLanguage(language)).sale(id),
      content: saleView({ language, t, card, facts, quantity: 1, told: undefined, live: undefined, acts: undefined, timeZone: "UTC" }),
      program: { page: "sale", groups: ["sale"], own },
    });
  }

  #nowMs(): number {
    return this.#context.deps.clock.nowMs();
  }
}
