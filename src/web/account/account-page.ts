/** The account page at work. Whoever is not signed in is asked to, and comes back. */
import { render } from "preact";
import type { AccountOnWire, SessionsOnWire } from "../../http/contract/wire.ts";
import type { Told } from "../shared/api.ts";
import type { Opened } from "../shared/page-data.ts";
import { pathsOf } from "../shared/paths.ts";
import { Session } from "../shared/session.ts";
import { browserStorage } from "../shared/storage.ts";
import { accountView, type AccountPage } from "./account-view.ts";
import { problemsOf } from "./form-problems.ts";

export class AccountPageAtWork {
  readonly #opened: Opened<null>;
  readonly #session = new Session({ storage: browserStorage() });
  #account: AccountOnWire | undefined;
  #sessions: SessionsOnWire["items"] = [];
  #told: AccountPage["told"];

  constructor(opened: Opened<null>) {
    this.#opened = opened;
  }

  async start(): Promise<void> {
    const who = await this.#session.find();
    const paths = pathsOf(this.#opened.language);
    if (who.kind === "unknown") return void setTimeout(() => void this.start(), 2_000 + Math.random() * 3_000);
    if (who.kind !== "account") return location.replace(paths.signIn(paths.account));
    this.#account = who.account;
    this.#draw();
    await this.#readSessions();
  }

  async #readSessions(): Promise<void> {
    const told = await this.#session.call<SessionsOnWire>("/api/v1/account/sessions");
    if (told.kind === "done") this.#sessions = told.data.items;
    this.#draw();
  }

  async #changePassword(event: Event): Promise<void> {
    const [form, given] = submitted(event);
    const told = await this.#session.call("/api/v1/account/password", { method: "PUT", body: given });
    this.#tell("password", told, "password_changed");
    if (told.kind !== "done") return;
    form.reset();
    await this.#readSessions();
  }

  async #erase(event: Event): Promise<void> {
    const [, given] = submitted(event);
    const told = await this.#session.call("/api/v1/account/erase", { method: "POST", body: given });
    this.#tell("erase", told, "erased");
    if (told.kind === "done") await this.#signOut();
  }

  async #endSession(id: string): Promise<void> {
    const told = await this.#session.call(`/api/v1/account/sessions/${id}`, { method: "DELETE" });
    if (told.kind !== "done") this.#tell("session", told, "working");
    await this.#readSessions();
  }

  async #signOut(): Promise<void> {
    await this.#session.signOut();
    location.assign(pathsOf(this.#opened.language).list);
  }

  #tell(of: NonNullable<AccountPage["told"]>["of"], told: Told<unknown>, done: "password_changed" | "erased" | "working"): void {
    const { t } = this.#opened;
    this.#told = {
      of,
      text:
        told.kind === "done"
          ? t(done)
          : problemsOf(t, told)
              .map(({ text }) => text)
              .join(" "),
    };
    this.#draw();
  }

  #draw(): void {
    const { language, t, root } = this.#opened;
    const acts = {
      signOut: () => void this.#signOut(),
      endSession: (id: string) => void this.#endSession(id),
      changePassword: (event: Event) => void this.#changePassword(event),
      erase: (event: Event) => void this.#erase(event),
    };
    render(accountView({ language, t, account: this.#account, sessions: this.#sessions, told: this.#told, acts }), root);
  }
}

/** The form and what was put into it; a field that was left empty is left out. */
function submitted(event: Event): readonly [HTMLFormElement, Readonly<Record<string, string>>] {
  event.preventDefault();
  // Forms alone are submitted.
  const form = event.currentTarget as HTMLFormElement;
  const given = [...new FormData(form)].flatMap(([name, value]) =>
    typeof value === "string" && value !== "" ? [[name, value] as const] : [],
  );
  return [form, Object.fromEntries(given)];
}
