/** A whole page: one file, no script, no request. Its policy allows its own style sheet and nothing else. */
import { html, Markup } from "./markup.ts";
import type { MessageKey } from "./messages-en.ts";
import { style } from "./style.ts";
import { languageNames, languageTags, type Language, type Words } from "./words.ts";

/** Made by hand, so that not a byte stands between the tags but what the digest in the policy is of. */
const sheet = new Markup(`<style>${style}</style>`);

export type PageTools = {
  readonly languages: readonly Language[];
  /** SHA-256 in base64, for the policy. */
  readonly digest: (text: string) => string;
};

export function page(words: Words, { digest }: PageTools, title: MessageKey, body: Markup): string {
  const policy = `default-src 'none'; style-src 'sha256-${digest(style)}'; base-uri 'none'; form-action 'none'`;
  const [first = "en"] = words.languages;
  const document = html`<!doctype html>
    <html lang="${languageTags[first]}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="robots" content="noindex" />
        <title>${words.plain(title)}</title>
        ${sheet}
      </head>
      <body>
        ${words.languages.length > 1 ? switches(words) : undefined}
        <main>
          ${body}
          <footer>${words.say("footer")}</footer>
        </main>
      </body>
    </html> `;
  return document.text;
}

/** Radio buttons: the style sheet hides the languages that are off. */
function switches(words: Words): Markup {
  const choices = words.languages.map(
    (language, i) =>
      html`<input class="languages" type="radio" name="language" id="say-${language}" ${i === 0 ? html` checked` : undefined} /><label
          for="say-${language}"
          lang="${languageTags[language]}"
          >${languageNames[language]}</label
        >`,
  );
  return html`<nav class="switch" aria-label="${words.plain("language")}">${choices}</nav>`;
}
