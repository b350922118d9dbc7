/** Why what was asked of an order was not done, in words for its buyer. */
import type { Key } from "../messages/catalogue.ts";
import type { Told } from "../shared/api.ts";
import type { Translate } from "../shared/translate.ts";

const refusals: ReadonlyMap<string, Key> = new Map([
  ["order_not_payable", "not_payable"],
  ["order_not_cancellable", "not_cancellable"],
  ["order_not_extendable", "not_extendable"],
  ["extensions_used_up", "more_time_none"],
]);

export function problemText(t: Translate<Key>, told: Exclude<Told<unknown>, { kind: "done" }>): string {
  if (told.kind === "silence") return t("failed_silence");
  const { reason } = told.problem;
  const key = refusals.get(reason);
  return key === undefined ? t("failed", { reason }) : t(key);
}
