import { parseSaleId, isKey, type SaleId } from "../../domain/ids.ts";
import type { Product } from "../../domain/product.ts";
import { statusOf, type Sale, type SaleDraft, type SaleSwitch } from "../../domain/sale.ts";
import { createSale, switchSale } from "../../engine/sales.ts";
import { unreachable } from "../../lib/assert.ts";
import type { z } from "zod";
import { emptyBody, extendBody, saleBody, salesQuery } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { badKey, notTriedReply, unknownReply } from "../refusals.ts";
import { forAnybody, forShop, readBodyAs, readParam, readQueryAs, type Ask, type Route } from "../route.ts";
import { isoTime } from "../time.ts";
import { saleView, stockView } from "../views.ts";

const saleIdOf = (ask: Ask) => readParam(ask, { name: "id", field: "sale_id", parse: parseSaleId });
export const saleUnknown = (id: SaleId): Reply => failure("sale_unknown", { field: "sale_id", problem: `names no sale: "${id}"` });

export const saleRoutes: readonly Route[] = [
  forShop(["POST", "/api/v1/sales"], async (ask, key) => {
    const body = await readBodyAs(ask, saleBody);
    if (body.kind === "reply") return body.reply;
    const submissionKey = ask.request.headers.get("idempotency-key");
    if (submissionKey !== null && !isKey(submissionKey)) return badKey();
    const product = await ask.context.deps.records.product(body.value.product_id);
    if (product === undefined)
      return failure("product_unknown", { field: "product_id", problem: `names no product: "${body.value.product_id}"` });
    const submission = submissionKey === null ? undefined : { owner: key.id, key: submissionKey };
    return createdReply(ask, await createSale(ask.context.deps, { draft: draftOf(body.value, product), submission }));
  }),

  forAnybody(["GET", "/api/v1/sales"], async (ask, caller) => {
    const query = readQueryAs(ask, salesQuery);
    if (query.kind === "reply") return query.reply;
    const { page, page_size: size, status, product_id: productId } = query.value;
    const { items, total } = await ask.context.deps.records.sales(
      { productId, status, nowMs: ask.nowMs, withDrafts: caller.kind === "shop" },
      { offset: (page - 1) * size, limit: size },
    );
    return success({ items: items.map((sale) => saleView(sale, ask.nowMs)), page, page_size: size, total });
  }),

  forAnybody(["GET", "/api/v1/sales/:id"], (ask, caller) =>
    withSale(ask, caller.kind === "shop", (sale) => success(saleView(sale, ask.nowMs))),
  ),

  forAnybody(["GET", "/api/v1/sales/:id/statistics"], (ask, caller) =>
    withSale(ask, caller.kind === "shop", (sale) => statisticsReply(ask, sale)),
  ),

  ...(["publish", "pause", "resume", "cancel"] as const).map((name) =>
    forShop(["POST", `/api/v1/sales/:id/${name}`], async (ask) => {
      const body = await readBodyAs(ask, emptyBody);
      return body.kind === "reply" ? body.reply : switched(ask, { kind: name === "cancel" ? "cancel_sale" : name });
    }),
  ),

  forShop(["POST", "/api/v1/sales/:id/extend"], async (ask) => {
    const body = await readBodyAs(ask, extendBody);
    return body.kind === "reply" ? body.reply : switched(ask, { kind: "extend", endsAtMs: body.value.ends_at });
  }),
];

/** What a caller leaves out is the product's. */
function draftOf(body: z.output<typeof saleBody>, product: Product): SaleDraft {
  return {
    productId: product.id,
    name: body.name ?? product.name,
    price: { minor: body.price_minor ?? product.price.minor, currency: body.currency ?? product.price.currency },
    stock: body.stock,
    perBuyerLimit: body.per_buyer_limit,
    limitGroup: body.limit_group,
    refundedUnitsCount: body.refunded_units_count,
    payWindowMs: body.pay_window_seconds * 1000,
    startsAtMs: body.starts_at,
    endsAtMs: body.ends_at,
  };
}

function createdReply(ask: Ask, answer: Awaited<ReturnType<typeof createSale>>): Reply {
  switch (answer.kind) {
    case "added":
      return success(saleView(answer.sale, ask.nowMs), 201);
    case "exists":
      return success(saleView(answer.sale, ask.nowMs), 201, { "Idempotency-Replayed": "true" });
    case "product_unknown":
      return failure("product_unknown", { field: "product_id" });
    case "differs":
      return failure("key_reused", { field: "Idempotency-Key" });
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}

/** A sale that has not been published exists for the shop alone. */
async function withSale(ask: Ask, isShop: boolean, answer: (sale: Sale) => Reply | Promise<Reply>): Promise<Reply> {
  const id = saleIdOf(ask);
  if (id.kind === "reply") return id.reply;
  const sale = (await ask.context.deps.board.load(id.value))?.sale;
  return sale === undefined || (sale.phase === "draft" && !isShop) ? saleUnknown(id.value) : answer(sale);
}

export async function statisticsReply({ context, nowMs }: Pick<Ask, "context" | "nowMs">, sale: Sale): Promise<Reply> {
  const { byState, buyers } = await context.deps.records.counts(sale.id);
  const { reserved = 0, paid = 0, cancelled = 0, expired = 0, closed = 0 } = byState;
  return success({
    sale_id: sale.id,
    status: statusOf(sale, nowMs),
    stock: stockView(sale),
    buyers,
    purchases: { reserved, paid, cancelled, expired, closed },
    server_time: isoTime(Math.floor(nowMs)),
  });
}

async function switched(ask: Ask, change: SaleSwitch): Promise<Reply> {
  const id = saleIdOf(ask);
  if (id.kind === "reply") return id.reply;
  const answer = await switchSale(ask.context.deps, id.value, change);
  switch (answer.kind) {
    case "switched":
      return success(saleView(answer.sale, ask.context.deps.clock.nowMs()));
    case "not_allowed":
      return failure("switch_not_allowed", { status: answer.status }, `The sale cannot change so in its status: it is ${answer.status}`);
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    case "sale_unknown":
      return saleUnknown(id.value);
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}
