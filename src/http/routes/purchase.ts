/**
 * `POST /api/v1/sales/:sale_id/purchases`, the one route that a sale lives or dies by. It does no work twice and makes as few
 * objects as it can: one HMAC, the body read once, refusals from kept text. The Bun listener puts it straight into its
 * route table; everywhere else it is reached through app.fetch. Same handler, same bytes.
 *
 *   size ─► who ─► key ─► body ─► engine/purchase.ts ─► answer
 */
import { isKey, parseSaleId, type Buyer, type BuyerId, type SaleId } from "../../domain/ids.ts";
import type { Take } from "../../domain/movement.ts";
import { metadataLengthMax, type Refusal } from "../../domain/purchase.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import { purchase, refuseStranger } from "../../engine/purchase.ts";
import { unreachable } from "../../lib/assert.ts";
import { parseStrictJson } from "../../lib/strict-json.ts";
import type { Answer } from "../../ports/acceptance.ts";
import { acceptedAnswer, queuedAnswer } from "../contract/answers.ts";
import { keyHeader, saleParams } from "../contract/params.ts";
import { purchaseBody } from "../contract/requests.ts";
import {
  compressed,
  cutOff,
  declaresTooMuch,
  decodeBody,
  isJsonType,
  jsonObject,
  purchaseBytesMax,
  readBody,
  tooLarge,
  wrongType,
} from "../body.ts";
import { failureReply, type HttpContext } from "../context.ts";
import type { Peer, PeerSource } from "../deps.ts";
import { failure, type Reply } from "../envelope.ts";
import { callerOf, holderOfBearer } from "../identity.ts";
import { negotiated } from "../problem.ts";
import { badKey, notTriedReply, outcomeName, refusalReply, takeRefusals, unknownReply } from "../refusals.ts";
import { barredFromActing, noBuyer, type Contract, type Route } from "../route.ts";
import { acceptedReply, queuedReply } from "../views.ts";

export const purchasePath = "/api/v1/sales/:sale_id/purchases";
/** What the handler below does by hand, as the API's description has it; a test holds the two together. */
export const purchaseContract = {
  method: "POST",
  path: purchasePath,
  operation: "purchase",
  tag: "purchases",
  summary: "Buy in a sale",
  about:
    "No body and no Content-Type mean one unit. Idempotency-Key makes repeats safe. Where a cache decides, the answer waits until there is an order; with Prefer: respond-async, or when that takes too long, it is 202 and means that the purchase is accepted and durable.",
  params: saleParams,
  headers: keyHeader,
  readsItself: true,
  body: purchaseBody,
  answers: { 201: acceptedAnswer, 202: queuedAnswer },
  refusals: ["sale_unknown", ...takeRefusals],
} as const satisfies Contract;

export type PurchaseHandler = (request: Request, saleId: string, peer?: Peer | PeerSource) => Promise<Response>;

/** What is wanted, or what is wrong with it. */
export type Wish =
  | { readonly kind: "wish"; readonly quantity: number; readonly metadata?: string | undefined }
  | { readonly kind: "reply"; readonly reply: Reply };
type Result = { readonly reply: Reply; readonly outcome: string };

const oneUnit: Wish = { kind: "wish", quantity: 1 };
/** What nearly everybody sends. Bodies of its length are too short to hold metadata, so they need no care for its text. */
const commonBody = '{"quantity":1}';
const commonLength = String(commonBody.length);

