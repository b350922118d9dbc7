/** Signing in and signing up: one form, native fields, problems beside the fields that they are about. */
import type { Key } from "../messages/catalogue.ts";
import { h, type VNode } from "../shared/elements.ts";
import type { Language } from "../shared/languages.ts";
import { withoutProgram } from "../shared/forms.ts";
import { pathsOf } from "../shared/paths.ts";
import type { Translate } from "../shared/translate.ts";

export type Field = "username" | "password" | "code";
/** What is wrong; with a field if it is about one. */
export type FormProblem = { readonly field?: Field | undefined; readonly text: string };

export type SignInPage = {
  readonly language: Language;
  readonly t: Translate<Key>;
  readonly mode: "sign-in" | "register";
  /** Where to go afterwards, carried along to the other form. */
  readonly next: string | undefined;
  readonly problems: readonly FormProblem[];
  readonly working: boolean;
  readonly wantsCode: boolean;
  readonly showsPassword: boolean;
  /** No program is to run: what the form held is given back, but the password. */
  readonly plain?: { readonly username: string } | undefined;
  readonly acts: { readonly submit: (event: Event) => void; readonly toggleShow: () => void } | undefined;
};

export function signInView(page: SignInPage): VNode {
  const { t, mode, language, next, working, acts, plain } = page;
  const paths = pathsOf(language, plain !== undefined);
  const isNew = mode === "register";
  return h(
    "section",
    { class: "form" },
    h("h1", null, t(isNew ? "register_title" : "sign_in_title")),
    acts === undefined && plain === undefined ? withoutProgram(t("no_script")) : null,
    problemsView(page),
    h(
      "form",
      { method: "post", action: formPath(page), onSubmit: acts?.submit, noValidate: true },
      fieldView(
        page,
        "username",
        { type: "text", autocomplete: "username", autocapitalize: "none", spellcheck: "false", ...(plain && { value: plain.username }) },
        isNew ? t("username_hint") : undefined,
      ),
      fieldView(
        page,
        "password",
        { type: page.showsPassword ? "text" : "password", autocomplete: isNew ? "new-password" : "current-password" },
        isNew ? t("password_hint") : undefined,
      ),
      acts === undefined
        ? null
        : h(
            "label",
            { class: "check" },
            h("input", { type: "checkbox", checked: page.showsPassword, onChange: acts.toggleShow }),
            h("span", null, t("show_password")),
          ),
      page.wantsCode ? fieldView(page, "code", { type: "text", inputmode: "numeric", autocomplete: "one-time-code" }) : null,
      h(
        "button",
        { class: "main", type: "submit", "aria-busy": working ? "true" : undefined },
        working ? t("working") : t(isNew ? "do_register" : "do_sign_in"),
      ),
    ),
    h(
      "p",
      { class: "beside" },
      t(isNew ? "have_account" : "no_account"),
      " ",
      h("a", { href: isNew ? paths.signIn(next) : paths.register(next) }, t(isNew ? "sign_in_title" : "register_title")),
    ),
  );
}

/** Sent before the program runs, or without one, it goes where forms are taken. */
function formPath({ language, mode, next }: SignInPage): string {
  const paths = pathsOf(language, true);
  return mode === "register" ? paths.register(next) : paths.signIn(next);
}

/** Focused when there is something in it, so that it is read. */
function problemsView({ t, problems }: SignInPage): VNode {
  return h(
    "div",
    { id: "problems", tabindex: -1, role: "alert", class: problems.length === 0 ? "unseen" : "problems" },
    problems.length === 0 ? null : h("h2", null, t("errors_title")),
    problems.length === 0
      ? null
      : h(
          "ul",
          null,
          problems.map(({ field, text }) =>
            h("li", null, field === undefined ? text : h("a", { href: `#${field}` }, `${t(field)}: ${text}`)),
          ),
        ),
  );
}

function fieldView({ t, problems }: SignInPage, field: Field, attributes: Readonly<Record<string, string>>, hint?: string): VNode {
  const problem = problems.find((each) => each.field === field);
  const described = [...(hint === undefined ? [] : [`${field}-hint`]), ...(problem === undefined ? [] : [`${field}-problem`])].join(" ");
  return h(
    "div",
    { class: "field" },
    h("label", { for: field }, t(field)),
    hint === undefined ? null : h("p", { id: `${field}-hint`, class: "hint" }, hint),
    h("input", {
      id: field,
      name: field,
      required: true,
      ...attributes,
      "aria-invalid": problem === undefined ? undefined : "true",
      "aria-describedby": described === "" ? undefined : described,
    }),
    problem === undefined ? null : h("p", { id: `${field}-problem`, class: "problem" }, problem.text),
  );
}
