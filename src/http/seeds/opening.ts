/** Product, sale and publishing in one call, as three of the seeds have it under three names. */
import { mayDo } from "../../domain/access.ts";
import type { ProductId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import { prewarm, type PrewarmWarning } from "../../engine/prewarm.ts";
import { unreachable } from "../../lib/assert.ts";
import type { Reading } from "../contract/read.ts";
import { failure, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { readKey, type Ask } from "../route.ts";
import { isoTime } from "../time.ts";
import { priceOf } from "./bodies.ts";

export type Opening = {
  readonly productId: ProductId | undefined;
  readonly name: string;
  readonly price: string;
  readonly image?: string | undefined;
  readonly stock: number;
  readonly startsAtMs: number | undefined;
  readonly endsAtMs: number | undefined;
};
export type Opened = { readonly sale: Sale; readonly repeated: boolean; readonly warnings: readonly string[] };
/** Our fields by the names that a path gives them. */
export type FieldNames = Readonly<Record<string, string>>;

export async function openSale(
  { context: { deps }, request }: Pick<Ask, "context" | "request">,
  { access, owner }: Staff,
  { opening, fieldNames }: { opening: Opening; fieldNames: FieldNames },
): Promise<Reading<Opened>> {
  const { productId: id, name, image, stock, startsAtMs, endsAtMs } = opening;
  const key = readKey(request.headers);
  if (key.kind === "reply") return key;
  const known = id === undefined ? undefined : await deps.records.product(id);
  // What these paths do in one call takes the rights of both.
  if (!mayDo(access, "sales:write") || (known === undefined && !mayDo(access, "products:write")))
    return { kind: "reply", reply: failure("forbidden") };
  const price = priceOf(opening.price, known?.price.currency);
  if (price.kind === "reply") return price;
  const movesPast = deps.options.environment === "development";
  const product = { id, name, image, seller: access.merchant ?? deps.options.shop };
  const window = { startsAtMs, endsAtMs, movesPast };
  const answer = await prewarm(deps, { product, access, price: price.value, stock, ...window, owner, key: key.value });
  const refused = (reply: Reply) => ({ kind: "reply", reply }) as const;
  switch (answer.kind) {
    case "ready":
      return { kind: "value", value: { sale: answer.sale, repeated: answer.repeated, warnings: answer.warnings.map(wordsOf) } };
    case "invalid":
      return refused(failure("invalid", { field: fieldNames[answer.field] ?? answer.field, problem: answer.problem }));
    case "product_taken":
      return refused(failure("product_exists", { field: fieldNames["id"] ?? "id", problem: `belongs to another product: "${id}"` }));
    case "key_reused":
      return refused(failure("key_reused", { field: "Idempotency-Key" }));
    case "not_tried":
      return refused(notTriedReply(answer.cause));
    case "unknown":
      return refused(unknownReply());
    default:
      return unreachable(answer);
  }
}

function wordsOf(warning: PrewarmWarning): string {
  switch (warning.kind) {
    case "product_kept":
      return "The product was there with another name or price and keeps them; the sale has those given";
    case "window_moved":
      return `The window had begun or passed and was moved to ${isoTime(warning.startsAtMs)} until ${isoTime(warning.endsAtMs)}; in production it is refused`;
    default:
      return unreachable(warning);
  }
}