export function createPurchaseHandler(context: HttpContext): PurchaseHandler {
  const { deps, counters, requestIds, respond, cors, requestLog } = context;
  const idOf = (request: Request) => requestIds(request.headers.get("x-request-id"));
  const finish = (
    request: Request,
    startedMs: number,
    { reply, outcome }: Result,
    peer: Peer | PeerSource | undefined,
    requestId = idOf(request),
  ): Response => {
    const endedMs = performance.now();
    const tookMs = endedMs - startedMs;
    const { status } = reply;
    counters.purchase(outcome, status, tookMs);
    const response = respond(negotiated(reply, request.headers), requestId);
    if (requestLog?.admits(status, endedMs))
      requestLog.write({ request, route: purchasePath, status, reason: outcome, tookMs, requestId, peer }, response);
    return cors === undefined ? response : cors.mark(response, request.headers.get("origin"));
  };
  // One function without helpers that wait: each further promise would cost every request.
  return async (request, saleIdText, peer) => {
    const startedMs = performance.now();
    let isReading = false;
    try {
      const head = headOf(context, request.headers, saleIdText);
      if ("reply" in head) return finish(request, startedMs, head, peer);
      const { saleId, issuer, key, contentLength } = head;
      isReading = true;
      const body = contentLength === commonLength ? await request.text() : await uncommonBody(request, contentLength);
      isReading = false;
      const wish = typeof body === "string" ? wishOf(body, request.headers) : body;
      if (wish.kind === "reply") return finish(request, startedMs, ended(wish.reply, "malformed"), peer);
      let { who } = head;
      if (typeof who === "object") {
        const found = await numberOrRefusal(context, { saleId, buyer: who });
        if (found.kind === "refused") return finish(request, startedMs, resultOf(found), peer);
        who = found.buyerId;
      }
      const { quantity, metadata } = wish;
      const wait = !prefersAsync(request.headers);
      const answer = purchase(deps, { saleId, buyerId: who, issuer, key, quantity, metadata, wait });
      return finish(request, startedMs, resultOf(answer instanceof Promise ? await answer : answer), peer);
    } catch (error) {
      // A client that leaves in the middle of its body is no failure of ours.
      if (isReading) return finish(request, startedMs, ended(cutOff.reply, "malformed"), peer);
      const requestId = idOf(request);
      const reply = failureReply(context, error, requestId);
      return finish(request, startedMs, ended(reply, reply.reason ?? "internal"), peer, requestId);
    }
  };
}

/** RFC 7240: whoever asks so wants to hear of the acceptance, and not to wait for the order. */
function prefersAsync(headers: Headers): boolean {
  const wishes = headers.get("prefer");
  return wishes !== null && /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(wishes);
}

const ended = (reply: Reply, outcome: string): Result => ({ reply, outcome });

type Head = {
  readonly saleId: SaleId;
  readonly who: BuyerId | Buyer;
  readonly issuer: string;
  readonly key: string | undefined;
  readonly contentLength: string | null;
};

/** What can be known before the body, or the answer if that is enough. */
function headOf(context: HttpContext, headers: Headers, saleIdText: string): Head | Result {
  const { clock } = context.deps;
  const contentLength = headers.get("content-length");
  if (declaresTooMuch(contentLength, purchaseBytesMax)) return ended(tooLarge(purchaseBytesMax), "too_large");
  const authorization = headers.get("authorization");
  let who: BuyerId | Buyer | undefined;
  let issuer = "";
  if (authorization !== null && headers.get("x-api-key") === null) {
    const holder = holderOfBearer(context.deps, authorization, clock.nowMs());
    if (holder !== undefined) {
      who = holder.buyerId;
      ({ issuer } = holder.buyer);
    }
  }
  if (who === undefined) {
    const asked = buyerBeyondBearer(context, headers);
    if (asked.kind === "reply") return ended(asked.reply, asked.reply.status === 403 ? "forbidden" : "unauthenticated");
    ({ issuer } = asked.buyer);
    who = context.buyers.peek(asked.buyer) ?? asked.buyer;
  }
  const saleId = parseSaleId(saleIdText);
  if (saleId === undefined) return ended(failure("malformed", { field: "sale_id", problem: "must be a decimal id" }), "malformed");
  const key = headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !isKey(key)) return ended(badKey(), "malformed");
  return { saleId, who, issuer, key, contentLength };
}

type Named = { readonly kind: "named"; readonly buyer: Buyer } | { readonly kind: "reply"; readonly reply: Reply };

/** The buyer whom a server key acts for, or what is wrong with who asks. */
function buyerBeyondBearer({ deps }: HttpContext, headers: Headers): Named {
  const caller = callerOf(deps, headers, deps.clock.nowMs());
  if (caller.kind === "reply") return caller;
  const barred = barredFromActing(caller);
  if (barred !== undefined) return { kind: "reply", reply: barred };
  const buyer = caller.kind === "shop" ? caller.actsFor : caller.kind === "buyer" ? caller.buyer : undefined;
  return buyer === undefined ? { kind: "reply", reply: noBuyer(caller.kind === "shop") } : { kind: "named", buyer };
}

