/**
 * A route: its contract, its door and what answers. The contract is the one place that says what a request may hold and
 * what comes back: it is what validates, what types the handler, and what the API's description is made from. Each kind
 * of route says who may enter; the door is opened before anything of the request is read, and a route without one cannot
 * be written.
 */
import { z } from "zod";
import { localIssuer, mayDo, type Access, type Permission } from "../domain/access.ts";
import type { ErrorReason } from "../domain/errors.ts";
import { isKey, parseAccountId, parseSessionId, type AccountId, type BuyerId, type SessionId } from "../domain/ids.ts";
import type { Viewer } from "../engine/orders.ts";
import { bodyBytesMax, readJson } from "./body.ts";
import { actingBuyer, type HttpContext } from "./context.ts";
import { readAs, type Reading } from "./contract/read.ts";
import type { Peer } from "./deps.ts";
import { failure, type Reply } from "./envelope.ts";
import { callerOf, type Caller, type Staff } from "./identity.ts";
import { badKey } from "./refusals.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Tag =
  | "accounts"
  | "exports"
  | "keys"
  | "merchants"
  | "orders"
  | "payments"
  | "products"
  | "purchases"
  | "sales"
  | "seeds"
  | "system"
  | "tokens";

/** Answers that are no JSON envelope, by their Content-Type. */
export type RawAnswer = { readonly contentType: string; readonly about: string };

export type Contract = {
  readonly method: Method;
  readonly path: string;
  /** Its name in the API's description and in clients made from it: never changed, never used again. */
  readonly operation: string;
  readonly tag: Tag;
  /** What it does, in one line. */
  readonly summary: string;
  /** What the summary has no room for. */
  readonly about?: string | undefined;
  /** Names and values of the path's `:name` parts. */
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  /** A JSON object of at most 64 KiB. */
  readonly body?: z.ZodType | undefined;
  /** Where the handler reads the body itself, the contract's only describes it. */
  readonly readsItself?: boolean | undefined;
  /** Headers of the request that this route looks at, beside those that name the caller. */
  readonly headers?: z.ZodObject | undefined;
  /** Successes: by status, the shape of `data`, or what comes instead of an envelope. */
  readonly answers: Readonly<Record<number, z.ZodType | RawAnswer>>;
  /** Whether the envelope says its message once more, as `msg`. */
  readonly saysMsg?: boolean | undefined;
  /** Refusals of its own, beyond those of its door, its inputs and the server's state. */
  readonly refusals?: readonly ErrorReason[] | undefined;
};

/** Who may enter; also the row of the authorisation matrix. */
export type Door =
  /** Unasked: credentials are not even looked at. */
  | { readonly kind: "anybody"; readonly unasked?: true }
  /** A ticket in a cookie names a buyer to streams alone. */
  | { readonly kind: "buyer"; readonly byTicket?: true }
  /** Whoever has logged in. */
  | { readonly kind: "account" }
  /** Those who hold the permission; viewers also if the thing is their own. */
  | { readonly kind: "staff" | "viewer"; readonly permission: Permission };

/** One request, as routes see it. */
export type Ask = {
  readonly context: HttpContext;
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly peer: Peer;
  readonly nowMs: number;
};
type Part<C, Name extends string, Otherwise> = C extends { readonly [N in Name]: infer S extends z.ZodType } ? z.output<S> : Otherwise;
/** The same once its parts are read: what the contract does not have is empty. */
export type Asked<C extends Contract> = Omit<Ask, "params"> & {
  readonly params: Part<C, "params", Readonly<Record<string, never>>>;
  readonly query: Part<C, "query", undefined>;
  readonly body: C extends { readonly readsItself: true } ? undefined : Part<C, "body", undefined>;
};
export type Answering = Reply | Promise<Reply>;
export type Route = { readonly contract: Contract; readonly door: Door; readonly answer: (ask: Ask) => Answering };

export type Answer<C extends Contract, Who> = (ask: Asked<C>, who: Who) => Answering;

export function forAnybody<const C extends Contract>(contract: C, answer: Answer<C, Caller>): Route {
  return routeOf(contract, { kind: "anybody" }, (caller) => enter(caller), answer);
}

/** For a buyer, or a server key that acts for one. */
export function forBuyer<const C extends Contract>(contract: C, answer: Answer<C, BuyerId>): Route {
  const door = async (caller: Caller, { context }: Ask): Promise<Entry<BuyerId>> => {
    const barred = barredFromActing(caller);
    if (barred !== undefined) return turnAway(barred);
    const buyerId = await actingBuyer(context, caller);
    return buyerId === undefined ? turnAway(noBuyer(caller.kind === "shop")) : enter(buyerId);
  };
  return routeOf(contract, { kind: "buyer" }, door, answer);
}

/** For an account that has logged in, for what is its own. */
export function forAccount<const C extends Contract>(contract: C, answer: Answer<C, SignedIn>): Route {
  return routeOf(
    contract,
    { kind: "account" },
    (caller) => {
      const account = accountOf(caller);
      return account === undefined ? turnAway(notAllowed(caller)) : enter(account);
    },
    answer,
  );
}

/** Who has logged in, and the session it did so in. */
export type SignedIn = { readonly id: AccountId; readonly session: SessionId };

export function accountOf(caller: Caller): SignedIn | undefined {
  if (caller.kind !== "buyer" || caller.holder.account === undefined || caller.buyer.issuer !== localIssuer) return undefined;
  const id = parseAccountId(caller.buyer.subject);
  const session = parseSessionId(caller.holder.account.session);
  return id === undefined || session === undefined ? undefined : { id, session };
}

