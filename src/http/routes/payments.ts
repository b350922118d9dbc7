import type { PurchaseId } from "../../domain/ids.ts";
import { applyCallback, type Callback } from "../../engine/callback.ts";
import type { Viewer } from "../../engine/orders.ts";
import { payExternal, type PayExternalAnswer } from "../../engine/pay-external.ts";
import { pay, type PayAnswer } from "../../engine/pay.ts";
import { unreachable } from "../../lib/assert.ts";
import { parseStrictJson } from "../../lib/strict-json.ts";
import { bodyBytesMax, declaresTooMuch, jsonObject, readBytes, readJson, tooLarge } from "../body.ts";
import { readAs, type Reading } from "../contract/read.ts";
import { callbackBody, externalPaymentBody, paymentBody } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { forAnybody, forViewer, notTheShop, type Ask, type Route } from "../route.ts";
import { paymentView } from "../views.ts";
import { notPossible, purchaseIdOf, purchaseUnknown } from "./orders.ts";

export const paymentRoutes: readonly Route[] = [
  forViewer(["POST", "/api/v1/orders/:id/payments"], async (ask, viewer, caller) => {
    const id = purchaseIdOf(ask, "order_id");
    if (id.kind === "reply") return id.reply;
    const json = await readJson(ask.request, bodyBytesMax);
    if (json.kind === "reply") return json.reply;
    // A body that names a provider tells of money already taken, which only the shop's word is good for.
    if (json.members.has("provider"))
      return caller.kind === "shop" ? externalReply(ask, { viewer, id: id.value, body: json.value }) : notTheShop(caller);
    const body = readAs(paymentBody, json.value);
    if (body.kind === "reply") return body.reply;
    return payReply(await pay(ask.context.deps, viewer, { purchaseId: id.value, scenario: body.value.scenario }));
  }),

  // Anybody may knock: the signature decides.
  forAnybody(["POST", "/api/v1/payments/callback/:provider"], async (ask) => {
    const callback = await readCallback(ask, ask.params["provider"] ?? "");
    if (callback.kind === "reply") return callback.reply;
    const answer = await applyCallback(ask.context.deps, callback.value);
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
  }),
];

async function externalReply(ask: Ask, { viewer, id, body }: { viewer: Viewer; id: PurchaseId; body: unknown }): Promise<Reply> {
  const told = readAs(externalPaymentBody, body);
  if (told.kind === "reply") return told.reply;
  const { capture_id: captureId, amount_minor: minor, currency } = told.value;
  return payReply(await payExternal(ask.context.deps, viewer, { purchaseId: id, captureId, money: { minor, currency } }));
}

function payReply(answer: PayAnswer | PayExternalAnswer): Reply {
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
async function readCallback(ask: Ask, provider: string): Promise<Reading<Callback>> {
  const refuse = (reply: Reply): Reading<Callback> => ({ kind: "reply", reply });
  const { deps } = ask.context;
  const { headers, body } = ask.request;
  const verifier = deps.callbackVerifiers.get(provider);
  if (verifier === undefined) return refuse(failure("path_unknown", { field: "provider", problem: "names no payment provider" }));
  if (declaresTooMuch(headers.get("content-length"), bodyBytesMax)) return refuse(tooLarge(bodyBytesMax));
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
