/**
 * Who is signed in on this page. The access token lives in memory; the refresh token in a cookie that no script can read.
 * Whether it is worth asking for the next token stands in the browser's storage, so that a crowd of strangers asks nothing.
 *
 * Must stay true: one refresh at a time in the whole browser, for each uses up the token before it.
 */
import type { AccountOnWire, GrantOnWire } from "../../http/contract/wire.ts";
import { callApi, type Ask, type Told } from "./api.ts";
import type { Storage } from "./storage.ts";

export type SignedIn = { readonly account: AccountOnWire; readonly token: string; readonly expiresAtMs: number };
export type Who =
  | { readonly kind: "unknown" }
  | { readonly kind: "nobody" }
  | { readonly kind: "banned" }
  | ({ readonly kind: "account" } & SignedIn);

const signedInMark = "doorbuster.signed-in";
/** A token is renewed this long before its end. */
const renewBeforeMs = 60_000;

export type SessionDeps = {
  readonly storage: Storage;
  readonly nowMs: () => number;
  readonly call: <Data>(path: string, ask?: Ask) => Promise<Told<Data>>;
  /** Runs one after the other in the whole browser, where it can. */
  readonly alone: <Result>(run: () => Promise<Result>) => Promise<Result>;
};

/** By Web Locks; without them (pages that came insecurely) the server's ten seconds of grace have to do. */
export async function aloneInBrowser<Result>(run: () => Promise<Result>): Promise<Result> {
  // Absent where a page was not loaded securely, whatever the types say.
  const locks = navigator.locks as LockManager | undefined;
  return locks === undefined ? run() : await locks.request("doorbuster.refresh", run);
}

export class Session {
  readonly #deps: SessionDeps;
  readonly #listeners: ((who: Who) => void)[] = [];
  #who: Who = { kind: "unknown" };
  #asking: Promise<Who> | undefined;

  constructor(deps: Partial<SessionDeps> & Pick<SessionDeps, "storage">) {
    this.#deps = { nowMs: () => performance.now(), call: callApi, alone: aloneInBrowser, ...deps };
  }

  get who(): Who {
    return this.#who;
  }

  onChange(listener: (who: Who) => void): void {
    this.#listeners.push(listener);
  }

  /** Who it is, with a token that is good for a while yet. Unknown when the server does not answer. */
  async find(): Promise<Who> {
    const who = this.#who;
    if (who.kind === "account" && who.expiresAtMs - renewBeforeMs > this.#deps.nowMs()) return who;
    if (who.kind === "nobody" || who.kind === "banned") return who;
    if (this.#deps.storage.get(signedInMark) === undefined) return this.#become({ kind: "nobody" });
    return (this.#asking ??= this.#deps.alone(() => this.#refresh()).finally(() => (this.#asking = undefined)));
  }

  async #refresh(): Promise<Who> {
    const told = await this.#deps.call<GrantOnWire>("/api/v1/auth/refresh", { method: "POST", body: {} });
    if (told.kind === "done") return this.#become(this.#signedIn(told.data));
    if (told.kind === "no" && told.problem.reason === "account_banned") return this.#become({ kind: "banned" });
    if (told.kind === "no" && (told.status === 401 || told.status === 403)) {
      this.#deps.storage.remove(signedInMark);
      return this.#become({ kind: "nobody" });
    }
    return this.#who;
  }

  async signIn(proof: { username: string; password: string; code?: string }): Promise<Told<GrantOnWire>> {
    const told = await this.#deps.call<GrantOnWire>("/api/v1/auth/login", { method: "POST", body: { ...proof, cookie: true } });
    if (told.kind === "done") {
      this.#deps.storage.set(signedInMark, "1");
      this.#become(this.#signedIn(told.data));
    }
    return told;
  }

  async signOut(): Promise<void> {
    await this.call("/api/v1/auth/logout", { method: "POST", body: {} });
    this.#deps.storage.remove(signedInMark);
    this.#become({ kind: "nobody" });
  }

  /** Asks in the name of whoever is signed in; once more with a new token, if the server does not know the old one. */
  async call<Data>(path: string, ask: Ask = {}): Promise<Told<Data>> {
    const who = await this.find();
    // Not asked at all, and so told nothing.
    if (who.kind === "unknown") return { kind: "silence" };
    const told = await this.#deps.call<Data>(path, { ...ask, token: who.kind === "account" ? who.token : undefined });
    if (who.kind !== "account" || told.kind !== "no" || told.problem.reason !== "unauthenticated") return told;
    if (this.#who === who) this.#who = { kind: "unknown" };
    const again = await this.find();
    return again.kind === "account" ? this.#deps.call<Data>(path, { ...ask, token: again.token }) : told;
  }

  /** By how long the token lives, not until when: the client's own clock may be wrong. */
  #signedIn({ account, token, expires_at }: GrantOnWire): Who {
    const lifeMs = tokenLifeMs(token, Date.parse(expires_at));
    return { kind: "account", account, token, expiresAtMs: this.#deps.nowMs() + lifeMs };
  }

  #become(who: Who): Who {
    this.#who = who;
    for (const listener of this.#listeners) listener(who);
    return who;
  }
}

const tokenLifeDefaultMs = 600_000;

/** A token says when it was made; both times are the server's. */
function tokenLifeMs(token: string, expiresAtMs: number): number {
  try {
    // What is not a number fails the comparison below.
    const { iat } = JSON.parse(atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"))) as { iat: number };
    const lifeMs = expiresAtMs - iat * 1000;
    return lifeMs > 0 ? lifeMs : tokenLifeDefaultMs;
  } catch {
    return tokenLifeDefaultMs;
  }
}
