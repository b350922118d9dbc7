/**
 * Doors of a buyer's streams. A page's EventSource cannot send headers, so beside the usual credentials a cookie may name
 * the buyer, here and nowhere else: it holds a ticket, a token of a kind of its own that opens nothing but the stream.
 *
 * Must stay true: a ticket ends with the token it was made for, by time and by revocation, and so does the stream.
 */
import type { BuyerId } from "../../domain/ids.ts";
import { tokenLifetimeDefaultMs } from "../../engine/identity.ts";
import type { TokenHolder } from "../../ports/tokens.ts";
import type { HttpContext } from "../context.ts";
import type { Caller } from "../identity.ts";
import {
  barredFromActing,
  enter,
  noBuyer,
  routeOf,
  turnAway,
  type Answer,
  type Ask,
  type Contract,
  type Entry,
  type Route,
} from "../route.ts";

export const ticketCookie = "doorbuster_events";

/** A buyer, for as long as it may hear. */
export type StreamBuyer = {
  readonly holder: TokenHolder;
  readonly buyerId: BuyerId;
  readonly mayStay: (nowMs: number) => boolean;
};

export function forBuyerStream<const C extends Contract>(contract: C, answer: Answer<C, StreamBuyer>): Route {
  const door = async (caller: Caller, ask: Ask): Promise<Entry<StreamBuyer>> => {
    const holder = caller.kind === "nobody" ? holderOfTicket(ask.context, ask.request.headers, ask.nowMs) : undefined;
    return holder === undefined ? streamBuyerOf(caller, ask) : enter(buyerWith(ask.context, holder));
  };
  return routeOf(contract, { kind: "buyer", byTicket: true }, door, answer);
}

/** For the same without the ticket: one is made here. */
export function forTicketBuyer<const C extends Contract>(contract: C, answer: Answer<C, StreamBuyer>): Route {
  return routeOf(contract, { kind: "buyer" }, streamBuyerOf, answer);
}

async function streamBuyerOf(caller: Caller, { context, request, nowMs }: Ask): Promise<Entry<StreamBuyer>> {
  if (caller.kind === "buyer") return enter(buyerWith(context, caller.holder));
  const barred = barredFromActing(caller);
  if (barred !== undefined) return turnAway(barred);
  if (caller.kind === "nobody" || caller.actsFor === undefined) return turnAway(noBuyer(caller.kind === "shop"));
  // Written down even if new, as for a token: else the first purchase would be made under a number nobody listens to.
  const buyerId = await context.buyers.mint(caller.actsFor);
  const holder = { buyer: caller.actsFor, buyerId, expiresAtMs: nowMs + tokenLifetimeDefaultMs };
  return enter({ holder, buyerId, mayStay: keyStayOf(context, request.headers) });
}

const buyerWith = (context: HttpContext, holder: TokenHolder): StreamBuyer => ({
  holder,
  buyerId: holder.buyerId,
  mayStay: stayOf(context, holder),
});

/** Until the token's time is over or it is revoked. */
const stayOf =
  ({ deps }: HttpContext, holder: TokenHolder) =>
  (nowMs: number): boolean =>
    holder.expiresAtMs > nowMs && !deps.revocations.isRevoked(holder);

/** Until the key is no longer good. */
const keyStayOf = ({ deps }: HttpContext, headers: Headers) => {
  const presented = headers.get("x-api-key") ?? "";
  return (nowMs: number): boolean => deps.serverKeys.check(presented, nowMs) !== undefined;
};

/** The same for whoever opened a stream by its headers; nobody may stay for ever. */
export function mayStayOf(context: HttpContext, caller: Caller, headers: Headers): StreamBuyer["mayStay"] | undefined {
  if (caller.kind === "nobody") return undefined;
  return caller.kind === "buyer" ? stayOf(context, caller.holder) : keyStayOf(context, headers);
}

function holderOfTicket({ deps }: HttpContext, headers: Headers, nowMs: number): TokenHolder | undefined {
  const ticket = cookieIn(headers.get("cookie") ?? "", ticketCookie);
  const holder = ticket === undefined ? undefined : deps.eventTickets.check(ticket, nowMs);
  return holder === undefined || deps.revocations.isRevoked(holder) ? undefined : holder;
}

/** Of two cookies of one name neither counts: whose it is would be a guess. */
function cookieIn(header: string, name: string): string | undefined {
  const found = header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}
