/** What every route shares: who asks, how answers are made and counted, what failures become. */
import { strangerId, type Buyer, type BuyerId } from "../domain/ids.ts";
import type { AccountDeps } from "../engine/accounts/deps.ts";
import type { KeyDeps } from "../engine/accounts/shop-keys.ts";
import { SecondBudget } from "../lib/second-budget.ts";
import type { StoreUnavailable } from "../ports/store-unavailable.ts";
import { createClientOf, type ClientOf } from "./client-address.ts";
import { createCors, type Cors } from "./cors.ts";
import { HttpCounters } from "./counters.ts";
import type { HttpDeps, People } from "./deps.ts";
import { failure, type Reply } from "./envelope.ts";
import { BuyerNumbers, type Caller } from "./identity.ts";
import { createRequestIds, type RequestIds } from "./request-ids.ts";
import { RequestLog } from "./request-log.ts";
import { createResponder, type Responder } from "./responses.ts";
import { Live } from "./sse/live.ts";

export type HttpContext = {
  readonly deps: HttpDeps;
  readonly counters: HttpCounters;
  readonly requestIds: RequestIds;
  readonly respond: Responder;
  readonly buyers: BuyerNumbers;
  readonly cors: Cors | undefined;
  readonly clientOf: ClientOf;
  readonly live: Live;
  readonly requestLog: RequestLog | undefined;
  /** Lines about a store that does not answer: a storm would write one for each of its requests. */
  readonly storeWarnings: SecondBudget;
  /** What the use cases of accounts, shops and keys are given. */
  readonly people: AccountDeps & KeyDeps & Pick<People, "foreignShop">;
};

const storeWarningsPerSecondMax = 2;

export function createContext(deps: HttpDeps): HttpContext {
  const cors = deps.options.corsOrigins.length === 0 ? undefined : createCors(deps.options.corsOrigins);
  const clientOf = createClientOf(deps.options.trustedProxies ?? []);
  return {
    deps,
    counters: new HttpCounters(),
    requestIds: createRequestIds(deps.entropy.secret(6)),
    respond: createResponder(cors === undefined ? {} : { vary: "Origin" }),
    buyers: new BuyerNumbers(deps),
    cors,
    clientOf,
    live: new Live(deps),
    requestLog: deps.requestLog === undefined ? undefined : new RequestLog({ deps, clientOf }, deps.requestLog),
    storeWarnings: new SecondBudget(storeWarningsPerSecondMax),
    people: { ...deps, ...deps.people },
  };
}

/** What a thrown failure tells the caller. Anything unforeseen is a bug of ours: logged, and 500. */
export function failureReply(
  { deps, storeWarnings }: Pick<HttpContext, "deps" | "storeWarnings">,
  error: unknown,
  requestId: string,
): Reply {
  if (isStoreUnavailable(error)) {
    // What was answered stands in the request's own line; where in the code it was says nothing of the store.
    if (storeWarnings.take(performance.now())) {
      const left_out = storeWarnings.takeLeftOut() || undefined;
      deps.log.warn("The store did not answer", { code: error.code, problem: error.message, request_id: requestId, left_out });
    }
    return failure(error.code === "unknown" ? "outcome_unknown" : error.code === "storage_full" ? "storage_full" : "busy");
  }
  deps.log.error("A request failed", { request_id: requestId, err: error });
  return failure("internal");
}

/** By name: what is thrown by adapters is known here by its type alone. */
export function isStoreUnavailable(error: unknown): error is StoreUnavailable {
  return error instanceof Error && error.name === "StoreUnavailable" && "code" in error;
}

/** The buyer somebody is or acts for. */
export async function actingBuyer(context: Pick<HttpContext, "buyers">, caller: Caller): Promise<BuyerId | undefined> {
  if (caller.kind === "buyer") return caller.buyerId;
  return caller.kind === "shop" && caller.actsFor !== undefined ? numberToRead(context, caller.actsFor) : undefined;
}

/** The number under which a buyer's own may be read; one who has never been here sees nothing, and is not written down. */
export async function numberToRead({ buyers }: Pick<HttpContext, "buyers">, buyer: Buyer | BuyerId): Promise<BuyerId> {
  return typeof buyer === "number" ? buyer : ((await buyers.find(buyer)) ?? strangerId);
}
