/** Pages that say why there is no other page. */
import type { WebBundle } from "../../ports/web-files.ts";
import { h } from "../../web/shared/elements.ts";
import type { Language } from "../../web/shared/languages.ts";
import { pathsOf } from "../../web/shared/paths.ts";
import type { Reply } from "../envelope.ts";
import { documentOf, escaped, otherLanguage, translatorOf } from "./document.ts";
import { pageBytes, type PageBytes } from "./page-bytes.ts";

export type SystemPage = "not_found" | "failed";

/** Each is made once. */
const made = new WeakMap<WebBundle, Map<string, Promise<PageBytes>>>();

export function systemPage(language: Language, kind: SystemPage, bundle: WebBundle): Promise<PageBytes> {
  const ofBundle = made.get(bundle) ?? new Map<string, Promise<PageBytes>>();
  made.set(bundle, ofBundle);
  const name = `${language}/${kind}`;
  const page = ofBundle.get(name) ?? pageBytes(systemHtml(language, kind, bundle));
  ofBundle.set(name, page);
  return page;
}

export function systemHtml(language: Language, kind: SystemPage, bundle: WebBundle): string {
  const t = translatorOf(language, ["system"]);
  const title = t(`${kind}_title`);
  return documentOf(bundle, {
    language,
    title,
    otherPath: pathsOf(otherLanguage(language)).list,
    content: h(
      "section",
      { class: "system" },
      h("h1", null, title),
      h("p", null, t(`${kind}_text`)),
      h("p", null, h("a", { class: "main", href: pathsOf(language).list }, t("to_sales"))),
    ),
  });
}

/** Before there is even a style. It comes again by itself. */
export function busyReply(language: Language): Reply {
  const t = translatorOf(language, ["system"]);
  const [title, text] = [escaped(t("busy_title")), escaped(t("busy_text"))];
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="1"><title>${title}</title>`;
  return {
    status: 503,
    body: `<!doctype html>\n<html lang="${language}"><head>${head}</head><body><main><h1>${title}</h1><p>${text}</p></main></body></html>\n`,
    headers: { "Content-Type": "text/html; charset=utf-8", "Retry-After": "1" },
  };
}
