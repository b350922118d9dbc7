import { z } from "zod";
import type { PurchaseId } from "../../domain/ids.ts";
import { applyCallback, type Callback } from "../../engine/callback.ts";
import type { Viewer } from "../../engine/orders.ts";
import { payExternal, type PayExternalAnswer } from "../../engine/pay-external.ts";
import { pay, type PayAnswer } from "../../engine/pay.ts";
import { unreachable } from "../../lib/assert.ts";
import { parseStrictJson } from "../../lib/strict-json.ts";
import { bodyBytesMax, compressed, declaresTooMuch, jsonObject, readBytes, readJson, tooLarge } from "../body.ts";
import { readAs, type Reading } from "../contract/read.ts";
import { callbackAnswer, paymentAnswer } from "../contract/answers.ts";
import { orderParams } from "../contract/params.ts";
import { callbackBody, externalPaymentBody, paymentBody } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { accessFor, forViewer, notAllowed, openly, type Ask, type Route } from "../route.ts";
import { paymentView } from "../views.ts";
import { notPossible, purchaseUnknown } from "./orders.ts";

const start = {
  method: "POST",
  path: "/api/v1/orders/:order_id/payments",
  operation: "payOrder",
  tag: "payments",
  summary: "Start paying an order, or enter money that the shop took itself",
  about: "An open payment, or the same capture, is answered again with 200. Only those who may write orders may enter money.",
  params: orderParams,
  readsItself: true,
  body: z.union([paymentBody, externalPaymentBody]),
  answers: { 201: paymentAnswer, 200: paymentAnswer },
  refusals: ["purchase_unknown", "order_not_payable", "payment_failed", "invalid", "busy", "outcome_unknown"],
} as const;

/** A callback, whichever path it comes to. */
export const callbackParts = {
  method: "POST",
  summary: "Told by a payment provider what became of a payment (Standard Webhooks)",
  headers: z.object({ "webhook-id": z.string(), "webhook-timestamp": z.string(), "webhook-signature": z.string() }),
  readsItself: true,
  body: callbackBody,
  answers: { 200: callbackAnswer },
  refusals: ["callback_rejected", "payment_unknown", "path_unknown", "busy"],
} as const;
const callback = {
  ...callbackParts,
  path: "/api/v1/payments/callback/:provider",
  operation: "receivePaymentCallback",
  tag: "payments",
  params: z.object({ provider: z.string() }),
} as const;

export const paymentRoutes: readonly Route[] = [
  forViewer("orders:write", start, async (ask, { viewer, caller }) => {
    const id = ask.params.order_id;
    const json = await readJson(ask.request, bodyBytesMax);
    if (json.kind === "reply") return json.reply;
    // A body that names a provider tells of money already taken, which only the shop's word is good for.
    if (json.members.has("provider"))
      return accessFor(caller, "orders:write") === undefined ? notAllowed(caller) : externalReply(ask, { viewer, id, body: json.value });
    const body = readAs(paymentBody, json.value);
    if (body.kind === "reply") return body.reply;
    return payReply(await pay(ask.context.deps, viewer, { purchaseId: id, scenario: body.value.scenario }));
  }),

  // Anybody may knock: the signature decides.
  openly(callback, (ask) => callbackReply(ask, ask.params.provider)),
];

export async function callbackReply(ask: Pick<Ask, "context" | "request" | "nowMs">, provider: string): Promise<Reply> {
  const said = await readCallback(ask, provider);
  if (said.kind === "reply") return said.reply;
  const answer = await applyCallback(ask.context.deps, said.value);
  switch (answer.kind) {
    case "applied":
      return success({ repeated: answer.repeated });
    case "payment_unknown":
      return failure("payment_unknown", { field: "data.payment_id" });
    case "retry_later":
      return failure("busy");
    default:
      return unreachable(answer);
  }
}

async function externalReply(
  ask: Pick<Ask, "context">,
  { viewer, id, body }: { viewer: Viewer; id: PurchaseId; body: unknown },
): Promise<Reply> {
  const told = readAs(externalPaymentBody, body);
  if (told.kind === "reply") return told.reply;
  const { capture_id: captureId, amount_minor: minor, currency } = told.value;
  return payReply(await payExternal(ask.context.deps, viewer, { purchaseId: id, captureId, money: { minor, currency } }));
}

export function payReply(answer: PayAnswer | PayExternalAnswer): Reply {
  switch (answer.kind) {
    case "started":
      return success(paymentView(answer.payment), answer.repeated ? 200 : 201);
    case "not_payable":
      return notPossible("order_not_payable", answer.purchase);
    case "payment_failed":
      return failure("payment_failed", { problem: answer.message });
    case "wrong_amount":
      return failure("invalid", {
        field: "amount_minor",
        problem: `must be ${answer.expected.minor} ${answer.expected.currency}, the order's amount`,
      });
    case "capture_reused":
      return failure("invalid", { field: "capture_id", problem: "was used for another payment" });
    case "purchase_unknown":
      return purchaseUnknown("order_id");
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

/** The signature covers the body as it came, so it is checked before a character of it is read. */
async function readCallback(ask: Pick<Ask, "context" | "request" | "nowMs">, provider: string): Promise<Reading<Callback>> {
  const refuse = (reply: Reply): Reading<Callback> => ({ kind: "reply", reply });
  const { deps } = ask.context;
  const { headers, body } = ask.request;
  const verifier = deps.callbackVerifiers.get(provider);
  if (verifier === undefined) return refuse(failure("path_unknown", { field: "provider", problem: "names no payment provider" }));
  if (declaresTooMuch(headers.get("content-length"), bodyBytesMax)) return refuse(tooLarge(bodyBytesMax));
  const coded = compressed(headers);
  if (coded !== undefined) return refuse(coded);
  const bytes = body === null ? new Uint8Array() : await readBytes(body, bodyBytesMax);
  if (bytes === "too_large") return refuse(tooLarge(bodyBytesMax));
  if (bytes === "broken") return refuse(failure("malformed", { field: "body", problem: "must arrive whole" }));
  const [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => headers.get(name));
  const verdict = verifier.verify({ id: id ?? null, timestamp: timestamp ?? null, signature: signature ?? null, body: bytes }, ask.nowMs);
  if (verdict.kind === "rejected") {
    deps.log.warn("A payment callback was rejected", { provider, problem: verdict.problem });
    return refuse(failure("callback_rejected"));
  }
  const json = jsonObject(parseStrictJson(new TextDecoder().decode(bytes)));
  const said = json.kind === "reply" ? json : readAs(callbackBody, json.value);
  return said.kind === "reply" ? said : { kind: "value", value: callbackOf(verdict.id, provider, said.value) };
}

function callbackOf(id: string, provider: string, said: ReturnType<typeof callbackBody.parse>): Callback {
  const from = { id, provider, paymentId: said.data.payment_id };
  if (said.type === "payment.failed") return { ...from, type: said.type };
  const { capture_id: captureId, amount_minor: minor, currency } = said.data;
  return { ...from, type: said.type, captureId, money: { minor, currency } };
}
