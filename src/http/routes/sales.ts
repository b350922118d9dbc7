import { mayReach } from "../../domain/access.ts";
import { answerOf } from "../../domain/availability.ts";
import type { SaleId } from "../../domain/ids.ts";
import type { Product } from "../../domain/product.ts";
import { statusOf, type DraftChanges, type Sale, type SaleDraft, type SaleStatus, type SaleSwitch } from "../../domain/sale.ts";
import { createSale, editSale, switchSale } from "../../engine/sales.ts";
import { unreachable } from "../../lib/assert.ts";
import type { z } from "zod";
import { saleAnswer, statisticsAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { changeHeaders, keyHeader, readHeaders, saleParams } from "../contract/params.ts";
import { emptyBody, extendBody, saleBody, saleChanges, salesQuery } from "../contract/requests.ts";
import { isKnown } from "../entity-tag.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Caller, Staff } from "../identity.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { accessFor, forAnybody, forStaff, readKey, type Ask, type Route } from "../route.ts";
import { isoTime } from "../time.ts";
import { taggedHeaders, expectedVersion, versionReply } from "../versions.ts";
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
  about: "Drafts are shown to those who may read them, of their own shop; and they see their own shop's sales unless they name another.",
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
  about: "Its ETag names all of it but server_time.",
  headers: readHeaders,
  answers: { 200: saleAnswer, 304: { contentType: "", about: "The same as If-None-Match names" } },
} as const;
const edit = {
  ...oneSale,
  method: "PATCH",
  path: "/api/v1/sales/:sale_id",
  operation: "editSale",
  summary: "Change a draft",
  about: "What is left out stays. A sale that is published changes by its switches and by adjusting its stock.",
  headers: changeHeaders,
  body: saleChanges,
  answers: { 200: saleAnswer },
  refusals: ["sale_unknown", "switch_not_allowed", "version_differs", "precondition_failed", "invalid", "busy", "outcome_unknown"],
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
    return createdReply(ask, await createSale(context.deps, { draft: draftOf(body, product), submission, leftOut: leftOutOf(body) }));
  }),

  forAnybody(list, async ({ query, context, nowMs }, caller) => {
    const { status, product_id: productId } = query;
    const access = accessFor(caller, "sales:read");
    const own = access?.merchant;
    const withDrafts = own === undefined ? access !== undefined : { of: own };
    const listing = await context.deps.records.sales({ seller: query.seller ?? own, productId, status, nowMs, withDrafts }, pageOf(query));
    return success(listView(query, listing, (sale) => saleView(sale, nowMs)));
  }),

  forAnybody(read, (ask, caller) => withSale(ask, caller, (sale) => readReply(ask, sale))),
  forStaff("sales:write", edit, editReply),
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
    payExtensionsMax: body.pay_extensions_max,
    startsAtMs: body.starts_at,
    endsAtMs: body.ends_at,
  };
}

const defaulted = ["name", "price_minor", "currency"] as const;
const leftOutOf = (body: z.output<typeof saleBody>) => defaulted.filter((field) => body[field] === undefined);

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
  const { board } = ask.context.deps;
  const access = accessFor(caller, "sales:read");
  // Staff see what they did a moment ago; for the crowd a copy will do.
  const sale = (await (access === undefined ? board.load(id) : board.loadFresh(id)))?.sale;
  if (sale === undefined) return saleUnknown(id);
  const maySeeDraft = access !== undefined && mayReach(access, sale.seller);
  return sale.phase === "draft" && !maySeeDraft ? saleUnknown(id) : answer(sale);
}

/** Weak, for `server_time` is another in each answer; the status changes by the clock alone. */
function tagOf(sale: Sale, nowMs: number): string {
  return `"${sale.feed}.${statusOf(sale, nowMs)}"`;
}

function readReply({ request, nowMs }: Pick<Ask, "request" | "nowMs">, sale: Sale): Reply {
  const tag = tagOf(sale, nowMs);
  const headers = taggedHeaders(`W/${tag}`);
  return isKnown(request.headers, tag) ? { status: 304, body: "", headers } : success(saleView(sale, nowMs), 200, headers);
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

/** If the caller may change it. */
export async function ownSale({ context, params }: Pick<AskOfSale, "context" | "params">, { access }: Staff): Promise<Sale | undefined> {
  const sale = (await context.deps.board.loadFresh(params.sale_id))?.sale;
  return sale !== undefined && mayReach(access, sale.seller) ? sale : undefined;
}

export const statusReply = (status: SaleStatus): Reply =>
  failure("switch_not_allowed", { status }, `The sale cannot change so in its status: it is ${status}`);

async function editReply(
  ask: AskOfSale & Pick<Ask, "request"> & { readonly body: z.output<typeof saleChanges> },
  staff: Staff,
): Promise<Reply> {
  const { version, ...body } = ask.body;
  const expected = expectedVersion(ask.request.headers, version);
  if (expected.kind === "reply") return expected.reply;
  const { deps } = ask.context;
  const id = ask.params.sale_id;
  if ((await ownSale(ask, staff)) === undefined) return saleUnknown(id);
  const answer = await editSale(deps, id, { changes: changesOf(body), expectedFeed: expected.value.version });
  switch (answer.kind) {
    case "edited": {
      const nowMs = deps.clock.nowMs();
      return success(saleView(answer.sale, nowMs), 200, { ETag: `W/${tagOf(answer.sale, nowMs)}` });
    }
    case "version_differs":
      return versionReply(expected.value, answer.sale.feed);
    case "not_allowed":
      return statusReply(answer.status);
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

function changesOf(body: Omit<z.output<typeof saleChanges>, "version">): DraftChanges {
  const { name, price_minor: priceMinor, currency, stock, per_buyer_limit, limit_group, starts_at, ends_at } = body;
  return {
    name,
    priceMinor,
    currency,
    stock,
    perBuyerLimit: per_buyer_limit,
    limitGroup: limit_group,
    refundedUnitsCount: body.refunded_units_count,
    payWindowMs: body.pay_window_seconds === undefined ? undefined : body.pay_window_seconds * 1000,
    payExtensionsMax: body.pay_extensions_max,
    startsAtMs: starts_at,
    endsAtMs: ends_at,
  };
}

async function switched(ask: AskOfSale, staff: Staff, change: SaleSwitch): Promise<Reply> {
  const { deps } = ask.context;
  const id = ask.params.sale_id;
  if ((await ownSale(ask, staff)) === undefined) return saleUnknown(id);
  const answer = await switchSale(deps, id, change);
  switch (answer.kind) {
    case "switched":
      return success(saleView(answer.sale, deps.clock.nowMs()));
    case "not_allowed":
      return statusReply(answer.status);
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
