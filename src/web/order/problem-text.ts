/** Why what was asked of an order was not done, in words for its buyer. */
import type { Key } from "../messages/catalogue.ts";
import type { Told } from "../shared/api.ts";
import type { Translate } from "../shared/translate.ts";

export function problemText(t: Translate<Key>, told: Exclude<Told<unknown>, { kind: "done" }>): string {
  if (told.kind === "silence") return t("failed_silence");
  const { reason } = told.problem;
  if (reason === "order_not_payable") return t("not_payable");
  return reason === "order_not_cancellable" ? t("not_cancellable") : t("failed", { reason });
}
