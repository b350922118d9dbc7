/**
 * The shop for browsers that run no program: the same views, filled by the server, with forms instead of buttons. These
 * pages are about somebody, so none is kept; the pages for everybody stay what they are and lead here.
 *
 *   /plain/<language>/s/<sale>  …/sign-in  …/register  …/account  …/orders  …/orders/<order>[/payments|/extend|/cancel]
 *
 * Must stay true: a form counts only if a page of ours sent it, and one that is sent twice has the effect of one.
 */
import type { WebBundle } from "../../../ports/web-files.ts";
import type { PayWay } from "../../../web/order/order-view.ts";
import type { Language } from "../../../web/shared/languages.ts";
import type { Fetch } from "../../app.ts";
import { compressed, readBody } from "../../body.ts";
import type { HttpDeps, Peer } from "../../deps.ts";
import { failure, type Reply } from "../../envelope.ts";
import { foreignPage } from "../../refresh-cookie.ts";
import { documentOf, otherLanguage } from "../document.ts";
import { htmlHeaders } from "../page-bytes.ts";
import { systemHtml, type SystemPage } from "../system-pages.ts";
import { accountScreen, registerScreen, signInScreen } from "./account-screens.ts";
import { orderScreen, ordersScreen } from "./order-screens.ts";
import { saleScreen } from "./sale-screen.ts";
import { plainPaths, type Screen, type Show } from "./screen.ts";
import { Visitor } from "./visitor.ts";

const screens: Readonly<Record<string, Show>> = {
  s: saleScreen,
  "sign-in": signInScreen,
  register: registerScreen,
  account: accountScreen,
  orders: (visit) => (visit.words.length === 0 ? ordersScreen(visit) : orderScreen(visit)),
};

/** More than any form of ours holds. */
const formBytesMax = 4 * 1024;
const formType = "application/x-www-form-urlencoded";
const methods = "GET, HEAD, POST, OPTIONS";

type PlainDeps = { readonly deps: Pick<HttpDeps, "entropy" | "options">; readonly api: Fetch; readonly payWay: PayWay };
type PlainAsk = {
  readonly request: Request;
  readonly peer: Peer;
  readonly nowMs: number;
  readonly language: Language;
  /** The words of the path after the language. */
  readonly rest: readonly string[];
  readonly bundle: WebBundle;
  readonly policy: string;
};

export class PlainPages {
  readonly #parts: PlainDeps;

  constructor(parts: PlainDeps) {
    this.#parts = parts;
  }

  async answer(ask: PlainAsk): Promise<Reply> {
    const { request, rest, language } = ask;
    if (request.method === "OPTIONS") return { status: 204, body: "", headers: { Allow: methods } };
    if (!["GET", "HEAD", "POST"].includes(request.method)) return { ...failure("method_not_allowed"), headers: { Allow: methods } };
    const [name = "", ...words] = rest;
    const show = Object.hasOwn(screens, name) ? screens[name] : undefined;
    if (show === undefined) return this.#system(ask, "not_found", 404);
    const form = request.method === "POST" ? await readForm(request) : undefined;
    // What no form of ours sends: a page says so, and the log why.
    if (form !== undefined && "reply" in form) return { ...this.#system(ask, "failed", form.reply.status), reason: form.reply.reason };
    const { api, payWay, deps } = this.#parts;
    const visitor = new Visitor({ request, peer: ask.peer, api, isSecure: deps.options.environment === "production" });
    const screen = await show({
      visitor,
      language,
      paths: plainPaths(language),
      words,
      query: new URL(request.url).searchParams,
      form: form?.fields,
      nowMs: ask.nowMs,
      payWay,
      newKey: () => deps.entropy.secret(16),
    });
    const reply = this.#replyOf(ask, screen);
    return { ...reply, headers: { ...reply.headers, ...visitor.headers } };
  }

  #replyOf(ask: PlainAsk, screen: Screen): Reply {
    switch (screen.kind) {
      case "go":
        return { status: 303, body: "", headers: { Location: screen.to, "Cache-Control": "no-store" } };
      case "none":
        return this.#system(ask, "not_found", 404);
      case "failed":
        return this.#system(ask, "failed", screen.status, screen.retryAfterMs);
      case "page": {
        const { status, title, here, content, other, retryAfterMs } = screen;
        const otherPath = other(plainPaths(otherLanguage(ask.language)));
        const html = documentOf(ask.bundle, { language: ask.language, title, here, content, otherPath, isPlain: true });
        return later(this.#html(ask, html, status), retryAfterMs);
      }
    }
  }

  #system(ask: PlainAsk, kind: SystemPage, status: number, retryAfterMs?: number): Reply {
    return later(this.#html(ask, systemHtml(ask.language, kind, ask.bundle), status), retryAfterMs);
  }

  #html({ request, policy }: PlainAsk, html: string, status: number): Reply {
    return { status, body: request.method === "HEAD" ? "" : html, headers: htmlHeaders(policy, "no-store") };
  }
}

function later(reply: Reply, retryAfterMs: number | undefined): Reply {
  if (retryAfterMs === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, "Retry-After": String(Math.ceil(retryAfterMs / 1000)) } };
}

type Form = { readonly fields: URLSearchParams } | { readonly reply: Reply };

async function readForm(request: Request): Promise<Form> {
  const foreign = foreignPage(request);
  if (foreign !== undefined) return { reply: foreign };
  const coded = compressed(request.headers);
  if (coded !== undefined) return { reply: coded };
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== formType) return { reply: failure("unsupported_media_type", { field: "Content-Type", problem: `must be ${formType}` }) };
  const body = await readBody(request, formBytesMax);
  return body.kind === "reply" ? body : { fields: new URLSearchParams(body.text) };
}
