/** The languages there are, and which of them somebody gets who has not chosen. */
export const languages = ["zh-CN", "en"] as const;
export type Language = (typeof languages)[number];

export const isLanguage = (text: string | undefined): text is Language => languages.some((language) => language === text);

/** The one that the reader weighs most, by `Accept-Language`; English for whoever names none of ours. */
export function languageFor(acceptLanguage: string | null): Language {
  const wished = (acceptLanguage ?? "")
    .split(",")
    .flatMap((part) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const weight = Number(/^\s*q=([\d.]+)\s*$/.exec(parameters[0] ?? "q=1")?.[1] ?? 0);
      const language = ours(tag);
      return language === undefined || !(weight > 0) ? [] : [{ language, weight }];
    })
    .toSorted((a, b) => b.weight - a.weight);
  return wished[0]?.language ?? "en";
}

/** All Chinese is ours in one script, which readers of the other can read. */
function ours(tag: string): Language | undefined {
  if (tag === "*") return "en";
  const [primary] = tag.split("-");
  return primary === "zh" ? "zh-CN" : primary === "en" ? "en" : undefined;
}
