/**
 * Lists are asked for by page (`page`, `page_size`) or by place (`offset`, `limit`), and answered in the words they were
 * asked in. Both at once would be a guess at what is meant.
 */
import { z } from "zod";
import { described, named, told } from "./described.ts";
import type { Listing, Page } from "../../ports/records.ts";

export const pageSizeMax = 100;
const pageSizeDefault = 20;
const pageMax = 1_000_000;
const offsetMax = 100_000_000;

const digits = z
  .string()
  .regex(/^\d{1,9}$/, "must be a positive integer")
  .transform(Number);
/** A number of a query: text on the wire, an integer to whoever reads the description. */
export const queryNumber = (minimum: number, maximum: number, description: string) =>
  told(digits.pipe(z.number().min(minimum).max(maximum)), { type: "integer", minimum, maximum, description });
const paging = {
  page: queryNumber(1, pageMax, "Which page, from 1 (default 1).").optional(),
  page_size: queryNumber(1, pageSizeMax, `Items on a page (default ${pageSizeDefault}).`).optional(),
  offset: queryNumber(0, offsetMax, "How many items to pass over; not beside page and page_size.").optional(),
  limit: queryNumber(1, pageSizeMax, "How many items from there; not beside page and page_size.").optional(),
};
export type Paging = {
  readonly page?: number | undefined;
  readonly page_size?: number | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
};

type Named = { readonly [name: string]: unknown };
const isByPlace = (query: Named): boolean => query["offset"] !== undefined || query["limit"] !== undefined;
const isByPage = (query: Named): boolean => query["page"] !== undefined || query["page_size"] !== undefined;

/** A list's query: its own filters, and one of the two ways to page. */
export const pagedQuery = <Shape extends z.ZodRawShape>(filters: Shape) =>
  z.strictObject({ ...paging, ...filters }).refine((query) => !(isByPlace(query) && isByPage(query)), {
    path: ["offset"],
    error: "must not be given beside page and page_size: a list is asked for by page or by place",
  });

const count = z.int().nonnegative();
/** Items and where they stand in all of them; an item with a name and an example gives the list both. */
export function listOf<Item extends z.ZodType>(item: Item) {
  const { id, example } = described.get(item) ?? {};
  const byPage = z.strictObject({ items: z.array(item), page: z.int().positive(), page_size: z.int().positive(), total: count });
  const byPlace = z.strictObject({ items: z.array(item), offset: count, limit: z.int().positive(), total: count });
  if (id === undefined || example === undefined) return z.union([byPage, byPlace]);
  // An example fits the schema that it was given with.
  const items = [example as z.input<Item>];
  return z.union([
    named(`${id}Page`, byPage, { items, page: 1, page_size: pageSizeDefault, total: 1 }),
    named(`${id}Range`, byPlace, { items, offset: 0, limit: pageSizeDefault, total: 1 }),
  ]);
}

/** Which part of a list is wanted. */
export function pageOf({ page = 1, page_size: size = pageSizeDefault, offset, limit }: Paging): Page {
  return isByPlace({ offset, limit })
    ? { offset: offset ?? 0, limit: limit ?? pageSizeDefault }
    : { offset: (page - 1) * size, limit: size };
}

/** A list in the words it was asked for in. */
export function listView<Item, View>(query: Paging, { items, total }: Listing<Item>, viewOf: (item: Item) => View) {
  const { offset, limit } = pageOf(query);
  const views = items.map(viewOf);
  return isByPlace(query) ? { items: views, offset, limit, total } : { items: views, page: offset / limit + 1, page_size: limit, total };
}
