/**
 * The pages of the shop, beside the API and apart from it: whatever the API refuses, pages are bytes that lie ready.
 *
 *   /  ─► /<language>/            /assets/<name>  programs          /<language>/s/<sale>  and /start.ics below it, …
 *   /plain/<language>/…  the same for browsers that run no program: plain/plain-pages.ts
 *
 * Nothing here knows who asks: what is personal a page's program asks of the API.
 */
import type { WebBundle, WebFiles } from "../../ports/web-files.ts";
import type { PayWay } from "../../web/order/order-view.ts";
import { isLanguage, languageFor, type Language } from "../../web/shared/languages.ts";
import { pathsOf, plainRoot } from "../../web/shared/paths.ts";
import type { Fetch } from "../app.ts";
import { failureReply, type HttpContext } from "../context.ts";
import { failure, type Reply } from "../envelope.ts";
import type { Ask } from "../route.ts";
import { bytesReply, htmlHeaders, pagePolicy, type PageBytes } from "./page-bytes.ts";
import { ListPages } from "./list-pages.ts";
import { PlainPages } from "./plain/plain-pages.ts";
import { SalePages } from "./sale-pages.ts";
import { shellPage } from "./shell-pages.ts";
import { busyReply, systemPage, type SystemPage } from "./system-pages.ts";

type PageAsk = Pick<Ask, "request" | "peer" | "nowMs">;

/** A copy is good for two seconds, then it may be shown while a new one is fetched, and for an hour if none can be had. */
const saleCaching = "public, max-age=2, stale-while-revalidate=60, stale-if-error=3600";
const listCaching = "public, max-age=5, stale-while-revalidate=60, stale-if-error=3600";
/** Pages that are the same until the server is another. */
const shellCaching = "public, max-age=60, stale-while-revalidate=86400, stale-if-error=86400";
const foreverCaching = "public, max-age=31536000, immutable";

const cachedFor = (caching: string, page: PageBytes | undefined) => (page === undefined ? undefined : { page, caching });

/** The path of a URL, without parsing the rest of it. */
export function pathIn(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}

/** What the log says of a page's path: which kind it is, and nothing that names an order. */
export const patternOf = (path: string): string =>
  path === "/"
    ? path
    : path.startsWith("/assets")
      ? "/assets/:name"
      : path.startsWith(plainRoot)
        ? `${plainRoot}/:language/*`
        : "/:language/*";

/** Whether a path is one of ours; everything else is the API's to answer. */
export const isPagePath = (path: string): boolean => path === "/" || /^\/(assets|plain|zh-CN|en)(\/|$)/.test(path);

export class Pages {
  readonly #context: PageContext;
  readonly #files: WebFiles;
  readonly #sales: SalePages;
  readonly #list: ListPages;
  readonly #payWay: PayWay;
  readonly #plain: PlainPages;
  #policy: { readonly bundle: WebBundle; readonly text: string } | undefined;

  constructor(context: PageContext, { files, api }: { readonly files: WebFiles; readonly api: Fetch }) {
    const { deps } = context;
    this.#context = context;
    this.#files = files;
    this.#sales = new SalePages(deps);
    this.#list = new ListPages(deps);
    const isSimulated = deps.provider.name === "simulated";
    this.#payWay = !isSimulated ? "external" : deps.options.environment === "development" ? "trial" : "simulated";
    this.#plain = new PlainPages({ deps, api, payWay: this.#payWay });
  }

  answer(ask: PageAsk): Reply | Promise<Reply> {
    const { request } = ask;
    const path = pathIn(request.url);
    if (!path.startsWith(`${plainRoot}/`)) return this.#still(request, path);
    const [language = "", ...rest] = path.slice(plainRoot.length + 1).split("/");
    const bundle = this.#files.current();
    if (!isLanguage(language)) return failure("path_unknown");
    if (bundle === undefined) return busyReply(language);
    return this.#plain.answer({ ...ask, language, rest, bundle, policy: this.#policyOf(bundle) });
  }

