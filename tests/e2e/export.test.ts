/** Exports of a store that is larger than what a server may hold: constant memory, the first line at once, and an end when nobody reads on. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addBuyers, addSales, newFiller } from "../../bench/fill.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import type { BuyerId, PurchaseId } from "../../src/domain/ids.ts";
import type { Take } from "../../src/domain/movement.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, rootDir, ServerProcess } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";

const ordersCount = 200_000;
const ordersPerBuyer = 100;
const batch = 5_000;
const megabyte = 1 << 20;
/** What a server may grow by while it sends an export. The export itself is larger. */
const growthMax = 96 * megabyte;
const metadata = JSON.stringify({ note: "x".repeat(600) });
const headers = { "x-api-key": apiKey };

const { path: dataDir } = tempFolder();

beforeAll(async () => {
  const store = await openSqliteStore({ dataDir });
  const filler = newFiller(store);
  const buyers = await addBuyers(filler, { from: 0, count: ordersCount / ordersPerBuyer });
  const [saleId] = await addSales(filler, { count: 1, stock: ordersCount, limit: ordersPerBuyer });
  if (saleId === undefined) throw new Error("the filler made a sale");
  for (let from = 0; from < ordersCount; from += batch) {
    const movements = Array.from({ length: batch }, (_, i): Take => {
      // Interned above; minted here.
      const [buyerId, purchaseId] = [buyers[(from + i) % buyers.length] as BuyerId, filler.ids.mint() as PurchaseId];
      return { kind: "take", purchaseId, buyerId, quantity: 1, metadata };
    });
    const result = await store.ledger.commit({ nowMs: Date.now(), groups: [{ saleId, movements }] });
    expect(result.kind === "committed" && result.groups[0]?.outcomes.every(({ kind }) => kind === "accepted")).toBe(true);
  }
  await store.close();
}, 120_000);
afterAll(() => cleanUp());

describe("[H6, H7] doorbuster export", () => {
  const run = (...args: string[]) => runCommand(["export", ...args, "--data-dir", dataDir]);

  test("writes the same lines without a server, for one shop with its buyers and for all without", async () => {
    const ledger = await run("ledger", "--bom");
    expect([ledger.code, ledger.out.startsWith('\uFEFF"number","sale_id"')]).toEqual([0, true]);
    expect(ledger.out.split("\r\n").length).toBe(ordersCount + 3);
    const early = await run("orders", "--to", "2020-01-01T00:00:00Z");
    expect(early.out.split("\r\n")).toHaveLength(2);
    const none = await run("orders", "--shop", "another");
    expect(none.out).toBe(early.out);
  }, 60_000);

  test("ends quietly when its reader leaves", async () => {
    const main = [process.execPath, "--no-env-file", "src/main.ts", "export", "orders", "--data-dir", dataDir];
    const shell = Bun.spawn(["bash", "-c", 'set -o pipefail; "$@" | head -n 1', "-", ...main], {
      cwd: rootDir,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([new Response(shell.stdout).text(), new Response(shell.stderr).text(), shell.exited]);
    expect([out.slice(0, 10), err, code]).toEqual(['"order_id"', "", 0]);
  }, 60_000);

  test.each([
    [["orders", "--state", "lost"], "state"],
    [["orders", "--sale", "x"], "decimal id"],
    [["orders", "--from", "yesterday"], "offset"],
    [["orders", "--shop", "A B"], "shop"],
    [["ledger", "--state", "paid"], "orders"],
    [["money"], "money"],
  ] as const)("%j is wrong, and says why", async (args, word) => {
    const { code, out, err } = await run(...args);
    expect([code, out, err.includes(word)]).toEqual([2, "", true]);
  });

  test("says what is wrong with a folder without a store", async () => {
    const { code, err } = await runCommand(["export", "orders", "--data-dir", tempFolder().path]);
    expect([code, err.includes("Open the store")]).toEqual([2, true]);
  });
});

describe.each(["bun", "node"] as const)(`[H6] an export of ${ordersCount} orders, on %s`, (runtime) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir, runtime, env: { DOORBUSTER_SHOP: "bench" } });
  }, 30_000);
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
  }, 30_000);

  const start = async (signal?: AbortSignal) => {
    const response = await fetch(`${server.url}/api/v1/exports/orders.csv`, { headers, ...(signal && { signal }) });
    if (response.status !== 200 || response.body === null) throw new Error(`no export: ${response.status}`);
    return response.body.getReader();
  };
  const residentBytes = async () => {
    const response = await fetch(`${server.url}/api/v1/system/stats`, { headers });
    const { data } = (await response.json()) as { data: { process: { resident_bytes: number } } };
    return data.process.resident_bytes;
  };

  /** Reads an export to its end; gives its size and what the server grew by meanwhile. */
  const takeOut = async (onPiece: (piece: Uint8Array) => void) => {
    const before = await residentBytes();
    const reader = await start();
    let [bytes, sampledAt, highest] = [0, 0, before];
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      bytes += piece.value.length;
      onPiece(piece.value);
      if (bytes - sampledAt < 16 * megabyte) continue;
      sampledAt = bytes;
      highest = Math.max(highest, await residentBytes());
    }
    return { bytes, grown: highest - before };
  };

  test("is whole, and comes in small pieces from the first on", async () => {
    const decoder = new TextDecoder();
    let lines = 0;
    await takeOut((piece) => {
      expect(piece.length).toBeLessThan(2 * megabyte);
      const text = decoder.decode(piece, { stream: true });
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
    });
    expect(lines).toBe(ordersCount + 1);
  }, 60_000);

  // The first one has let the collectors find their pace.
  test(`grows the server by less than ${growthMax / megabyte} MB, and is larger than that`, async () => {
    const { bytes, grown } = await takeOut(() => {});
    console.log(`${runtime}: sent ${Math.round(bytes / megabyte)} MB, grown by ${Math.round(grown / megabyte)} MB`);
    expect(bytes).toBeGreaterThan(1.5 * growthMax);
    expect(grown).toBeLessThan(growthMax);
  }, 60_000);

  test("waits for a client that does not read on, and grows no more for it", async () => {
    const leave = new AbortController();
    const reader = await start(leave.signal);
    await reader.read();
    const before = await residentBytes();
    let highest = 0;
    for (let i = 0; i < 200; i++) highest = Math.max(highest, await residentBytes());
    expect(highest - before).toBeLessThan(growthMax);
    leave.abort();
  }, 60_000);

  /** All places of one shop, or none of them. */
  const takeAll = async () => {
    const leave = new AbortController();
    const started = await Promise.allSettled([1, 2].map(() => start(leave.signal)));
    const readers = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (readers.length === started.length) return { leave, readers };
    leave.abort();
    return undefined;
  };

  test("ends when its client leaves: places come free, again and again", async () => {
    for (let round = 0; round < 3; round++) {
      const { leave, readers } = await waitFor("all places", takeAll, { everyMs: 100 });
      await Promise.all(readers.map((reader) => reader.read()));
      await expect(start()).rejects.toThrow("503");
      leave.abort();
    }
    const { leave } = await waitFor("all places", takeAll, { everyMs: 100 });
    leave.abort();
  }, 60_000);
});
