/**
 * The REST API, below any socket: a Request in, a Response out. Routes are a table; Hono finds the one that fits, and
 * everything they share happens here once: request id, failures, counting, CORS, 404 and 405.
 *
 *   listener ─► app.fetch ─┬─ POST …/purchases ─► routes/purchase.ts      (the Bun listener goes there directly)
 *                          ├─ paths of pages ───► pages/pages.ts
 *                          └─ anything else ────► Hono ─► door (route.ts) ─► routes/*
 */
import { Hono, type Context } from "hono";
import { createContext, failureReply, type HttpContext } from "./context.ts";
import type { HttpDeps, Peer } from "./deps.ts";
import { failure, type Reply } from "./envelope.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { isPagePath, Pages, pathIn, patternOf } from "./pages/pages.ts";
import { negotiated } from "./problem.ts";
import type { Ask, Route } from "./route.ts";
import { descriptionOf, descriptionRoutes, type Description } from "./routes/description.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { eventRoutes } from "./routes/events.ts";
import { exportRoutes } from "./routes/exports.ts";
import { ownAccountRoutes } from "./routes/account.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { authRoutes } from "./routes/auth.ts";
import { keyRoutes } from "./routes/keys.ts";
import { merchantRoutes } from "./routes/merchants.ts";
import { orderRoutes } from "./routes/orders.ts";
import { paymentRoutes } from "./routes/payments.ts";
import { productRoutes } from "./routes/products.ts";
import { createPurchaseHandler, purchasePath, purchaseRoute, saleIdInUrl, type PurchaseHandler } from "./routes/purchase.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { saleRoutes } from "./routes/sales.ts";
import { stockRoutes } from "./routes/stock.ts";
import { seedRoutes } from "./seeds.ts";
import { operatorRoutes, systemRoutes } from "./routes/system.ts";
import { tokenRoutes } from "./routes/tokens.ts";

export type Fetch = (request: Request, peer: Peer) => Response | Promise<Response>;

export type App = {
  readonly fetch: Fetch;
  /** `POST /api/v1/sales/:sale_id/purchases`, for a listener that has found the sale's id itself. */
  readonly purchase: PurchaseHandler;
  /** Metrics and statistics without a key, for a listener that only operators reach. */
  readonly adminFetch: Fetch;
  /** Makes the API's description, which takes a while: before anybody waits for an answer. */
  readonly describe: () => Description;
  /** What the router knows, to hold the description to it. */
  readonly registered: () => readonly { readonly method: string; readonly path: string }[];
  /** Says good-bye to all live streams, which would outlast any drain. */
  readonly endStreams: () => void;
};

/** Everything the API answers, the purchase route among it: what the description and the matrix of rights are made from. */
export function routesOf(metrics: Metrics, description: Description = { text: "", etag: "" }): readonly Pick<Route, "contract" | "door">[] {
  return [purchaseRoute, ...restRoutes(metrics, () => description)];
}

const restRoutes = (metrics: Metrics, description: () => Description): readonly Route[] => [
  ...tokenRoutes,
  ...deadLetterRoutes,
  ...authRoutes,
  ...ownAccountRoutes,
  ...accountRoutes,
  ...merchantRoutes,
  ...keyRoutes,
  ...productRoutes,
  ...saleRoutes,
  ...stockRoutes,
  // Before the routes with a purchase's id, for which its name would be taken.
  ...eventRoutes,
  ...orderRoutes,
  ...paymentRoutes,
  ...systemRoutes(metrics),
  ...exportRoutes(),
  ...descriptionRoutes(description),
  ...referenceRoutes,
  ...seedRoutes,
];

export function createApp(deps: HttpDeps): App {
  const context = createContext(deps);
  const metrics = createMetrics(context);
  const purchase = createPurchaseHandler(context);
  let description: Description | undefined;
  const describe = () => (description ??= descriptionOf(routesOf(metrics), deps.options.version));
  const rest = routerOf(context, restRoutes(metrics, describe), purchase);
  const fetchRest = fetchBy(rest);
  const api: Fetch = (request, peer) => {
    const saleId = request.method === "POST" ? saleIdInUrl(request.url) : undefined;
    return saleId === undefined ? fetchRest(request, peer) : purchase(request, saleId, peer);
  };
  const pages = deps.web === undefined ? undefined : new Pages(context, { files: deps.web, api });
  return {
    purchase,
    describe,
    registered: () => rest.routes,
    fetch(request, peer) {
      const saleId = request.method === "POST" ? saleIdInUrl(request.url) : undefined;
      if (saleId !== undefined) return purchase(request, saleId, peer);
      const path = pages === undefined ? "" : pathIn(request.url);
      if (pages === undefined || !isPagePath(path)) return fetchRest(request, peer);
      return serve(context, { request, peer, params: {}, route: patternOf(path) }, (ask) => pages.answer(ask));
    },
    adminFetch: fetchBy(routerOf(context, operatorRoutes(metrics))),
    endStreams: () => context.live.streams.endAll(),
  };
}

type Env = { Bindings: { peer: Peer } };

const fetchBy =
  (router: Hono<Env>): Fetch =>
  (request, peer) =>
    router.fetch(request, { peer });

function routerOf(context: HttpContext, routes: readonly Route[], purchase?: PurchaseHandler): Hono<Env> {
  const hono = new Hono<Env>();
  const methods = new Map<string, string[]>();
  for (const route of routes) {
    const { method, path } = route.contract;
    hono.on(method, path, (c) => serve(context, servedOf(c, path), (ask) => route.answer(ask)));
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  if (purchase !== undefined) {
    hono.post(purchasePath, (c) => purchase(c.req.raw, c.req.param("sale_id"), c.env.peer));
    methods.set(purchasePath, ["POST"]);
  }
  for (const [path, known] of methods)
    hono.all(path, (c) => serve(context, servedOf(c, path), () => otherMethodReply(context, c.req.raw, known)));
  hono.notFound((c) => serve(context, servedOf(c), () => failure("path_unknown")));
  return hono;
}

type Served = Pick<Ask, "request" | "peer" | "params"> & { readonly route: string | undefined };

const servedOf = (c: Context<Env>, route?: string): Served => ({ request: c.req.raw, peer: c.env.peer, params: c.req.param(), route });

async function serve(
  context: HttpContext,
  { request, peer, params, route }: Served,
  answer: (ask: Ask) => Reply | Promise<Reply>,
): Promise<Response> {
  const startedMs = performance.now();
  const requestId = context.requestIds(request.headers.get("x-request-id"));
  let reply: Reply;
  try {
    reply = await answer({ context, request, params, peer, nowMs: context.deps.clock.nowMs() });
  } catch (error) {
    reply = failureReply(context, error, requestId);
  }
  context.counters.answer(reply.status);
  const response = context.respond(negotiated(reply, request.headers), requestId);
  const { status, reason } = reply;
  const endedMs = performance.now();
  if (context.requestLog?.admits(status, endedMs))
    context.requestLog.write({ request, route, status, reason, tookMs: endedMs - startedMs, requestId, peer }, response);
  return context.cors === undefined ? response : context.cors.mark(response, request.headers.get("origin"));
}

/** A path that is known, asked by a method that it does not have. */
function otherMethodReply({ cors }: HttpContext, request: Request, known: readonly string[]): Reply {
  const allowed = [...known, ...(known.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (request.method !== "OPTIONS") {
    return { ...failure("method_not_allowed"), headers: { Allow: allowed } };
  }
  return { status: 204, body: "", headers: { Allow: allowed, ...cors?.preflight(request.headers.get("origin"), allowed) } };
}
