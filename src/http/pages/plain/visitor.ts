/**
 * Whoever looks at pages without a program: their tokens, and the API asked on their behalf, as a page's program asks it.
 * The API decides; here is no other way into anything.
 *
 * The tokens are in a cookie that scripts cannot read, that goes to these pages alone and that no other site's page makes
 * a browser send (SameSite=Strict). A token that ran out is renewed on the way.
 */
import { sessionLifetimeMs } from "../../../domain/session.ts";
import { callApi, type Ask, type Told } from "../../../web/shared/api.ts";
import { plainRoot } from "../../../web/shared/paths.ts";
import type { Fetch } from "../../app.ts";
import type { GrantOnWire } from "../../contract/wire.ts";
import type { Peer } from "../../deps.ts";
import { cookieNamed } from "../../refresh-cookie.ts";

export const plainCookieName = "doorbuster_plain";

export type Proof = { readonly username: string; readonly password: string; readonly code?: string | undefined };
type Tokens = { readonly access: string; readonly refresh: string };
type Origin = { readonly request: Request; readonly peer: Peer; readonly api: Fetch; readonly isSecure: boolean };

/** What says where a request came from, for limits and logs. */
const passedOn = ["x-forwarded-for", "forwarded", "user-agent", "traceparent"] as const;

export class Visitor {
  readonly #origin: Origin;
  #tokens: Tokens | undefined;
  /** To be sent along with the page. */
  #cookie: string | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
    const [access, refresh] = (cookieNamed(origin.request.headers, plainCookieName) ?? "").split("~");
    this.#tokens = access === undefined || access === "" || refresh === undefined ? undefined : { access, refresh };
  }

  get isSignedIn(): boolean {
    return this.#tokens !== undefined;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#cookie === undefined ? {} : { "Set-Cookie": this.#cookie };
  }

  /** As who they are, or as nobody. */
  async call<Data>(path: string, ask: Ask = {}): Promise<Told<Data>> {
    const tokens = this.#tokens;
    const told = await this.#ask<Data>(path, { ...ask, token: tokens?.access });
    if (tokens === undefined || told.kind !== "no" || told.status !== 401) return told;
    const renewed = await this.#ask<GrantOnWire>("/api/v1/auth/refresh", { method: "POST", body: { refresh_token: tokens.refresh } });
    if (renewed.kind === "done") {
      this.#keep(renewed.data);
      return this.#ask<Data>(path, { ...ask, token: this.#tokens?.access });
    }
    // Whoever cannot be asked now is still who they were.
    if (renewed.kind === "silence" || renewed.status >= 429) return renewed;
    this.#forget();
    return renewed.problem.reason === "account_banned" ? renewed : told;
  }

  async signIn({ code, ...proof }: Proof): Promise<Told<GrantOnWire>> {
    const body = code === undefined ? proof : { ...proof, code };
    const told = await this.#ask<GrantOnWire>("/api/v1/auth/login", { method: "POST", body });
    if (told.kind === "done") this.#keep(told.data);
    return told;
  }

  async signOut(): Promise<void> {
    const tokens = this.#tokens;
    this.#forget();
    if (tokens !== undefined) await this.#ask("/api/v1/auth/logout", { method: "POST", body: { refresh_token: tokens.refresh } });
  }

  #ask<Data>(path: string, ask: Ask): Promise<Told<Data>> {
    const { request, peer, api } = this.#origin;
    const known = passedOn.flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    return callApi<Data>(path, ask, async (input, init) => {
      const inner = new Request(new URL(input, request.url), init);
      for (const [name, value] of known) inner.headers.set(name, value);
      return api(inner, peer);
    });
  }

  #keep({ token, refresh_token: refresh }: GrantOnWire): void {
    if (refresh === null) return;
    this.#tokens = { access: token, refresh };
    this.#setCookie(`${token}~${refresh}`, sessionLifetimeMs / 1000);
  }

  #forget(): void {
    this.#tokens = undefined;
    this.#setCookie("", 0);
  }

  #setCookie(value: string, maxAgeSeconds: number): void {
    const secure = this.#origin.isSecure ? "; Secure" : "";
    this.#cookie = `${plainCookieName}=${value}; Path=${plainRoot}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}