  /** What is the same for everybody. */
  #still(request: Request, path: string): Reply | Promise<Reply> {
    if (request.method !== "GET" && request.method !== "HEAD")
      return request.method === "OPTIONS"
        ? { status: 204, body: "", headers: { Allow: "GET, HEAD, OPTIONS" } }
        : { ...failure("method_not_allowed"), headers: { Allow: "GET, HEAD, OPTIONS" } };
    if (path === "/") return toLanguage(request.headers);
    const [, first = "", ...rest] = path.split("/");
    const bundle = this.#files.current();
    if (first === "assets") return this.#asset(request, rest.join("/"), bundle);
    const language = isLanguage(first) ? first : "en";
    if (request.url.endsWith("?plain"))
      return { status: 302, body: "", headers: { Location: `${plainRoot}${path}`, "Cache-Control": "no-store" } };
    if (bundle === undefined) return busyReply(language);
    return this.#page({ request, language, rest, bundle });
  }

  #asset(request: Request, name: string, bundle: WebBundle | undefined): Reply {
    const file = bundle?.files.get(name);
    if (file === undefined) return failure("path_unknown");
    const headers = { "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": foreverCaching };
    return bytesReply(request, { ...file, etag: `"${name}"` }, headers);
  }

  async #page(ask: PageOfOurs): Promise<Reply> {
    const [kind, id, file, ...more] = ask.rest;
    try {
      if (kind === "s" && id !== undefined && file === "start.ics" && more.length === 0) return await this.#calendar(ask, id);
      const page = await this.#found(ask);
      return page === undefined ? await this.#system(ask, { kind: "not_found", status: 404 }) : this.#html(ask, page.page, page.caching);
    } catch (error) {
      const { status, reason, headers } = failureReply(this.#context, error, "");
      const reply = await this.#system(ask, { kind: "failed", status });
      return { ...reply, reason, headers: { ...reply.headers, ...headers } };
    }
  }

  async #found({ language, rest, bundle }: PageOfOurs): Promise<{ readonly page: PageBytes; readonly caching: string } | undefined> {
    const [kind = "", id, ...more] = rest;
    if (more.length > 0) return undefined;
    if (kind === "s" && id !== undefined) return cachedFor(saleCaching, await this.#sales.page(language, id, bundle));
    if (kind === "" && id === undefined) return cachedFor(listCaching, await this.#list.page(language, bundle));
    const shell = shellPage({ language, bundle, payWay: this.#payWay }, kind, id);
    return cachedFor(shellCaching, await shell);
  }

  async #calendar(ask: PageOfOurs, id: string): Promise<Reply> {
    const file = await this.#sales.calendar(ask.language, id);
    if (file === undefined) return this.#system(ask, { kind: "not_found", status: 404 });
    return bytesReply(ask.request, file, { "Content-Type": "text/calendar; charset=utf-8", "Cache-Control": saleCaching });
  }

  #html({ request, bundle }: PageOfOurs, page: PageBytes, caching: string): Reply {
    return bytesReply(request, page, htmlHeaders(this.#policyOf(bundle), caching));
  }

  async #system(ask: PageOfOurs, { kind, status }: { readonly kind: SystemPage; readonly status: number }): Promise<Reply> {
    const page = await systemPage(ask.language, kind, ask.bundle);
    return { ...this.#html(ask, page, "no-store"), status };
  }

  #policyOf(bundle: WebBundle): string {
    if (this.#policy?.bundle !== bundle) this.#policy = { bundle, text: pagePolicy(bundle.style) };
    return this.#policy.text;
  }
}

type PageContext = Pick<HttpContext, "deps" | "storeWarnings">;
type PageOfOurs = { readonly request: Request; readonly language: Language; readonly rest: readonly string[]; readonly bundle: WebBundle };

/** To the language that was chosen, or the one that the browser asks for. */
function toLanguage(headers: Headers): Reply {
  const chosen = /(?:^|;\s*)doorbuster_language=([\w-]+)/.exec(headers.get("cookie") ?? "")?.[1];
  const language = isLanguage(chosen) ? chosen : languageFor(headers.get("accept-language"));
  return { status: 302, body: "", headers: { Location: pathsOf(language).list, Vary: "Accept-Language, Cookie" } };
}
