import { mayReach } from "../../domain/access.ts";
import { answerOf } from "../../domain/availability.ts";
import type { SaleId } from "../../domain/ids.ts";
import type { Product } from "../../domain/product.ts";
import { statusOf, type Sale, type SaleDraft, type SaleSwitch } from "../../domain/sale.ts";
import { createSale, switchSale } from "../../engine/sales.ts";
import { unreachable } from "../../lib/assert.ts";
import type { z } from "zod";
import { saleAnswer, statisticsAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { keyHeader, saleParams } from "../contract/params.ts";
import { emptyBody, extendBody, saleBody, salesQuery } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Caller, Staff } from "../identity.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { accessFor, forAnybody, forStaff, readKey, type Ask, type Route } from "../route.ts";
import { isoTime } from "../time.ts";
import { saleView, stockView } from "../views.ts";

export const saleUnknown = (id: SaleId): Reply => failure("sale_unknown", { field: "sale_id", problem: `names no sale: "${id}"` });

const create = {
  method: "POST",
  path: "/api/v1/sales",
  operation: "createSale",
  tag: "sales",
  summary: "Create a sale as a draft",
  about:
    "Name and price default to the product's. With Idempotency-Key the same submission again gives the same sale, marked Idempotency-Replayed.",
  headers: keyHeader,
  body: saleBody,
  answers: { 201: saleAnswer },
  refusals: ["product_unknown", "key_reused", "invalid"],
} as const;

const list = {
  method: "GET",
  path: "/api/v1/sales",
  operation: "listSales",
  tag: "sales",
  summary: "List sales",
  about: "Drafts are shown to those who may read them, of their own shop.",
  query: salesQuery,
  answers: { 200: listOf(saleAnswer) },
} as const;

const oneSale = { tag: "sales", params: saleParams, refusals: ["sale_unknown"] } as const;
const read = {
  ...oneSale,
  method: "GET",
  path: "/api/v1/sales/:sale_id",
  operation: "readSale",
  summary: "Read a sale",
  answers: { 200: saleAnswer },
} as const;
const statistics = {
  ...oneSale,
  method: "GET",
  path: "/api/v1/sales/:sale_id/statistics",
  operation: "readSaleStatistics",
  summary: "Read what a sale has sold so far",
  answers: { 200: statisticsAnswer },
} as const;

const change = {
  ...oneSale,
  method: "POST",
  answers: { 200: saleAnswer },
  refusals: ["sale_unknown", "switch_not_allowed", "invalid", "busy", "outcome_unknown"],
} as const;
const switches = {
  publish: "Publish a sale: issue its stock and open it for its start",
  pause: "Pause a sale",
  resume: "Let a paused sale go on",
  cancel: "Cancel a sale: withdraw what is free, close unpaid orders",
} as const;
const extend = {
  ...change,
  path: "/api/v1/sales/:sale_id/extend",
  operation: "extendSale",
  summary: "Let a sale end later",
  body: extendBody,
} as const;

export const saleRoutes: readonly Route[] = [
  forStaff("sales:write", create, async (ask, { access, owner }) => {
    const { body, context } = ask;
    const key = readKey(ask.request.headers);
    if (key.kind === "reply") return key.reply;
    const product = await context.deps.records.product(body.product_id);
    if (product === undefined || !mayReach(access, product.seller))
      return failure("product_unknown", { field: "product_id", problem: `names no product: "${body.product_id}"` });
    const submission = key.value === undefined ? undefined : { owner, key: key.value };
    return createdReply(ask, await createSale(context.deps, { draft: draftOf(body, product), submission }));
  }),

  forAnybody(list, async ({ query, context, nowMs }, caller) => {
    const { status, product_id: productId } = query;
    const listing = await context.deps.records.sales(
      { productId, status, nowMs, withDrafts: accessFor(caller, "sales:read") !== undefined },
      pageOf(query),
    );
    return success(listView(query, listing, (sale) => saleView(sale, nowMs)));
  }),

  forAnybody(read, (ask, caller) => withSale(ask, caller, (sale) => success(saleView(sale, ask.nowMs)))),
  forAnybody(statistics, (ask, caller) => withSale(ask, caller, (sale) => statisticsReply(ask, sale))),

  ...(["publish", "pause", "resume", "cancel"] as const).map((name) =>
    forStaff(
      "sales:write",
      { ...change, path: `/api/v1/sales/:sale_id/${name}`, operation: `${name}Sale`, summary: switches[name], body: emptyBody } as const,
      (ask, staff) => switched(ask, staff, { kind: name === "cancel" ? "cancel_sale" : name }),
    ),
  ),

  forStaff("sales:write", extend, (ask, staff) => switched(ask, staff, { kind: "extend", endsAtMs: ask.body.ends_at })),
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

function createdReply(ask: Pick<Ask, "nowMs">, answer: Awaited<ReturnType<typeof createSale>>): Reply {
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

type AskOfSale = Pick<Ask, "context" | "nowMs"> & { readonly params: { readonly sale_id: SaleId } };

/** A sale that has not been published exists for its shop alone. */
export async function withSale(ask: AskOfSale, caller: Caller, answer: (sale: Sale) => Reply | Promise<Reply>): Promise<Reply> {
  const id = ask.params.sale_id;
  const sale = (await ask.context.deps.board.load(id))?.sale;
  return sale === undefined || (sale.phase === "draft" && !(await maySeeDraft(ask, caller, sale))) ? saleUnknown(id) : answer(sale);
}

async function maySeeDraft({ context: { deps } }: AskOfSale, caller: Caller, { productId }: Sale): Promise<boolean> {
  const access = accessFor(caller, "sales:read");
  if (access === undefined || access.merchant === undefined) return access !== undefined;
  const product = await deps.records.product(productId);
  return product !== undefined && mayReach(access, product.seller);
}

export async function statisticsReply({ context, nowMs }: Pick<Ask, "context" | "nowMs">, sale: Sale): Promise<Reply> {
  const { byState, buyers } = await context.deps.records.counts(sale.id);
  const { reserved = 0, paid = 0, cancelled = 0, expired = 0, closed = 0 } = byState;
  return success({
    sale_id: sale.id,
    status: statusOf(sale, nowMs),
    answer: answerOf(sale, nowMs),
    stock: stockView(sale),
    buyers,
    purchases: { reserved, paid, cancelled, expired, closed },
    server_time: isoTime(Math.floor(nowMs)),
  });
}

async function switched(ask: AskOfSale, { access }: Staff, change: SaleSwitch): Promise<Reply> {
  const { deps } = ask.context;
  const id = ask.params.sale_id;
  const product = await productOf(ask, id);
  if (product === undefined || !mayReach(access, product.seller)) return saleUnknown(id);
  const answer = await switchSale(deps, id, change);
  switch (answer.kind) {
    case "switched":
      return success(saleView(answer.sale, deps.clock.nowMs()));
    case "not_allowed":
      return failure("switch_not_allowed", { status: answer.status }, `The sale cannot change so in its status: it is ${answer.status}`);
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    case "sale_unknown":
      return saleUnknown(id);
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

async function productOf({ context: { deps } }: Pick<Ask, "context">, id: SaleId): Promise<Product | undefined> {
  const view = await deps.board.load(id);
  return view && deps.records.product(view.sale.productId);
}
