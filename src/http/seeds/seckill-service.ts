/** The Go "Seckill Service": sales by product, prewarmed in one call. */
import { acceptedAnswer, queuedAnswer, statisticsAnswer } from "../contract/answers.ts";
import { keyHeader, productParams, quotaParams } from "../contract/params.ts";
import { prewarmAnswer, prewarmBody, purchasedAnswer, seckillPurchaseBody } from "../contract/seeds.ts";
import { purchaseBytesMax } from "../body.ts";
import { success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { takeRefusals } from "../refusals.ts";
import { openly, type Ask, type Route } from "../route.ts";
import { statisticsReply } from "../routes/sales.ts";
import { saleView } from "../views.ts";
import { readNumbered } from "./bodies.ts";
import { buyProduct, purchasedReply, withCurrentSale } from "./buying.ts";
import { forNamed, forShop, type Known } from "./callers.ts";
import { openSale } from "./opening.ts";

const base = "/api/v1/seckill";

const purchaseContract = {
  method: "POST",
  tag: "seeds",
  headers: keyHeader,
  readsItself: true,
  body: seckillPurchaseBody,
  answers: { 201: acceptedAnswer, 202: queuedAnswer },
  refusals: ["product_unknown", "sale_unknown", ...takeRefusals],
} as const;
const prewarmContract = {
  method: "POST",
  path: `${base}/activity/prewarm`,
  operation: "seckillPrewarm",
  tag: "seeds",
  summary: "Create and publish a sale in one call, and its product if need be",
  readsItself: true,
  body: prewarmBody,
  answers: { 201: prewarmAnswer, 200: prewarmAnswer },
  refusals: ["product_exists", "invalid", "busy", "outcome_unknown"],
} as const;
const statsContract = {
  method: "GET",
  path: `${base}/stats/:product_id`,
  operation: "seckillStats",
  tag: "seeds",
  summary: "Read what a product's current sale has sold so far",
  params: productParams,
  answers: { 200: statisticsAnswer },
  refusals: ["product_unknown", "sale_unknown"],
} as const;
const purchasedContract = {
  method: "GET",
  path: `${base}/purchased/:product_id/:user_id`,
  operation: "seckillPurchased",
  tag: "seeds",
  summary: "Read whether a buyer has bought in a product's current sale",
  params: quotaParams,
  answers: { 200: purchasedAnswer },
  refusals: ["product_unknown", "sale_unknown"],
} as const;

export const seckillServiceRoutes: readonly Route[] = [
  // Where the ledger decides, the order exists when the acceptance is durable: then both answer 201.
  forNamed(
    { ...purchaseContract, path: `${base}/purchase`, operation: "seckillPurchase", summary: "Buy in a product's current sale" },
    (ask, caller) => purchaseReply(ask, caller, true),
  ),
  forNamed(
    {
      ...purchaseContract,
      path: `${base}/purchase/async`,
      operation: "seckillPurchaseAsync",
      summary: "Buy in a product's current sale, answered when accepted",
    },
    (ask, caller) => purchaseReply(ask, caller, false),
  ),
  forShop("sales:write", prewarmContract, prewarmReply),
  openly(statsContract, (ask) => withCurrentSale(ask, ask.params.product_id, (sale) => statisticsReply(ask, sale))),
  forNamed(purchasedContract, (ask, caller) => purchasedReply(ask, caller, ask.params)),
];

type Asking = Pick<Ask, "context" | "request" | "nowMs">;

async function purchaseReply(ask: Asking, caller: Known, wait: boolean): Promise<Reply> {
  const body = await readNumbered(ask, seckillPurchaseBody, { bytesMax: purchaseBytesMax, numbers: ["product_id", "user_id"] });
  if (body.kind === "reply") return body.reply;
  const { product_id: productId, user_id: userId, quantity } = body.value;
  return buyProduct(ask, caller, { productId, userId, quantity, wait });
}

const fieldNames = { id: "product_id", name: "product_name", price_minor: "price", starts_at: "start_time", ends_at: "end_time" };

async function prewarmReply(ask: Asking, staff: Staff): Promise<Reply> {
  const body = await readNumbered(ask, prewarmBody, { numbers: ["product_id", "price"] });
  if (body.kind === "reply") return body.reply;
  const { product_id: productId, product_name: name, price, stock, start_time: startsAtMs, end_time: endsAtMs } = body.value;
  const opened = await openSale(ask, staff, { opening: { productId, name, price, stock, startsAtMs, endsAtMs }, fieldNames });
  if (opened.kind === "reply") return opened.reply;
  const { sale, repeated, warnings } = opened.value;
  // By the time now: a window that was moved to now began after the request did.
  return success({ ...saleView(sale, ask.context.deps.clock.nowMs()), warnings }, repeated ? 200 : 201);
}
