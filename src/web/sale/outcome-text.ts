/** How a click ended, in words for its buyer. */
import type { Key } from "../messages/catalogue.ts";
import type { Problem } from "../shared/api.ts";
import type { Translate } from "../shared/translate.ts";
import type { Outcome } from "./attempt.ts";

const refusals: Readonly<Record<string, Key>> = {
  not_started: "refused_not_started",
  ended: "refused_ended",
  paused: "refused_paused",
  sale_cancelled: "refused_sale_cancelled",
  all_taken: "refused_all_taken",
  sold_out: "refused_sold_out",
  limit_reached: "refused_limit_reached",
  attempts_exhausted: "refused_attempts_exhausted",
  key_reused: "refused_key_reused",
};

export function toldOf(t: Translate<Key>, outcome: Exclude<Outcome, { kind: "accepted" }>): string {
  switch (outcome.kind) {
    case "nothing":
      return t("told_nothing");
    case "refused":
      return t("told_refused", { reason: refusalText(t, outcome.problem) });
    case "not_tried":
      return outcome.status === 401 ? t("told_sign_in") : outcome.status === 403 ? t("hint_blocked") : t("told_busy");
  }
}

function refusalText(t: Translate<Key>, { reason, limit = 0 }: Problem): string {
  return t(refusals[reason] ?? "refused_other", { reason, n: limit });
}
