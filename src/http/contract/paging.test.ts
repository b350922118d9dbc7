import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { listOf, listView, pagedQuery, pageOf } from "./paging.ts";

const query = pagedQuery({ state: z.enum(["paid"]).optional() });
const listing = { items: [1, 2], total: 45 };
const told = (asked: Record<string, string>) => listView(query.parse(asked), listing, (item) => item * 2);

describe("[D2] a list is asked for by page or by place", () => {
  test.each([
    [{}, { offset: 0, limit: 20 }],
    [{ page: "3" }, { offset: 40, limit: 20 }],
    [
      { page: "3", page_size: "7" },
      { offset: 14, limit: 7 },
    ],
    [{ page_size: "100" }, { offset: 0, limit: 100 }],
    [{ offset: "3" }, { offset: 3, limit: 20 }],
    [{ limit: "1" }, { offset: 0, limit: 1 }],
    [
      { offset: "7", limit: "5", state: "paid" },
      { offset: 7, limit: 5 },
    ],
  ])("%j is %j", (asked, page) => expect(pageOf(query.parse(asked))).toEqual(page));

  test("and answered in the same words", () => {
    expect(told({})).toEqual({ items: [2, 4], page: 1, page_size: 20, total: 45 });
    expect(told({ page: "2", page_size: "5" })).toEqual({ items: [2, 4], page: 2, page_size: 5, total: 45 });
    expect(told({ offset: "3" })).toEqual({ items: [2, 4], offset: 3, limit: 20, total: 45 });
    for (const asked of [{}, { page: "2" }, { offset: "3" }, { limit: "9" }])
      expect(listOf(z.int()).safeParse(told(asked)).success).toBe(true);
  });

  test.each([
    [{ page: "1", offset: "0" }, "offset"],
    [{ page_size: "1", limit: "1" }, "offset"],
    [{ page: "0" }, "page"],
    [{ page_size: "101" }, "page_size"],
    [{ limit: "0" }, "limit"],
    [{ limit: "101" }, "limit"],
    [{ offset: "-1" }, "offset"],
    [{ offset: "1.5" }, "offset"],
    [{ offset: "1e3" }, "offset"],
    [{ offset: "999999999" }, "offset"],
    [{ page: "1000001" }, "page"],
    [{ colour: "red" }, undefined],
  ])("%j is refused at %p", (asked, field) => {
    const read = query.safeParse(asked);
    expect(read.success).toBe(false);
    expect(read.error?.issues[0]?.path[0]).toBe(field);
  });
});
