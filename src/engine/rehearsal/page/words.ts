/** Says the catalogue's messages in one language, or in all of them side by side for a switch made of style alone. */
import { html, type Markup, type Part } from "./markup.ts";
import { en, type MessageKey, type Messages } from "./messages-en.ts";
import { zh } from "./messages-zh.ts";

export type Language = "en" | "zh";
export const languages: readonly Language[] = ["en", "zh"];
export const catalogue: Readonly<Record<Language, Messages>> = { en, zh };
export const languageTags: Readonly<Record<Language, string>> = { en: "en", zh: "zh-CN" };
export const languageNames: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

export type Values = Readonly<Record<string, Part>>;

export class Words {
  readonly languages: readonly Language[];

  constructor(spoken: readonly Language[]) {
    this.languages = spoken;
  }

  /** The message with its `{names}` filled in; what is filled in is escaped like everything else. */
  say(key: MessageKey, values: Values = {}): Markup {
    const [only] = this.languages;
    if (this.languages.length === 1 && only !== undefined) return fill(catalogue[only][key], values);
    const spans = this.languages.map(
      (language) => html`<span class="in-${language}" lang="${languageTags[language]}">${fill(catalogue[language][key], values)}</span>`,
    );
    return html`${spans}`;
  }

  /** A message that the catalogue may not have, as for a reason that a newer server gives: then the word itself. */
  sayOr(key: string, word: string): Markup {
    return isKey(key) ? this.say(key) : html`${word}`;
  }

  /** Without marks, for the window's title. */
  plain(key: MessageKey): string {
    return this.languages.map((language) => catalogue[language][key]).join(" · ");
  }
}

const isKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

function fill(message: string, values: Values): Markup {
  const pieces = message.split(/\{(\w+)\}/).map((piece, i) => (i % 2 === 0 ? piece : (values[piece] ?? "")));
  return html`${pieces}`;
}
