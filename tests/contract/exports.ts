/**
 * The contract of exports: a store's pages are those of the memory store, whatever is asked for, and the CSV made of them
 * is whole.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MemoryExports } from "../../src/adapters/memory/memory-exports.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { Access } from "../../src/domain/access.ts";
import { parsePurchaseId, parseProductId, parseSaleId, type SaleId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import { ledgerAsCsv, ledgerColumns, orderColumns, ordersAsCsv } from "../../src/engine/export.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import { exportPageRowsMax, type Cursor, type ExportPage, type Exports, type OrderExportQuery } from "../../src/ports/exports.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import { must } from "../kit/samples.ts";
import { nowMs, price } from "../kit/sqlite-shop.ts";

export type ExportingStore = { readonly ledger: StockLedger; readonly catalogue: Catalogue; readonly exports: Exports };

const ordersCount = 2_500;
const buyersCount = 40;
const sellers = ["red", "blue"] as const;
const red: Access = { merchant: "red", permissions: new Set(["exports:read"]) };
const everywhere: Access = { merchant: undefined, permissions: new Set(["exports:read"]) };
const saleOf = (i: number): SaleId => must(parseSaleId(String(i)));
const orderId = (i: number) => must(parsePurchaseId(String(1_000 + i)));

/** Sales 1 and 2 are red, 3 is blue; order i is of sale i % 3 + 1. Each tenth is cancelled. */
async function fill({ ledger, catalogue }: ExportingStore): Promise<void> {
  for (const [i, seller] of sellers.entries())
    await catalogue.addProduct({ id: must(parseProductId(String(i + 1))), name: `=Lamp ${seller}`, price, seller, createdAtMs: nowMs });
  for (const i of [1, 2, 3]) {
    const draft = {
      productId: must(parseProductId(i === 3 ? "2" : "1")),
      name: `Sale "${i}"`,
      price,
      stock: ordersCount,
      perBuyerLimit: ordersCount,
      refundedUnitsCount: true,
      payWindowMs: 900_000,
      payExtensionsMax: 10,
      startsAtMs: nowMs,
      endsAtMs: nowMs + 3_600_000,
    };
    await catalogue.addSale({ id: saleOf(i), draft, createdAtMs: nowMs });
    await commit(ledger, nowMs, saleOf(i), [{ kind: "switch", change: { kind: "publish" } }]);
  }
  const subjects = Array.from({ length: buyersCount }, (_, i) => ({
    issuer: i % 4 === 3 ? "local" : (sellers[i % 2] ?? ""),
    subject: `-buyer,${i}`,
  }));
  const buyers = await catalogue.internBuyers(subjects);
  for (let from = 0; from < ordersCount; from += 500) await commitStretch(ledger, { from, buyers });
}

async function commitStretch(ledger: StockLedger, { from, buyers }: { from: number; buyers: readonly number[] }): Promise<void> {
  const orders = Array.from({ length: 500 }, (_, i) => from + i);
  const at = nowMs + 1 + from;
  for (const sale of [1, 2, 3]) {
    const mine = orders.filter((i) => (i % 3) + 1 === sale);
    const takes = mine.map((i) => {
      const buyerId = must(buyers[i % buyersCount]);
      return { kind: "take", purchaseId: orderId(i), buyerId, key: `k${i}`, quantity: 1, metadata: '{"a":";=1"}' } as Movement;
    });
    const cancels = mine.filter((i) => i % 10 === 0).map((i): Movement => ({ kind: "cancel", purchaseId: orderId(i) }));
    await commit(ledger, at, saleOf(sale), [...takes, ...cancels]);
  }
}

async function commit(ledger: StockLedger, atMs: number, saleId: SaleId, movements: readonly Movement[]): Promise<void> {
  expect((await ledger.commit({ nowMs: atMs, groups: [{ saleId, movements }] })).kind).toBe("committed");
}

async function walk<Row>(page: (after: Cursor | undefined) => Promise<ExportPage<Row>>) {
  const rows: Row[] = [];
  let [pages, next]: [number, Cursor | undefined] = [0, undefined];
  do {
    const found = await page(next);
    expect(found.rows.length).toBeLessThanOrEqual(exportPageRowsMax);
    rows.push(...found.rows);
    next = found.next;
    pages += 1;
  } while (next !== undefined);
  return { rows, pages };
}

const queries: readonly (readonly [OrderExportQuery, number])[] = [
  [{}, ordersCount],
  [{ seller: "red" }, 1_667],
  [{ seller: "nobody" }, 0],
  [{ saleId: saleOf(3) }, 833],
  [{ saleId: saleOf(3), seller: "red" }, 0],
  [{ state: "cancelled" }, 250],
  [{ state: "cancelled", saleId: saleOf(1) }, 84],
  [{ fromMs: nowMs + 501 }, 2_000],
  [{ toMs: nowMs + 501 }, 500],
  [{ fromMs: nowMs + 501, toMs: nowMs + 1_001 }, 500],
  [{ fromMs: nowMs + 9_000_000 }, 0],
];

/** A line's cells; quotes doubled, commas and line ends inside quotes. */
function parse(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    lines.at(-1)?.push(quoted === undefined ? (bare ?? "") : quoted.replaceAll('""', '"'));
    if (end === "\r\n") lines.push([]);
  }
  expect(lines.pop()).toEqual([]);
  return lines;
}

const textOf = async (texts: AsyncIterable<string>) => (await Array.fromAsync(texts)).join("");

const fillMaxMs = 180_000;

