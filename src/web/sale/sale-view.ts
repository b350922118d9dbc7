/** A sale page as elements: a function of what is known, on the server as in the browser. */
import { h, type VNode } from "../shared/elements.ts";
import type { Key } from "../messages/catalogue.ts";
import { instant, money } from "../shared/format.ts";
import { hearingLine } from "../shared/hearing-line.ts";
import type { Language } from "../shared/languages.ts";
import type { Hearing } from "../shared/live.ts";
import { withoutProgram } from "../shared/forms.ts";
import { pathsOf } from "../shared/paths.ts";
import { pictureOf } from "../shared/picture.ts";
import type { Translate } from "../shared/translate.ts";
import { actionView } from "./action-view.ts";
import { countdownView } from "./countdown-view.ts";
import type { SaleFacts } from "./facts.ts";

/** What of a sale never changes while its page is open. */
export type SaleCard = {
  readonly id: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly perBuyerLimit: number;
  readonly image: string | null;
};

export type SaleActs = {
  readonly buy: () => void;
  readonly choose: (quantity: number) => void;
  readonly togglePause: () => void;
  readonly readTime: () => void;
};

export type SalePage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly card: SaleCard;
  readonly facts: SaleFacts;
  readonly quantity: number;
  /** How the last click ended, if that is to be said. */
  readonly told: string | undefined;
  /** Undefined where no program runs. */
  readonly live: { readonly hearing: Hearing; readonly paused: boolean; readonly clockBoundMs: number; readonly said: string } | undefined;
  readonly acts: SaleActs | undefined;
  /** Where no program is to run: the key under which its form buys. */
  readonly plain?: { readonly key: string } | undefined;
  /** Of the reader; the server's pages say UTC. */
  readonly timeZone?: string | undefined;
};

export function saleView(page: SalePage): VNode {
  const { t, card, language } = page;
  return h(
    "article",
    { class: "sale" },
    h("div", { class: "picture" }, pictureOf(card, { sizes: "(min-width: 52rem) 34rem, 100vw", isFirst: true })),
    h(
      "div",
      { class: "about" },
      h("h1", null, card.name),
      h(
        "p",
        { class: "price" },
        h("span", { class: "unseen" }, `${t("price")}: `),
        h("strong", null, money(language, card.priceMinor, card.currency)),
        h("span", { class: "limit" }, t("limit", { n: card.perBuyerLimit })),
      ),
      countdownView(page),
      stockView(page),
    ),
    actionView(page),
    footView(page),
  );
}

function stockView({ t, facts: { sale } }: SalePage): VNode {
  const { available, held, sold, issued } = sale;
  return h(
    "section",
    { class: "stock", "aria-label": t("stock_title") },
    h("progress", { max: Math.max(1, issued), value: available, "aria-label": t("stock_bar", { available, issued }) }),
    h(
      "p",
      null,
      h("span", { class: "available" }, t("available", { n: available })),
      h("span", { class: "held" }, t("held", { n: held })),
      h("span", { class: "sold" }, t("sold", { n: sold })),
    ),
  );
}

function footView({ t, live, acts, language, facts, timeZone, plain }: SalePage): VNode {
  const at = (key: "starts_at" | "ends_at", ms: number) =>
    h("p", null, h("time", { datetime: new Date(ms).toISOString() }, t(key, { time: instant(language, ms, timeZone) })));
  const clock =
    live === undefined
      ? undefined
      : Number.isFinite(live.clockBoundMs)
        ? t("server_time", { ms: Math.ceil(live.clockBoundMs) })
        : t("server_time_unknown");
  return h(
    "footer",
    { class: "facts" },
    at("starts_at", facts.sale.startsAtMs),
    at("ends_at", facts.sale.endsAtMs),
    clock === undefined ? null : h("p", { class: "clock" }, clock),
    live === undefined && plain === undefined ? withoutProgram(t("no_script")) : null,
    live === undefined || acts === undefined ? null : hearingLine(t, live, acts),
    h("p", null, h("a", { href: pathsOf(language).list }, t("other_sales"))),
    h("div", { class: "unseen", role: "status", "aria-live": "polite" }, live?.said ?? ""),
  );
}
