/** A whole HTML page around its content: the same frame for every page, in the reader's language. */
import { renderToString } from "preact-render-to-string";
import type { WebBundle, WebPage } from "../../ports/web-files.ts";
import { messagesOf, type Group, type Key } from "../../web/messages/catalogue.ts";
import { h, type VNode } from "../../web/shared/elements.ts";
import type { Language } from "../../web/shared/languages.ts";
import type { PageData } from "../../web/shared/page-data.ts";
import { pathsOf } from "../../web/shared/paths.ts";
import { translator, type Translate } from "../../web/shared/translate.ts";

export type PageParts = {
  readonly language: Language;
  readonly title: string;
  /** The same page in the other language. */
  readonly otherPath: string;
  /** No program is to run: its links stay among such pages. */
  readonly isPlain?: boolean | undefined;
  /** Which of the header's links is this very page. */
  readonly here?: "sales" | "my_orders" | "my_account" | undefined;
  readonly content: VNode;
  /** Until the page's program draws. */
  readonly below?: VNode | undefined;
  /** Its program, the messages that it says and what it is told at the start; none for pages that only say something. */
  readonly program?: { readonly page: WebPage; readonly groups: readonly Group[]; readonly own: unknown } | undefined;
  /** Without its program it has nothing to show, so whoever runs none is led to the page that needs none. */
  readonly isShell?: boolean | undefined;
};

export function otherLanguage(language: Language): Language {
  return language === "en" ? "zh-CN" : "en";
}

export const translatorOf = (language: Language, groups: readonly Group[]): Translate<Key> =>
  translator<Key>(language, messagesOf(language, ["common", ...groups]));

export function documentOf(bundle: WebBundle, parts: PageParts): string {
  const { language, title, program } = parts;
  const head = [
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta name="color-scheme" content="light dark"><title>${escaped(title)}</title><link rel="icon" href="${icon}">`,
    `<style>${bundle.style}</style>`,
    parts.isShell ? '<noscript><meta http-equiv="refresh" content="0;url=?plain"></noscript>' : "",
    program === undefined ? "" : `<script type="module" src="/assets/${bundle.scripts[program.page]}"></script>`,
  ];
  return `<!doctype html>\n<html lang="${language}"><head>${head.join("")}</head><body>${bodyOf(parts)}${dataOf(parts)}</body></html>\n`;
}

function bodyOf({ language, otherPath, here, content, below, isPlain }: PageParts): string {
  const t = translatorOf(language, []);
  const paths = pathsOf(language, isPlain);
  const other = otherLanguage(language);
  const link = (href: string, key: "sales" | "my_orders" | "my_account") =>
    h("a", { href, "aria-current": here === key ? "page" : undefined }, t(key));
  return renderToString(
    h(
      "div",
      { class: "page" },
      h("a", { class: "skip", href: "#content" }, t("skip")),
      h(
        "header",
        { class: "top" },
        h("a", { class: "brand", href: paths.list }, t("brand")),
        h(
          "nav",
          { "aria-label": t("brand") },
          link(paths.list, "sales"),
          link(paths.orders, "my_orders"),
          link(paths.account, "my_account"),
        ),
        h("a", { class: "language", href: otherPath, hreflang: other, lang: other }, t("other_language")),
      ),
      h("main", { id: "content", tabindex: -1 }, content, below),
      h("footer", { class: "bottom" }, h("p", null, t("footer"))),
    ),
  );
}

/** No browser runs it, so no policy has to allow it; and no text within can end it. */
function dataOf({ language, program }: PageParts): string {
  if (program === undefined) return "";
  const data: PageData = { messages: messagesOf(language, ["common", ...program.groups]), own: program.own };
  return `<script type="application/json" id="page-data">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>`;
}

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? "&quot;");

const drawing =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#c2185b"/><path d="M18 4 8 18h7l-2 10 11-15h-7z" fill="#fff"/></svg>';
const icon = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