type Numbered = { readonly kind: "numbered"; readonly buyerId: BuyerId } | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * The number of a buyer not met lately. Where memory refuses strangers, it is only looked up: one who has none yet was
 * never accepted, so the refusal that came before the look holds.
 */
export async function numberOrRefusal(
  { deps, buyers }: HttpContext,
  { saleId, buyer }: { readonly saleId: SaleId; readonly buyer: Buyer | BuyerId },
): Promise<Numbered> {
  if (typeof buyer === "number") return { kind: "numbered", buyerId: buyer };
  const refusal = await refuseStranger(deps, { saleId, issuer: buyer.issuer });
  const found = refusal === undefined ? undefined : await buyers.find(buyer);
  if (refusal !== undefined && found === undefined) return { kind: "refused", refusal };
  return { kind: "numbered", buyerId: found ?? (await buyers.mint(buyer)) };
}

/** A body of another length than the common one. Without Content-Length it may be of any size, so it is read with care. */
async function uncommonBody(request: Request, contentLength: string | null): Promise<string | Extract<Wish, { kind: "reply" }>> {
  const coded = compressed(request.headers);
  if (coded !== undefined) return { kind: "reply", reply: coded };
  const body = contentLength === null ? await readBody(request, purchaseBytesMax) : decodeBody(await request.arrayBuffer());
  return body.kind === "reply" ? body : body.text;
}

/** No body means one unit; one that was announced and is empty was lost on the way. */
export function wishOf(text: string, headers: Headers): Wish {
  const contentType = headers.get("content-type");
  if (text === "" && contentType === null) return oneUnit;
  if (!isJsonType(contentType)) return { kind: "reply", reply: wrongType(contentType) };
  return text === commonBody ? oneUnit : parseWish(text);
}

function parseWish(text: string): Wish {
  const json = jsonObject(parseStrictJson(text));
  if (json.kind === "reply") return json;
  for (const field of json.members.keys()) if (field !== "quantity" && field !== "metadata") return bad(field, "is not a known field");
  // jsonObject has seen that it is an object.
  const { quantity = 1, metadata } = json.value as { quantity?: unknown; metadata?: unknown };
  if (typeof quantity !== "number" || !Number.isSafeInteger(quantity) || quantity < 1 || quantity > quotaUnitsMax)
    return bad("quantity", `must be an integer from 1 to ${quotaUnitsMax}`);
  if (metadata === undefined) return { kind: "wish", quantity };
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return bad("metadata", "must be an object");
  const source = json.members.get("metadata") ?? "{}";
  if (Buffer.byteLength(source) > metadataLengthMax) return bad("metadata", `must have at most ${metadataLengthMax} bytes`);
  return { kind: "wish", quantity, metadata: source };
}

const bad = (field: string, problem: string): Wish => ({ kind: "reply", reply: failure("malformed", { field, problem }) });

function resultOf(answer: Answer<Take>): Result {
  return ended(takeReply(answer), outcomeName(answer));
}

/** What a purchase answers, however it was asked for. */
export function takeReply(answer: Answer<Take>): Reply {
  switch (answer.kind) {
    case "accepted":
      return acceptedReply(answer.purchase, answer.replayed);
    case "queued":
      return queuedReply(answer.purchase, answer.replayed);
    case "refused":
      return refusalReply(answer.refusal);
    case "sale_unknown":
      return refusalReply({ reason: "sale_unknown" });
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

/** The route as the API's description and the matrix of who may do what see it; app.ts hands its requests to the handler. */
export const purchaseRoute: Pick<Route, "contract" | "door"> = { contract: purchaseContract, door: { kind: "buyer" } };

/** The sale's id in `/api/v1/sales/:sale_id/purchases`, or undefined for any other URL. */
export function saleIdInUrl(url: string): string | undefined {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  if (!url.startsWith(prefix, path)) return undefined;
  const end = url.indexOf("?", path);
  const pathEnd = end < 0 ? url.length : end;
  if (!url.endsWith(suffix, pathEnd)) return undefined;
  const id = url.slice(path + prefix.length, pathEnd - suffix.length);
  return id === "" || id.includes("/") ? undefined : id;
}
const prefix = "/api/v1/sales/";
const suffix = "/purchases";