/** `open` gives an empty store, once. */
export function exportsContract(name: string, { open, close }: { open: () => Promise<ExportingStore>; close: () => Promise<void> }): void {
  describe(`exports of ${name}`, () => {
    let exporting: ExportingStore;
    let stores: readonly ExportingStore[] = [];

    beforeAll(async () => {
      const memory = new MemoryStore();
      exporting = await open();
      stores = [{ ledger: memory, catalogue: memory, exports: new MemoryExports(memory) }, exporting];
      for (const store of stores) await fill(store);
    }, fillMaxMs);
    afterAll(close, fillMaxMs);

    describe("[H6] pages of orders", () => {
      test.each(queries)("%j gives %d, the same as from memory, in bounded pages", async (query, count) => {
        const [first, second] = await Promise.all(stores.map(({ exports }) => walk((after) => exports.exportOrders(query, after))));
        expect(first?.rows.length).toBe(count);
        expect(first?.rows.map(({ purchase }) => BigInt(purchase.id))).toEqual(
          first?.rows.map(({ purchase }) => BigInt(purchase.id)).toSorted((a, b) => Number(a - b)),
        );
        expect(JSON.parse(JSON.stringify(second?.rows))).toEqual(JSON.parse(JSON.stringify(first?.rows)));
        expect([first?.pages, second?.pages]).toEqual([3, 3]);
      });

      test("the ledger's, too: every entry once, in commit order", async () => {
        for (const [query, count] of [
          [{}, ordersCount + 250 + 3],
          [{ saleId: saleOf(2) }, 833 + 83 + 1],
          [{ seller: "blue" }, 833 + 83 + 1],
        ] as const) {
          const [first, second] = await Promise.all(stores.map(({ exports }) => walk((after) => exports.exportLedger(query, after))));
          expect(first?.rows.length).toBe(count);
          const bare = (rows: NonNullable<typeof first>["rows"] = []) => rows.map(({ entry, seller }) => JSON.stringify({ entry, seller }));
          expect(bare(second?.rows).toSorted()).toEqual(bare(first?.rows).toSorted());
          for (const found of [first, second])
            expect(found?.rows.every(({ number }, i, rows) => i === 0 || number > (rows[i - 1]?.number ?? 0))).toBe(true);
        }
      });
    });

    describe("[H6] the CSV", () => {
      test("has a header, a line for each order, ids as text, ISO times, and nothing that is computed", async () => {
        for (const { exports } of stores) {
          const [header, ...lines] = parse(await textOf(ordersAsCsv({ exports }, { access: red, query: {}, withMark: false })));
          expect(header).toEqual([...orderColumns]);
          expect(lines.length).toBe(1_667);
          const row = Object.fromEntries(orderColumns.map((name, i) => [name, lines[1]?.[i]]));
          expect(row).toMatchObject({
            order_id: "1001",
            sale_id: "2",
            sale_name: 'Sale "2"',
            product_name: "'=Lamp red",
            seller: "red",
            quantity: "1",
            amount: "199.00",
            amount_minor: "19900",
            currency: "CNY",
            state: "reserved",
            refunded: "false",
            accepted_at: new Date(nowMs + 1).toISOString(),
            idempotency_key: "k1",
            metadata: `{"a":";'=1"}`,
          });
        }
      });

      test("shows a buyer's id to its own shop alone", async () => {
        for (const { exports } of stores)
          for (const [access, shown] of [
            [red, { red: "'-buyer,", blue: "", local: "" }],
            [everywhere, { red: "", blue: "", local: "" }],
          ] as const) {
            const [, ...lines] = parse(await textOf(ordersAsCsv({ exports }, { access, query: {}, withMark: false })));
            for (const line of lines) {
              const [issuer, buyer] = [line[orderColumns.indexOf("buyer_issuer")], line[orderColumns.indexOf("buyer")]];
              // Every issuer here has its row above.
              expect((buyer ?? "").replace(/\d+$/, "")).toBe(shown[issuer as keyof typeof shown]);
            }
          }
      });

      test("of the ledger replays to the balances, and begins with a byte order mark if asked for one", async () => {
        for (const { exports } of stores) {
          const text = await textOf(ledgerAsCsv({ exports }, { access: everywhere, query: { saleId: saleOf(1) }, withMark: true }));
          expect(text.startsWith("\uFEFF")).toBe(true);
          const [header, ...lines] = parse(text.slice(1));
          expect(header).toEqual([...ledgerColumns]);
          const units = (kind: string) => lines.filter((line) => line[3] === kind).reduce((sum, line) => sum + Number(line[4]), 0);
          expect([units("issue"), units("take"), units("cancel")]).toEqual([ordersCount, 834, 84]);
        }
      });

      test("tells one shop no numbers that count what the others sell", async () => {
        for (const { exports } of stores) {
          const numbersOf = async (access: typeof red) => {
            const [, ...lines] = parse(await textOf(ledgerAsCsv({ exports }, { access, query: {}, withMark: false })));
            return lines.map(([number]) => number);
          };
          expect(new Set(await numbersOf(red))).toEqual(new Set([""]));
          const all = (await numbersOf(everywhere)).map(Number);
          expect(all).toEqual(all.toSorted((a, b) => a - b));
        }
      });

      test("gives its header before the store is asked, and asks it no further once nobody listens", async () => {
        let pages = 0;
        const exports: Exports = {
          exportLedger: () => Promise.reject(new Error("not asked for")),
          exportOrders: (query, after) => {
            pages += 1;
            return exporting.exports.exportOrders(query, after);
          },
        };
        const texts = ordersAsCsv({ exports }, { access: everywhere, query: {}, withMark: false });
        expect((await texts.next()).value).toStartWith('"order_id"');
        expect(pages).toBe(0);
        await texts.next();
        await texts.return();
        expect([(await texts.next()).done, pages]).toEqual([true, 1]);
      });
    });
  });
}