/** For those who hold the permission: server keys by their scopes, accounts by their roles. */
export function forStaff<const C extends Contract>(permission: Permission, contract: C, answer: Answer<C, Staff>): Route {
  const door = (caller: Caller): Entry<Staff> => {
    const staff = staffOf(caller);
    return staff !== undefined && mayDo(staff.access, permission) ? enter(staff) : turnAway(notAllowed(caller));
  };
  return routeOf(contract, { kind: "staff", permission }, door, answer);
}

/** For buyers, who see their own, and those who hold the permission, who see what is in their reach. */
export function forViewer<const C extends Contract>(permission: Permission, contract: C, answer: Answer<C, Viewing>): Route {
  const door = async (caller: Caller, { context }: Ask): Promise<Entry<Viewing>> => {
    if (caller.kind === "nobody") return turnAway(failure("unauthenticated"));
    const barred = barredFromActing(caller);
    if (barred !== undefined) return turnAway(barred);
    const buyerId = await actingBuyer(context, caller);
    // A key that names a buyer asks as this buyer.
    const staff = caller.kind === "shop" && caller.actsFor !== undefined ? undefined : staffOf(caller);
    const access = staff !== undefined && mayDo(staff.access, permission) ? staff.access : undefined;
    if (buyerId === undefined && access === undefined) return turnAway(notAllowed(caller));
    return enter({ viewer: { buyerId, access }, caller });
  };
  return routeOf(contract, { kind: "viewer", permission }, door, answer);
}

export type Viewing = { readonly viewer: Viewer; readonly caller: Caller };

export type Entry<Who> = { readonly kind: "enter"; readonly who: Who } | { readonly kind: "reply"; readonly reply: Reply };
export const enter = <Who>(who: Who): Entry<Who> => ({ kind: "enter", who });
export const turnAway = (reply: Reply) => ({ kind: "reply", reply }) as const;

/** A route by a door of its own. */
export function routeOf<const C extends Contract, Who>(
  contract: C,
  door: Door,
  open: (caller: Caller, ask: Ask) => Entry<Who> | Promise<Entry<Who>>,
  answer: Answer<C, Who>,
): Route {
  return {
    contract,
    door,
    answer: async (ask) => {
      const caller = callerOf(ask.context.deps, ask.request.headers, ask.nowMs);
      if (caller.kind === "reply") return caller.reply;
      const entry = await open(caller, ask);
      if (entry.kind === "reply") return entry.reply;
      const asked = await readAsked(contract, ask);
      return asked.kind === "reply" ? asked.reply : answer(asked.value, entry.who);
    },
  };
}

/** Without looking at credentials: a probe with an old token still learns whether we live. */
export function openly<const C extends Contract>(contract: C, answer: (ask: Asked<C>) => Answering): Route {
  return {
    contract,
    door: { kind: "anybody", unasked: true },
    answer: async (ask) => {
      const asked = await readAsked(contract, ask);
      return asked.kind === "reply" ? asked.reply : answer(asked.value);
    },
  };
}

const noBody = z.strictObject({});

async function readAsked<const C extends Contract>(contract: C, ask: Ask): Promise<Reading<Asked<C>>> {
  const params = readAs(contract.params ?? noBody, ask.params);
  if (params.kind === "reply") return params;
  const query = contract.query === undefined ? undefined : readQuery(ask, contract.query);
  if (query?.kind === "reply") return query;
  const body = contract.readsItself || contract.method === "GET" ? undefined : await readBodyOf(ask, contract.body ?? noBody);
  if (body?.kind === "reply") return body;
  const read = { ...ask, params: params.value, query: query?.value, body: contract.body === undefined ? undefined : body?.value };
  // Each part has just been read by the schema that gives it its type.
  return { kind: "value", value: read as Asked<C> };
}

async function readBodyOf(ask: Ask, schema: z.ZodType): Promise<Reading<unknown>> {
  const json = await readJson(ask.request, bodyBytesMax);
  return json.kind === "reply" ? json : readAs(schema, json.value);
}

/** A name given twice is refused: which one counts would be a guess. */
function readQuery(ask: Ask, schema: z.ZodObject): Reading<unknown> {
  const { searchParams } = new URL(ask.request.url);
  const query = new Map<string, string>();
  for (const [name, value] of searchParams) {
    if (query.has(name)) return { kind: "reply", reply: failure("malformed", { field: name, problem: "must not be given twice" }) };
    query.set(name, value);
  }
  return readAs(schema, Object.fromEntries(query));
}

/** The Idempotency-Key, if there is one. */
export function readKey(headers: Headers): Reading<string | undefined> {
  const key = headers.get("idempotency-key") ?? undefined;
  return key === undefined || isKey(key) ? { kind: "value", value: key } : { kind: "reply", reply: badKey() };
}

export const staffOf = (caller: Caller): Staff | undefined => (caller.kind === "nobody" ? undefined : caller.staff);

/** Whether somebody may do a thing beyond its own, in whichever shop. */
export function accessFor(caller: Caller, permission: Permission): Access | undefined {
  const access = staffOf(caller)?.access;
  return access !== undefined && mayDo(access, permission) ? access : undefined;
}

/** A key without the scope cannot name buyers. */
export function barredFromActing(caller: Caller): Reply | undefined {
  const acts = caller.kind === "shop" && caller.actsFor !== undefined;
  return acts && !mayDo(caller.staff.access, "buyers:act") ? failure("forbidden") : undefined;
}

export function noBuyer(isShop: boolean): Reply {
  return isShop
    ? failure("unauthenticated", { field: "X-User-Id", problem: "must name the buyer whom the server key acts for" })
    : failure("unauthenticated");
}

/** For somebody known 403, for nobody 401. */
export const notAllowed = (caller: Caller): Reply =>
  caller.kind === "nobody" ? failure("unauthenticated", { field: "X-API-Key", problem: "is required" }) : failure("forbidden");
