/** Exports over the API: whose rows, which headers, and what becomes of a client that leaves, stands still or comes in crowds. */
import { afterEach, describe, expect, test } from "bun:test";
import { openMemoryApi, otherShopKey, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";
import { eventually, ManualTime } from "../../tests/kit/manual-time.ts";
import type { Cursor, ExportedEntry, ExportPage, Exports } from "../ports/exports.ts";
import { exportsAtOnceMax, exportsPerShopMax } from "./routes/exports.ts";
import { parseSaleId } from "../domain/ids.ts";
import { must } from "../../tests/kit/samples.ts";

const opened: MemoryApi[] = [];
const open = async (change: Parameters<typeof openMemoryApi>[0] = {}) => {
  const api = await openMemoryApi(change);
  opened.push(api);
  return api;
};
afterEach(() => Promise.all(opened.splice(0).map((api) => api.close())));

const orders = "/api/v1/exports/orders.csv";
const ledger = "/api/v1/exports/ledger.csv";
const linesOf = (text: string) => text.split("\r\n").slice(0, -1);

/** A ledger without end, one entry a page; counts what is asked for. */
class EndlessLedger implements Exports {
  pages = 0;
  failsAt = Number.POSITIVE_INFINITY;
  exportOrders = async () => ({ rows: [] });
  async exportLedger(_query: unknown, after: Cursor | undefined): Promise<ExportPage<ExportedEntry>> {
    this.pages += 1;
    if (this.pages >= this.failsAt) throw new Error("the disk is gone");
    const saleId = must(parseSaleId("1"));
    const number = Number(after ?? 0) + 1;
    return {
      rows: [{ number, seller: "shop", entry: { saleId, sourceId: saleId, kind: "issue", units: 1, atMs: 0 } }],
      next: String(number),
    };
  }
}

describe("[H6] what an export holds", () => {
  test("one's own shop's orders, by sale, state and time; another shop's sale does not exist", async () => {
    const api = await open();
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
    for (const userId of ["ann", "=bob", "eve"])
      expect((await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId })).status).toBe(201);
    const told = async (query: string, key = shopKey) => (await api.ask("GET", orders + query, { key })).text;
    expect(linesOf(await told("")).length).toBe(4);
    expect(await told("")).toInclude(`"shop","'=bob",1,9900,9900,"CNY","99.00","reserved",false,"2030-01-01T12:00:00.000Z"`);
    expect(linesOf(await told(`?sale_id=${saleId}&state=reserved`)).length).toBe(4);
    expect(linesOf(await told("?state=paid")).length).toBe(1);
    expect(linesOf(await told("?from=2030-01-01T12:00:00Z&to=2030-01-01T12:00:01Z")).length).toBe(4);
    expect(linesOf(await told("?to=2030-01-01T20:00:00%2B08:00")).length).toBe(1);
    expect(linesOf(await told("", otherShopKey)).length).toBe(1);
    expect((await api.ask("GET", `${orders}?sale_id=${saleId}`, { key: otherShopKey })).data["reason"]).toBe("sale_unknown");
    expect(linesOf((await api.ask("GET", `${ledger}?sale_id=${saleId}`, { key: shopKey })).text).length).toBe(5);
    expect(linesOf((await api.ask("GET", ledger, { key: otherShopKey })).text).length).toBe(1);
    for (const query of ["?from=yesterday", "?state=lost", "?sale_id=x", "?bom=2", "?colour=red", "?bom=1&bom=1"])
      expect((await api.ask("GET", orders + query, { key: shopKey })).status).toBe(400);
  });

  test("says that it is a file of UTF-8, marked if asked; HEAD says so without one", async () => {
    const api = await open();
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
    const whole = await api.send("GET", `${ledger}?sale_id=${saleId}&bom=1`, { key: shopKey });
    const head = await api.send("HEAD", `${ledger}?sale_id=${saleId}`, { key: shopKey });
    for (const { headers } of [whole, head]) {
      expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
      expect(headers.get("content-disposition")).toBe(`attachment; filename="ledger-${saleId}.csv"`);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
    expect([...new Uint8Array(await whole.arrayBuffer()).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    expect(await head.text()).toBe("");
  });
});

describe("[H6] an export that does not end well", () => {
  const openEndless = async (change: Parameters<typeof openMemoryApi>[0] = {}) => {
    const exports = new EndlessLedger();
    const api = await open({ exports, ...change });
    /** By both shops in turn, as Array.from numbers them. */
    const start = async (_?: unknown, number = 0) => {
      const response = await api.send("GET", ledger, { key: number % 2 === 0 ? shopKey : otherShopKey });
      const reader = response.body?.getReader();
      if (response.status !== 200 || reader === undefined) throw new Error(`no export: ${response.status}`);
      return reader;
    };
    return { api, exports, start };
  };

  test("reads nothing ahead of its client, and no further once it has left", async () => {
    const { exports, start } = await openEndless();
    const reader = await start();
    expect(exports.pages).toBe(0);
    for (let i = 0; i < 10; i++) expect((await reader.read()).done).toBe(false);
    expect(exports.pages).toBe(9);
    await reader.cancel();
    expect((await reader.read()).done).toBe(true);
    expect(exports.pages).toBe(9);
  });

  test(`${exportsAtOnceMax} run at once, one more is told to come again, and a place comes free when one leaves`, async () => {
    const { api, start } = await openEndless();
    const running = await Promise.all(Array.from({ length: exportsAtOnceMax }, start));
    const refused = await api.ask("GET", ledger, { key: shopKey });
    expect([refused.status, refused.data["reason"], refused.headers.get("retry-after")]).toEqual([503, "busy", "1"]);
    await running[0]?.cancel();
    const next = await start();
    expect((await api.ask("GET", orders, { key: shopKey })).status).toBe(503);
    for (const reader of [...running.slice(1), next]) await reader.cancel();
    expect((await api.ask("GET", orders, { key: shopKey })).status).toBe(200);
  });

  test(`${exportsPerShopMax} of one shop leave places for another, and its places come free one by one`, async () => {
    const { api, start } = await openEndless();
    const running = await Promise.all(Array.from({ length: exportsPerShopMax }, () => start()));
    expect((await api.ask("GET", orders, { key: shopKey })).data["reason"]).toBe("busy");
    expect((await api.ask("GET", orders, { key: otherShopKey })).status).toBe(200);
    await running[0]?.cancel();
    expect((await api.ask("GET", orders, { key: shopKey })).status).toBe(200);
    await Promise.all(running.map((reader) => reader.cancel()));
  });

  test("is given up when its client takes nothing for a minute, at the start or later", async () => {
    const time = new ManualTime(0);
    const { api, start } = await openEndless({ tasks: time });
    const readers = await Promise.all(Array.from({ length: exportsAtOnceMax }, start));
    await readers[0]?.read();
    await time.advance(30_000);
    await readers[1]?.read();
    await time.advance(59_000);
    expect((await readers[1]?.read())?.done).toBe(false);
    await time.advance(1_000);
    for (const [i, reader] of readers.entries())
      if (i !== 1)
        expect(
          await reader.read().then(
            () => "read",
            (error: Error) => error.message,
          ),
        ).toInclude("took nothing");
    await readers[1]?.cancel();
    await eventually(() => time.timers === 0, "the end of all timers");
    expect((await api.ask("GET", orders, { key: shopKey })).status).toBe(200);
  });

  test("breaks off when the store fails, for the operator with the reason, and frees its place", async () => {
    const { api, exports, start } = await openEndless();
    exports.failsAt = 3;
    for (let i = 0; i <= exportsAtOnceMax; i++) {
      exports.pages = 0;
      const reader = await start();
      for (let read = 0; read < 3; read++) expect((await reader.read()).done).toBe(false);
      expect(
        await reader.read().then(
          () => "read",
          (error: Error) => error.message,
        ),
      ).toBe("the disk is gone");
    }
    expect(api.logged.filter(({ message }) => message === "An export broke off").length).toBe(exportsAtOnceMax + 1);
  });
});
