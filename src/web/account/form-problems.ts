/** What the server's no means for a form: which field, and in which words. */
import type { Key } from "../messages/catalogue.ts";
import type { Told } from "../shared/api.ts";
import type { Translate } from "../shared/translate.ts";
import type { FormProblem } from "./sign-in-view.ts";

export function problemsOf(t: Translate<Key>, told: Exclude<Told<unknown>, { kind: "done" }>): readonly FormProblem[] {
  if (told.kind === "silence") return [{ text: t("failed_silence") }];
  const { problem, retryAfterMs = 1_000 } = told;
  const wait = Math.max(1, Math.ceil(retryAfterMs / 1000));
  switch (problem.reason) {
    case "credentials_wrong":
      return [{ text: t("wrong_credentials") }];
    case "code_required":
      return [{ field: "code", text: t("wrong_credentials") }];
    case "username_taken":
      return [{ field: "username", text: t("username_taken") }];
    case "too_many_tries":
      return [{ text: t("too_many_tries", { n: wait }) }];
    case "busy":
      return [{ text: t("try_later", { n: wait }) }];
    case "account_banned":
      return [{ text: t("banned") }];
    case "invalid":
    case "malformed":
      return [ofField(t, problem.field)];
    default:
      return [{ text: t("failed", { reason: problem.reason }) }];
  }
}

/** What the field is to hold, in the reader's language; the server's own words are English. */
function ofField(t: Translate<Key>, field: string | undefined): FormProblem {
  if (field === "username") return { field, text: t("username_hint") };
  if (field === "password" || field === "new_password") return { field: "password", text: t("password_hint") };
  return { text: t("failed", { reason: field ?? "invalid" }) };
}
