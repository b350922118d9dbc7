/** Rows in bulk, as CSV that is written while it is read from the store. */
import { z } from "zod";
import { mayReach, type Access, type MerchantId } from "../../domain/access.ts";
import type { SaleId } from "../../domain/ids.ts";
import { ledgerAsCsv, ordersAsCsv } from "../../engine/export.ts";
import { purchaseStates } from "../contract/answers.ts";
import { instant, saleId } from "../contract/fields.ts";
import type { HttpContext } from "../context.ts";
import { failure, type Reply } from "../envelope.ts";
import { forStaff, type Ask, type Route } from "../route.ts";
import { streamOf } from "../text-stream.ts";
import { saleUnknown } from "./sales.ts";

/** Exports at the same time; one more is told to come again. */
export const exportsAtOnceMax = 4;
/** Of one shop, whose slow reader must not keep the others from theirs. */
export const exportsPerShopMax = 2;
const stallMaxMs = 60_000;

const bom = z
  .enum(["0", "1"])
  .default("0")
  .transform((value) => value === "1");
const exported = {
  method: "GET",
  tag: "exports",
  about:
    "The caller's own shop's rows, or all for those bound to none; the buyer's id is shown to its own shop alone. Texts that a spreadsheet would compute begin with an apostrophe.",
  refusals: ["sale_unknown", "busy"],
} as const;
const csvAnswer = (about: string) => ({ 200: { contentType: "text/csv", about } }) as const;

const orders = {
  ...exported,
  path: "/api/v1/exports/orders.csv",
  operation: "exportOrders",
  summary: "Take out orders as CSV",
  query: z.strictObject({
    sale_id: saleId.optional(),
    state: z.enum(purchaseStates).optional(),
    from: instant.optional(),
    to: instant.optional(),
    bom,
  }),
  answers: csvAnswer("One line for each order, by id, after a header line"),
} as const;
const ledger = {
  ...exported,
  path: "/api/v1/exports/ledger.csv",
  operation: "exportLedger",
  summary: "Take out the stock ledger as CSV",
  query: z.strictObject({ sale_id: saleId.optional(), bom }),
  answers: csvAnswer("One line for each entry, in commit order, after a header line"),
} as const;

export function exportRoutes(): readonly Route[] {
  const slots = new Slots();
  return [
    forStaff("exports:read", orders, async (ask, { access }) => {
      const { sale_id, state, from: fromMs, to: toMs, bom: withMark } = ask.query;
      const query = { saleId: sale_id, state, fromMs, toMs };
      return csvReply(ask, { access, slots, saleId: sale_id, name: "orders" }, () =>
        ordersAsCsv(ask.context.deps, { access, query, withMark }),
      );
    }),
    forStaff("exports:read", ledger, async (ask, { access }) => {
      const { sale_id, bom: withMark } = ask.query;
      const query = { saleId: sale_id };
      return csvReply(ask, { access, slots, saleId: sale_id, name: "ledger" }, () =>
        ledgerAsCsv(ask.context.deps, { access, query, withMark }),
      );
    }),
  ];
}

class Slots {
  /** By the shop that the caller is bound to; those bound to none may have them all. */
  readonly #used: (MerchantId | undefined)[] = [];

  take(merchant: MerchantId | undefined): (() => void) | undefined {
    const own = merchant === undefined ? 0 : this.#used.filter((each) => each === merchant).length;
    if (this.#used.length >= exportsAtOnceMax || own >= exportsPerShopMax) return undefined;
    this.#used.push(merchant);
    return () => this.#used.splice(this.#used.indexOf(merchant), 1);
  }
}

type Wanted = {
  readonly access: Access;
  readonly slots: Slots;
  readonly saleId: SaleId | undefined;
  readonly name: string;
};

async function csvReply(
  { context, request }: Pick<Ask, "context" | "request">,
  { access, slots, saleId: id, name }: Wanted,
  write: () => AsyncGenerator<string, void>,
): Promise<Reply> {
  if (id !== undefined && !(await isInReach(context, access, id))) return saleUnknown(id);
  const headers = {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": `attachment; filename="${name}${id === undefined ? "" : `-${id}`}.csv"`,
  };
  if (request.method === "HEAD") return { status: 200, body: "", headers };
  const giveBack = slots.take(access.merchant);
  if (giveBack === undefined)
    return failure("busy", { problem: `At most ${exportsAtOnceMax} exports run at the same time, ${exportsPerShopMax} of one shop` });
  const onEnd = (error?: unknown) => {
    giveBack();
    if (error !== undefined) context.deps.log.error("An export broke off", { export: name, err: error });
  };
  return { status: 200, body: "", headers, stream: streamOf({ texts: write(), tasks: context.deps.tasks, stallMaxMs, onEnd }) };
}

async function isInReach({ deps }: Pick<HttpContext, "deps">, access: Access, id: SaleId): Promise<boolean> {
  const sale = await deps.records.sale(id);
  return sale !== undefined && mayReach(access, sale.seller);
}
