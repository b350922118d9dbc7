/**
 * Lists are asked for by page (`page`, `page_size`) or by place (`offset`, `limit`), and answered in the words they were
 * asked in. Both at once would be a guess at what is meant.
 */
import { z } from "zod";
import type { Listing, Page } from "../../ports/records.ts";

export const pageSizeMax = 100;
const pageSizeDefault = 20;
const pageMax = 1_000_000;
const offsetMax = 100_000_000;

const digits = z
  .string()
  .regex(/^\d{1,9}$/, "must be a positive integer")
  .transform(Number);
const paging = {
  page: digits.pipe(z.number().min(1).max(pageMax)).optional(),
  page_size: digits.pipe(z.number().min(1).max(pageSizeMax)).optional(),
  offset: digits.pipe(z.number().max(offsetMax)).optional(),
  limit: digits.pipe(z.number().min(1).max(pageSizeMax)).optional(),
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
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.union([
    z.strictObject({ items: z.array(item), page: z.int().positive(), page_size: z.int().positive(), total: count }),
    z.strictObject({ items: z.array(item), offset: count, limit: z.int().positive(), total: count }),
  ]);

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
