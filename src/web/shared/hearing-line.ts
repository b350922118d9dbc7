/** How well a page hears of changes, in words, and the switch that lets it rest. */
import { h, type VNode } from "./elements.ts";
import type { Key } from "../messages/catalogue.ts";
import type { Hearing } from "./live.ts";
import type { Translate } from "./translate.ts";

export type HearingShown = { readonly hearing: Hearing; readonly paused: boolean };

export function hearingLine(
  t: Translate<Key>,
  { hearing, paused }: HearingShown,
  { togglePause }: { readonly togglePause: () => void },
): VNode {
  return h(
    "p",
    { class: `hearing ${paused ? "paused" : hearing}` },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", null, t(paused ? "hearing_paused" : `hearing_${hearing}`)),
    h("button", { type: "button", class: "quiet", onClick: togglePause }, t(paused ? "resume_updates" : "pause_updates")),
  );
}
