/** What commander says of a wrong command line, put the way the configuration's mistakes are put. */
import { didYouMean } from "../lib/did-you-mean.ts";

export function usageMessage(text: string): string {
  const [first = "", second = "", ...rest] = text.split("\n");
  const message = first.replace(/^error: /, "doorbuster: ").replace(/\.$/, "");
  const suggestion = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(second)?.[1];
  const lines = suggestion === undefined ? [second, ...rest] : rest;
  return [`${withChoices(message).replaceAll("'", '"')}${suggestion === undefined ? "" : asked(suggestion)}`, ...lines].join("\n");
}

const asked = (words: string) =>
  `; did you mean ${words
    .split(", ")
    .map((word) => `"${word}"`)
    .join(" or ")}?`;

/** "option '--curve <name>' argument 'x' is invalid. Allowed choices are a, b" and the same of an argument. */
function withChoices(message: string): string {
  const ofOption = /^(doorbuster: option )'(\S+)[^']*' argument '(.*)' is invalid\. (Allowed choices are|It must be) (.*)$/s.exec(message);
  if (ofOption !== null) return expected(`${ofOption[1]}'${ofOption[2]}'`, ofOption);
  const ofArgument =
    /^(doorbuster: )command-argument value '(.*)' is invalid for argument '(.*)'\. (Allowed choices are|It must be) (.*)$/s.exec(message);
  if (ofArgument === null) return message;
  const [, start = "", value = "", name = "", kind = "", wish = ""] = ofArgument;
  return expected(`${start}argument '${name}'`, ["", "", "", value, kind, wish]);
}

function expected(subject: string, [, , , value = "", kind, wish = ""]: readonly string[]): string {
  if (kind === "It must be") return `${subject}: expected ${wish}, got '${value}'`;
  return `${subject}: expected one of ${wish}, got '${value}'${didYouMean(value, wish.split(", "))}`;
}
