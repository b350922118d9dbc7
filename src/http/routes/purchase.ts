/**
 * `POST /api/v1/sales/:id/purchases`, the one route that a sale lives or dies by. It does no work twice and makes as few
 * objects as it can: one HMAC, the body read once, refusals from kept text. The Bun listener puts it straight into its
 * route table; everywhere else it is reached through app.fetch. Same handler, same bytes.
 *
 *   size ─► who ─► key ─► body ─► engine/purchase.ts ─► answer
 */
import { isKey, parseSaleId, type BuyerId } from "../../domain/ids.ts";
import type { Take } from "../../domain/movement.ts";
import { metadataLengthMax } from "../../domain/purchase.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import { purchase } from "../../engine/purchase.ts";
import { unreachable } from "../../lib/assert.ts";
import { parseStrictJson } from "../../lib/strict-json.ts";
import type { Answer } from "../../ports/acceptance.ts";
import { declaresTooMuch, decodeBody, isJsonType, jsonObject, purchaseBytesMax, readBody, tooLarge, wrongType } from "../body.ts";
import { actingBuyer, failureReply, type HttpContext } from "../context.ts";
import { failure, type Reply } from "../envelope.ts";
import { callerOf, holderOfBearer } from "../identity.ts";
import { badKey, notTriedReply, outcomeName, refusalReply, unknownReply } from "../refusals.ts";
import { noBuyer } from "../route.ts";
import { acceptedReply } from "../views.ts";

export const purchasePath = "/api/v1/sales/:id/purchases";
export type PurchaseHandler = (request: Request, saleId: string) => Promise<Response>;

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
  const { counters, requestIds, respond, cors } = context;
  return async (request, saleIdText) => {
    const startedMs = performance.now();
    const requestId = requestIds(request.headers.get("x-request-id"));
    let result: Result;
    try {
      result = await purchaseResult(context, request, saleIdText);
    } catch (error) {
      result = ended(failureReply(context, error, requestId), "internal");
    }
    counters.purchase(result.outcome, result.reply.status, performance.now() - startedMs);
    const response = respond(result.reply, requestId);
    return cors === undefined ? response : cors.mark(response, request.headers.get("origin"));
  };
}

const ended = (reply: Reply, outcome: string): Result => ({ reply, outcome });

async function purchaseResult(context: HttpContext, request: Request, saleIdText: string): Promise<Result> {
  const { deps } = context;
  const { headers } = request;
  const contentLength = headers.get("content-length");
  if (declaresTooMuch(contentLength, purchaseBytesMax)) return ended(tooLarge(purchaseBytesMax), "too_large");
  const authorization = headers.get("authorization");
  let buyerId: BuyerId | undefined;
  if (authorization !== null && headers.get("x-api-key") === null)
    buyerId = holderOfBearer(deps.tokens, authorization, deps.clock.nowMs())?.buyerId;
  if (buyerId === undefined) {
    const asked = await buyerBeyondBearer(context, headers);
    if (typeof asked === "object") return ended(asked, "unauthenticated");
    buyerId = asked;
  }
  const saleId = parseSaleId(saleIdText);
  if (saleId === undefined) return ended(failure("malformed", { field: "sale_id", problem: "must be a decimal id" }), "malformed");
  const key = headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !isKey(key)) return ended(badKey(), "malformed");
  const wish = contentLength === commonLength ? wishOf(await request.text(), headers) : await uncommonWish(request, contentLength);
  if (wish.kind === "reply") return ended(wish.reply, "malformed");
  const answer = purchase(deps, { saleId, buyerId, key, quantity: wish.quantity, metadata: wish.metadata });
  return resultOf(answer instanceof Promise ? await answer : answer);
}

/** A server key acting for a buyer, or what is wrong with who asks. */
async function buyerBeyondBearer(context: HttpContext, headers: Headers): Promise<BuyerId | Reply> {
  const caller = callerOf(context.deps, headers, context.deps.clock.nowMs());
  if (caller.kind === "reply") return caller.reply;
  return (await actingBuyer(context, caller)) ?? noBuyer(caller.kind === "shop");
}

/** A body of another length than the common one. Without Content-Length it may be of any size, so it is read with care. */
async function uncommonWish(request: Request, contentLength: string | null): Promise<Wish> {
  const body = contentLength === null ? await readBody(request, purchaseBytesMax) : decodeBody(await request.arrayBuffer());
  return body.kind === "reply" ? body : wishOf(body.text, request.headers);
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

/** The sale's id in `/api/v1/sales/:id/purchases`, or undefined for any other URL. */
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
