/**
 * A route and its door. Each kind of route says who may enter; the door is opened before anything of the request is
 * read, and a route without one cannot be written.
 */
import type { z } from "zod";
import type { BuyerId } from "../domain/ids.ts";
import type { Viewer } from "../engine/orders.ts";
import type { ServerKey } from "../ports/server-keys.ts";
import { bodyBytesMax, readJson } from "./body.ts";
import { actingBuyer, type HttpContext } from "./context.ts";
import { readAs, type Reading } from "./contract/read.ts";
import type { Peer } from "./deps.ts";
import { failure, type Reply } from "./envelope.ts";
import { callerOf, type Caller } from "./identity.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One request, as routes see it. */
export type Ask = {
  readonly context: HttpContext;
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly peer: Peer;
  readonly nowMs: number;
};
export type Answering = Reply | Promise<Reply>;
export type Route = { readonly method: Method; readonly path: string; readonly answer: (ask: Ask) => Answering };

type At = readonly [method: Method, path: string];

export function forAnybody([method, path]: At, answer: (ask: Ask, caller: Caller) => Answering): Route {
  return { method, path, answer: (ask) => withCaller(ask, (caller) => answer(ask, caller)) };
}

/** For a buyer, or a server key that acts for one. */
export function forBuyer([method, path]: At, answer: (ask: Ask, buyerId: BuyerId) => Answering): Route {
  return {
    method,
    path,
    answer: (ask) =>
      withCaller(ask, async (caller) => {
        const buyerId = await actingBuyer(ask.context, caller);
        return buyerId === undefined ? noBuyer(caller.kind === "shop") : answer(ask, buyerId);
      }),
  };
}

/** For a server key alone. */
export function forShop([method, path]: At, answer: (ask: Ask, key: ServerKey) => Answering): Route {
  return {
    method,
    path,
    answer: (ask) => withCaller(ask, (caller) => (caller.kind === "shop" ? answer(ask, caller.key) : notTheShop(caller))),
  };
}

/** For the shop, which sees everything, or a buyer, who sees its own; also when the shop asks in the buyer's name. */
export function forViewer([method, path]: At, answer: (ask: Ask, viewer: Viewer, caller: Caller) => Answering): Route {
  return {
    method,
    path,
    answer: (ask) =>
      withCaller(ask, async (caller) =>
        caller.kind === "nobody" ? failure("unauthenticated") : answer(ask, { buyerId: await actingBuyer(ask.context, caller) }, caller),
      ),
  };
}

function withCaller(ask: Ask, answer: (caller: Caller) => Answering): Answering {
  const caller = callerOf(ask.context.deps, ask.request.headers, ask.nowMs);
  return caller.kind === "reply" ? caller.reply : answer(caller);
}

export function noBuyer(isShop: boolean): Reply {
  return isShop
    ? failure("unauthenticated", { field: "X-User-Id", problem: "must name the buyer whom the server key acts for" })
    : failure("unauthenticated");
}

export const notTheShop = (caller: Caller): Reply =>
  caller.kind === "nobody" ? failure("unauthenticated", { field: "X-API-Key", problem: "is required" }) : failure("forbidden");

/** The body by its schema. */
export async function readBodyAs<Schema extends z.ZodType>(ask: Ask, schema: Schema): Promise<Reading<z.output<Schema>>> {
  const json = await readJson(ask.request, bodyBytesMax);
  return json.kind === "reply" ? json : readAs(schema, json.value);
}

/** The query by its schema. A name given twice is refused: which one counts would be a guess. */
export function readQueryAs<Schema extends z.ZodType>(ask: Ask, schema: Schema): Reading<z.output<Schema>> {
  const { searchParams } = new URL(ask.request.url);
  const query = new Map<string, string>();
  for (const [name, value] of searchParams) {
    if (query.has(name)) return { kind: "reply", reply: failure("malformed", { field: name, problem: "must not be given twice" }) };
    query.set(name, value);
  }
  return readAs(schema, Object.fromEntries(query));
}

/** An id of the path, or the answer to one that cannot be an id. */
export function readParam<Id>(
  ask: Ask,
  { name, field, parse }: { name: string; field: string; parse: (text: string) => Id | undefined },
): Reading<Id> {
  const value = parse(ask.params[name] ?? "");
  return value === undefined
    ? { kind: "reply", reply: failure("malformed", { field, problem: "must be a decimal id" }) }
    : { kind: "value", value };
}
