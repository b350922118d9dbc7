/** Signing in, up and out by forms. */
import { plainAccountView } from "../../../web/account/account-view.ts";
import { problemsOf } from "../../../web/account/form-problems.ts";
import { signInView, type FormProblem, type SignInPage } from "../../../web/account/sign-in-view.ts";
import { nextPath } from "../../../web/shared/paths.ts";
import type { AccountOnWire } from "../../contract/wire.ts";
import { translatorOf } from "../document.ts";
import { answerOf, unread, type Screen, type Visit } from "./screen.ts";

type Mode = SignInPage["mode"];
type Problems = {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
  readonly problems: readonly FormProblem[];
  readonly wantsCode: boolean;
};

export const signInScreen = (visit: Visit): Promise<Screen> => signing(visit, "sign-in");
export const registerScreen = (visit: Visit): Promise<Screen> => signing(visit, "register");

async function signing(visit: Visit, mode: Mode): Promise<Screen> {
  const { form, visitor, language, paths, query, words } = visit;
  if (words.length > 0) return { kind: "none" };
  const t = translatorOf(language, ["account"]);
  if (form === undefined) return signingPage(visit, mode, { status: 200, problems: [], wantsCode: false });
  const proof = { username: form.get("username") ?? "", password: form.get("password") ?? "" };
  if (mode === "register") {
    const made = await visitor.call("/api/v1/auth/register", { method: "POST", body: proof });
    if (made.kind !== "done") return signingPage(visit, mode, { ...answerOf(made), problems: problemsOf(t, made), wantsCode: false });
  }
  const code = form.get("code") ?? "";
  const told = await visitor.signIn(code === "" ? proof : { ...proof, code });
  if (told.kind === "done") return { kind: "go", to: nextPath(`?${query}`, paths.account) };
  const wantsCode = form.has("code") || (told.kind === "no" && told.problem.reason === "code_required");
  return signingPage(visit, mode, { ...answerOf(told), problems: problemsOf(t, told), wantsCode });
}

function signingPage({ language, form, query }: Visit, mode: Mode, { status, retryAfterMs, problems, wantsCode }: Problems): Screen {
  const t = translatorOf(language, ["account"]);
  const next = query.get("next") ?? undefined;
  return {
    kind: "page",
    status,
    retryAfterMs,
    title: t(mode === "register" ? "register_title" : "sign_in_title"),
    other: (others) => (mode === "register" ? others.register() : others.signIn()),
    content: signInView({
      language,
      t,
      mode,
      next,
      problems,
      working: false,
      wantsCode,
      showsPassword: false,
      acts: undefined,
      plain: { username: form?.get("username") ?? "" },
    }),
  };
}

export async function accountScreen(visit: Visit): Promise<Screen> {
  const { visitor, language, form, paths, words } = visit;
  if (words.length > 0) return { kind: "none" };
  if (form !== undefined) {
    await visitor.signOut();
    return { kind: "go", to: paths.list };
  }
  const told = await visitor.call<AccountOnWire>("/api/v1/account");
  if (told.kind !== "done") return unread(visit, told, paths.account);
  const t = translatorOf(language, ["account"]);
  return {
    kind: "page",
    status: 200,
    title: t("account_title"),
    here: "my_account",
    other: (others) => others.account,
    content: plainAccountView({ language, t, account: told.data }),
  };
}
