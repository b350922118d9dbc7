/** The time to the sale's start, or to its end. Silent to those who listen; a button says it. */
import { h, type VNode } from "../shared/elements.ts";
import { remaining, twoDigits } from "../shared/format.ts";
import { pathsOf } from "../shared/paths.ts";
import type { Translate } from "../shared/translate.ts";
import type { Key } from "../messages/catalogue.ts";
import { phaseOf, type SaleFacts } from "./facts.ts";
import type { SalePage } from "./sale-view.ts";

/** To which of its ends a sale's clock runs; undefined when it runs no more. */
export function targetOf(
  facts: Pick<SaleFacts, "sale" | "nowMs">,
): { readonly key: "starts_in" | "ends_in"; readonly atMs: number } | undefined {
  const phase = phaseOf(facts);
  if (phase === "before") return { key: "starts_in", atMs: facts.sale.startsAtMs };
  return phase === "ended" || phase === "cancelled" ? undefined : { key: "ends_in", atMs: facts.sale.endsAtMs };
}

export function countdownView({ t, facts, acts, language, card, plain }: SalePage): VNode {
  const target = targetOf(facts);
  if (target === undefined) return h("p", { class: "countdown over" }, t("over"));
  const leftMs = facts.nowMs === undefined ? undefined : target.atMs - facts.nowMs;
  const { days, hours, minutes, seconds } = remaining(leftMs ?? 0);
  const digits = (n: number) => (leftMs === undefined ? "--" : twoDigits(n));
  const part = (n: number, unit: Key) => [h("b", null, digits(n)), h("i", null, t(unit))];
  return h(
    "div",
    { class: "countdown" },
    h("span", { id: "countdown-label" }, t(target.key)),
    h(
      "span",
      { role: "timer", "aria-live": "off", "aria-labelledby": "countdown-label", class: "digits" },
      days > 0 ? h("b", { class: "days" }, t("days", { n: days })) : null,
      ...part(hours, "hours"),
      ...part(minutes, "minutes"),
      ...part(seconds, "seconds"),
    ),
    plain === undefined ? readTimeView(t, acts) : null,
    target.key === "starts_in" ? h("a", { class: "quiet", href: pathsOf(language).calendar(card.id) }, t("remind")) : null,
  );
}

/** Until the program runs it takes its place and is not seen: what is below must not move under a thumb. */
const readTimeView = (t: Translate<Key>, acts: SalePage["acts"]): VNode =>
  h("button", { type: "button", class: acts === undefined ? "quiet to-come" : "quiet", onClick: acts?.readTime }, t("read_time"));

/** "1 day 2 h 3 min 4 s", to be said. */
export function spokenTime(t: Translate<Key>, leftMs: number): string {
  const { days, hours, minutes, seconds } = remaining(leftMs);
  const parts = [
    days > 0 ? t("days", { n: days }) : "",
    hours > 0 ? `${hours} ${t("hours")}` : "",
    minutes > 0 ? `${minutes} ${t("minutes")}` : "",
  ];
  return [...parts, `${seconds} ${t("seconds")}`].filter((part) => part !== "").join(" ");
}
