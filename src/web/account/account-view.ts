/** One's own account: who one is, where one is signed in, the password, and leaving for good. */
import type { AccountOnWire, SessionsOnWire } from "../../http/contract/wire.ts";
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import { instant } from "../shared/format.ts";
import { actButton, withoutProgram } from "../shared/forms.ts";
import type { Language } from "../shared/languages.ts";
import { pathsOf } from "../shared/paths.ts";
import type { Translate } from "../shared/translate.ts";

export type AccountActs = {
  readonly signOut: () => void;
  readonly endSession: (id: string) => void;
  readonly changePassword: (event: Event) => void;
  readonly erase: (event: Event) => void;
};

export type AccountPage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly account: AccountOnWire | undefined;
  readonly sessions: SessionsOnWire["items"];
  /** How the last act ended, and of which form that was. */
  readonly told: { readonly of: "password" | "erase" | "session"; readonly text: string } | undefined;
  readonly acts: AccountActs | undefined;
};

/** Who is signed in, and the way out: all that is needed to buy. The rest takes a program. */
export function plainAccountView({
  language,
  t,
  account,
}: Pick<AccountPage, "language" | "t"> & { readonly account: AccountOnWire }): VNode {
  const paths = pathsOf(language, true);
  return h(
    "section",
    { class: "form" },
    h("h1", null, t("account_title")),
    h("p", null, t("signed_in_as", { name: account.display_name ?? account.username })),
    h("p", null, h("a", { href: paths.orders }, t("my_orders"))),
    actButton({ label: t("sign_out"), class: "second", onClick: undefined, form: { action: paths.account } }),
    h("p", { class: "hint" }, t("account_plain")),
  );
}

export function accountView(page: AccountPage): VNode {
  const { t, account, acts, language } = page;
  if (account === undefined || acts === undefined)
    return h("section", { class: "form" }, h("h1", null, t("account_title")), withoutProgram(t("no_script")), h("p", null, t("working")));
  return h(
    "section",
    { class: "form" },
    h("h1", null, t("account_title")),
    h("p", null, t("signed_in_as", { name: account.display_name ?? account.username })),
    h("p", null, h("a", { href: pathsOf(language).orders }, t("my_orders"))),
    h("button", { type: "button", class: "second", onClick: acts.signOut }, t("sign_out")),
    sessionsView(page, acts),
    h("h2", null, t("password_title")),
    toldView(page, "password"),
    h(
      "form",
      { onSubmit: acts.changePassword, method: "post" },
      secret(t("current_password"), "password", "current-password", "current"),
      secret(t("new_password"), "new_password", "new-password", "new", t("password_hint")),
      codeField(page),
      h("button", { class: "second", type: "submit" }, t("do_change_password")),
    ),
    h("h2", null, t("erase_title")),
    h("p", { class: "hint" }, t("erase_text")),
    toldView(page, "erase"),
    h(
      "form",
      { onSubmit: acts.erase, method: "post" },
      secret(t("current_password"), "password", "current-password", "erase"),
      codeField(page, "erase-"),
      h("button", { class: "second danger", type: "submit" }, t("do_erase")),
    ),
  );
}

function sessionsView(page: AccountPage, acts: AccountActs): VNode {
  const { t, sessions, language } = page;
  return h(
    "section",
    null,
    h("h2", null, t("sessions_title")),
    toldView(page, "session"),
    h(
      "ul",
      { class: "rows" },
      sessions.map(({ id, current, last_used_at: usedAt }) =>
        h(
          "li",
          { key: id },
          h(
            "span",
            null,
            h("strong", null, t(current ? "session_current" : "session_other")),
            " ",
            h("time", { datetime: usedAt }, t("session_used", { time: instant(language, Date.parse(usedAt)) })),
          ),
          current ? null : h("button", { type: "button", class: "quiet", onClick: () => acts.endSession(id) }, t("end_session")),
        ),
      ),
    ),
  );
}

const toldView = ({ told }: AccountPage, of: NonNullable<AccountPage["told"]>["of"]): VNode =>
  h("div", { role: "status" }, told?.of === of ? h("p", { class: "told" }, told.text) : null);

function secret(label: string, name: string, autocomplete: string, id: string, hint?: string): VNode {
  return h(
    "div",
    { class: "field" },
    h("label", { for: `${id}-password` }, label),
    hint === undefined ? null : h("p", { id: `${id}-hint`, class: "hint" }, hint),
    h("input", {
      id: `${id}-password`,
      name,
      type: "password",
      autocomplete,
      required: true,
      "aria-describedby": hint === undefined ? undefined : `${id}-hint`,
    }),
  );
}

/** Whoever has a second factor is asked for it. */
function codeField({ t, account }: AccountPage, prefix = ""): VNode | null {
  if (account?.totp !== true) return null;
  const id = `${prefix}code`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, t("code")),
    h("input", { id, name: "code", inputmode: "numeric", autocomplete: "one-time-code" }),
  );
}
