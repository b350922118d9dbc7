/** Signing in and up at work. A new account is signed in at once. */
import { render } from "preact";
import { callApi } from "../shared/api.ts";
import type { Opened } from "../shared/page-data.ts";
import { nextPath, pathsOf } from "../shared/paths.ts";
import { Session } from "../shared/session.ts";
import { browserStorage } from "../shared/storage.ts";
import { problemsOf } from "./form-problems.ts";
import { signInView, type FormProblem, type SignInPage } from "./sign-in-view.ts";

export type SignInData = { readonly mode: SignInPage["mode"] };

type Shown = Pick<SignInPage, "problems" | "working" | "wantsCode" | "showsPassword">;

export class SignInPageAtWork {
  readonly #opened: Opened<SignInData>;
  readonly #session = new Session({ storage: browserStorage() });
  #shown: Shown = { problems: [], working: false, wantsCode: false, showsPassword: false };

  constructor(opened: Opened<SignInData>) {
    this.#opened = opened;
  }

  start(): void {
    this.#draw();
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.#shown.working) return;
    // It is on a form alone.
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const textOf = (name: string) => {
      const value = given.get(name);
      return typeof value === "string" ? value : "";
    };
    const proof = { username: textOf("username"), password: textOf("password") };
    const { t, language, own } = this.#opened;
    const empty: FormProblem[] = [
      ...(proof.username === "" ? [{ field: "username", text: t("username_hint") } as const] : []),
      ...(proof.password === "" ? [{ field: "password", text: t("password_hint") } as const] : []),
    ];
    if (empty.length > 0) return this.#tell(empty);
    this.#set({ working: true, problems: [] });
    if (own.mode === "register") {
      const made = await callApi("/api/v1/auth/register", { method: "POST", body: proof });
      if (made.kind !== "done") return this.#tell(problemsOf(t, made));
    }
    const code = textOf("code");
    const told = await this.#session.signIn(code === "" ? proof : { ...proof, code });
    if (told.kind === "done") return location.assign(nextPath(location.search, pathsOf(language).account));
    const wantsCode = this.#shown.wantsCode || (told.kind === "no" && told.problem.reason === "code_required");
    this.#set({ wantsCode });
    this.#tell(problemsOf(t, told));
  }

  #tell(problems: readonly FormProblem[]): void {
    this.#set({ problems, working: false });
    document.getElementById("problems")?.focus();
  }

  #set(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#draw();
  }

  #draw(): void {
    const { language, t, own, root } = this.#opened;
    const next = new URLSearchParams(location.search).get("next") ?? undefined;
    const acts = {
      submit: (event: Event) => void this.#submit(event),
      toggleShow: () => this.#set({ showsPassword: !this.#shown.showsPassword }),
    };
    render(signInView({ language, t, mode: own.mode, next, acts, ...this.#shown }), root);
  }
}
