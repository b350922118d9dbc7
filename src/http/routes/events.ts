/** Live push: a sale's stock for anybody, a buyer's own purchases, and the ticket with which a page's EventSource comes in. */
import { z } from "zod";
import { ticketAnswer } from "../contract/answers.ts";
import { saleParams } from "../contract/params.ts";
import { success } from "../envelope.ts";
import { forAnybody, type Ask, type Route } from "../route.ts";
import { forBuyerStream, forTicketBuyer, mayStayOf, ticketCookie } from "../sse/doors.ts";
import { eventStreamType, type StreamGuest } from "../sse/live.ts";
import { isoTime } from "../time.ts";
import { withSale } from "./sales.ts";

const purchasesPath = "/api/v1/purchases/events";
const lastEventId = z.object({ "Last-Event-ID": z.string().optional() });

const stockEvents = {
  method: "GET",
  path: "/api/v1/sales/:sale_id/events",
  operation: "watchSale",
  tag: "sales",
  summary: "Hear of a sale's stock and status, live",
  about:
    "Server-sent events, at most two a second: `stock`, whose data is one JSON object and whose id names the state. The first tells the present state, unless Last-Event-ID names it.",
  params: saleParams,
  headers: lastEventId,
  answers: { 200: { contentType: eventStreamType, about: "Events named `stock` and, as last words, `draining` or `auth_expired`" } },
  refusals: ["sale_unknown", "too_many_streams", "draining"],
} as const;

const purchaseEvents = {
  method: "GET",
  path: purchasesPath,
  operation: "watchPurchases",
  tag: "purchases",
  summary: "Hear of one's own purchases, live",
  about:
    "Server-sent events: first `purchase` for each open one, and with Last-Event-ID for each that has changed since; then `ready`; then `purchase` for each change. A page's EventSource, which sends no headers, gets a ticket first.",
  headers: lastEventId,
  answers: {
    200: { contentType: eventStreamType, about: "Events named `purchase` and `ready` and, as last words, `auth_expired` or `draining`" },
  },
  refusals: ["too_many_streams", "draining"],
} as const;

const ticket = {
  method: "POST",
  path: `${purchasesPath}/ticket`,
  operation: "createEventTicket",
  tag: "purchases",
  summary: "Get a cookie with which EventSource may hear of one's own purchases",
  about: `The cookie opens ${purchasesPath} and nothing else, is hidden from scripts and other sites, and ends with the token it was asked for with; a server key's lasts ten minutes.`,
  answers: { 201: ticketAnswer },
} as const;

export const eventRoutes: readonly Route[] = [
  forAnybody(stockEvents, (ask, caller) =>
    withSale(ask, caller, (sale) => {
      const buyerId = caller.kind === "buyer" ? caller.buyerId : undefined;
      // What everybody may see, nobody has to leave; a draft is for those who may still see it.
      const mayStay = sale.phase === "draft" ? mayStayOf(ask.context, caller, ask.request.headers) : undefined;
      return ask.context.live.watchSale({ ...guestOf(ask), buyerId, mayStay }, sale);
    }),
  ),

  forBuyerStream(purchaseEvents, (ask, { buyerId, mayStay }) => ask.context.live.watchPurchases({ ...guestOf(ask), buyerId, mayStay })),

  forTicketBuyer(ticket, ({ context: { deps }, nowMs }, { holder: { buyer, buyerId, account, expiresAtMs } }) => {
    const lifetimeMs = expiresAtMs - nowMs;
    const value = deps.eventTickets.mint({ buyer, buyerId, nowMs, lifetimeMs, account });
    const secure = deps.options.environment === "production" ? "; Secure" : "";
    const maxAge = Math.floor(lifetimeMs / 1000);
    const cookie = `${ticketCookie}=${value}; Path=${purchasesPath}; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
    return success({ expires_at: isoTime(expiresAtMs) }, 201, { "Set-Cookie": cookie });
  }),
];

function guestOf({ context, request, peer }: Pick<Ask, "context" | "request" | "peer">): StreamGuest {
  return { client: context.clientOf(request.headers, peer.address), request, peer };
}
