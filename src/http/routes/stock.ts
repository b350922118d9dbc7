/** Units changed by hand: a product's inventory, and the stock of a running sale. */
import type { ProductId, SaleId } from "../../domain/ids.ts";
import { changeInventory } from "../../engine/products.ts";
import { adjustStock } from "../../engine/sales.ts";
import { unreachable } from "../../lib/assert.ts";
import type { z } from "zod";
import { adjustedAnswer, adjustmentAnswer, inventoryEntryAnswer } from "../contract/answers.ts";
import { listOf, listView, pagedQuery, pageOf } from "../contract/paging.ts";
import { keyHeader, productParams, saleParams } from "../contract/params.ts";
import { inventoryChange, stockAdjustmentBody } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { forStaff, readKey, type Ask, type Route } from "../route.ts";
import { adjustmentView, inventoryEntryView, saleView } from "../views.ts";
import { ownProduct, productUnknown } from "./products.ts";
import { ownSale, saleUnknown, statusReply } from "./sales.ts";

const inventory = { path: "/api/v1/products/:product_id/inventory", tag: "products", params: productParams } as const;
const changeContract = {
  ...inventory,
  method: "POST",
  operation: "changeInventory",
  summary: "Count a product's units, or add and take away some",
  about:
    "Of those in no sale: publishing allots from them, settling a sale gives back to them. With Idempotency-Key a repeat has no second effect.",
  headers: keyHeader,
  body: inventoryChange,
  answers: { 201: inventoryEntryAnswer },
  refusals: ["product_unknown", "key_reused", "invalid"],
} as const;
const historyContract = {
  ...inventory,
  method: "GET",
  operation: "listInventory",
  summary: "List what became of a product's inventory, newest first",
  query: pagedQuery({}),
  answers: { 200: listOf(inventoryEntryAnswer) },
  refusals: ["product_unknown"],
} as const;

const adjustments = { path: "/api/v1/sales/:sale_id/stock-adjustments", tag: "sales", params: saleParams } as const;
const adjustContract = {
  ...adjustments,
  method: "POST",
  operation: "adjustStock",
  summary: "Add units to a sale that is scheduled, live or paused, or take free ones away",
  about:
    "A decrease takes what is free and says how much that was. Of a product whose inventory is counted, units come from there and go back " +
    "there. With Idempotency-Key a repeat has no second effect and the same answer.",
  headers: keyHeader,
  body: stockAdjustmentBody,
  answers: { 201: adjustedAnswer },
  refusals: ["sale_unknown", "switch_not_allowed", "key_reused", "invalid", "busy", "outcome_unknown"],
} as const;
const adjustmentsContract = {
  ...adjustments,
  method: "GET",
  operation: "listStockAdjustments",
  summary: "List a sale's adjustments and settlements, newest first",
  query: pagedQuery({}),
  answers: { 200: listOf(adjustmentAnswer) },
  refusals: ["sale_unknown"],
} as const;

export const stockRoutes: readonly Route[] = [
  forStaff("stock:write", changeContract, changeReply),
  forStaff("sales:read", historyContract, async (ask, staff) => {
    const id = ask.params.product_id;
    if ((await ownProduct(ask, staff)) === undefined) return productUnknown(id);
    return success(listView(ask.query, await ask.context.deps.records.inventoryOf(id, pageOf(ask.query)), inventoryEntryView));
  }),
  forStaff("stock:write", adjustContract, adjustReply),
  forStaff("sales:read", adjustmentsContract, async (ask, staff) => {
    const id = ask.params.sale_id;
    if ((await ownSale(ask, staff)) === undefined) return saleUnknown(id);
    return success(listView(ask.query, await ask.context.deps.records.adjustmentsOf(id, pageOf(ask.query)), adjustmentView));
  }),
];

type Sent<Body extends z.ZodType> = Pick<Ask, "context" | "request"> & { readonly body: z.output<Body> };
type OfProduct = { readonly params: { readonly product_id: ProductId } };
type OfSale = { readonly params: { readonly sale_id: SaleId } };
const replayed = { "Idempotency-Replayed": "true" };

async function changeReply(ask: OfProduct & Sent<typeof inventoryChange>, staff: Staff): Promise<Reply> {
  const key = readKey(ask.request.headers);
  if (key.kind === "reply") return key.reply;
  const productId = ask.params.product_id;
  if ((await ownProduct(ask, staff)) === undefined) return productUnknown(productId);
  const { body } = ask;
  const change = "count" in body ? ({ kind: "count", units: body.count } as const) : ({ kind: "adjust", units: body.adjust } as const);
  const submission = key.value === undefined ? undefined : { owner: staff.owner, key: key.value };
  const answer = await changeInventory(ask.context.deps, { productId, change, reason: body.reason, actor: staff.owner, submission });
  switch (answer.kind) {
    case "changed":
      return success(inventoryEntryView(answer.entry), 201, answer.repeated ? replayed : undefined);
    case "key_reused":
      return failure("key_reused", { field: "Idempotency-Key" });
    case "product_unknown":
      return productUnknown(productId);
    case "invalid":
      return failure("invalid", { field: answer.field === "units" ? change.kind : answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}

async function adjustReply(ask: OfSale & Sent<typeof stockAdjustmentBody>, staff: Staff): Promise<Reply> {
  const key = readKey(ask.request.headers);
  if (key.kind === "reply") return key.reply;
  const id = ask.params.sale_id;
  const { deps } = ask.context;
  if ((await ownSale(ask, staff)) === undefined) return saleUnknown(id);
  const submission = key.value === undefined ? undefined : { owner: staff.owner, key: key.value };
  const answer = await adjustStock(deps, id, { ...ask.body, actor: staff.owner, submission });
  switch (answer.kind) {
    case "adjusted": {
      const data = { adjustment: adjustmentView(answer.adjustment), sale: saleView(answer.sale, deps.clock.nowMs()) };
      return success(data, 201, answer.repeated ? replayed : undefined);
    }
    case "not_adjustable":
      return statusReply(answer.status);
    case "key_reused":
      return failure("key_reused", { field: "Idempotency-Key" });
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
