/** What a page's program is told by the page itself, as JSON in an element that no browser runs. */
import type { Key } from "../messages/catalogue.ts";
import { isLanguage, type Language } from "./languages.ts";
import { translator, type Message, type Translate } from "./translate.ts";

export type PageData<Own = unknown> = {
  readonly messages: Readonly<Partial<Record<Key, Message>>>;
  readonly own: Own;
};

export type Opened<Own> = { readonly language: Language; readonly t: Translate<Key>; readonly own: Own; readonly root: HTMLElement };

export function openPage<Own>(): Opened<Own> {
  const { lang } = document.documentElement;
  const language = isLanguage(lang) ? lang : "en";
  const text = document.getElementById("page-data")?.textContent ?? "";
  // Written by the server that sent this very program: http/pages/document.ts.
  const { messages, own } = JSON.parse(text) as PageData<Own>;
  const root = document.getElementById("content");
  if (root === null) throw new Error("The page has no element with the id content");
  // The program is here: nobody needs the way around it.
  root.querySelector(".late")?.remove();
  rememberLanguage();
  return { language, t: translator(language, messages), own, root };
}

/** The link to the other language leads to this very page in it, and whoever follows it gets that language the next time, too. */
function rememberLanguage(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[hreflang]")) {
    link.href = location.pathname.replace(/^\/[^/]+/, `/${link.hreflang}`) + location.search;
    link.addEventListener("click", () => {
      document.cookie = `doorbuster_language=${link.hreflang}; path=/; max-age=31536000; samesite=lax`;
    });
  }
}
