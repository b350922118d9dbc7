/** Messages with their values put in. A message is a text, or one text for each plural form of its `n`. */
import type { Language } from "./languages.ts";

export type Message = string | { readonly one: string; readonly other: string };
export type Values = Readonly<Record<string, string | number>>;
/** Finds a message by its key; one that is missing shows its key, so that it is seen. */
export type Translate<Key extends string = string> = (key: Key, values?: Values) => string;

export function translator<Key extends string>(language: Language, messages: Readonly<Partial<Record<Key, Message>>>): Translate<Key> {
  const plurals = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (key, values = {}) => {
    const message: Message = messages[key] ?? key;
    const text = typeof message === "string" ? message : plurals.select(Number(values["n"])) === "one" ? message.one : message.other;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? numbers.format(value) : value;
    });
  };
}
