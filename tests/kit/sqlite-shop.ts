/** A product, a sale and buyers on a SQLite store, for tests of the store itself. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "../../src/adapters/sql/sqlite-store.ts";
import { parseProductId, parsePurchaseId, parseSaleId, type BuyerId, type ProductId, type SaleId } from "../../src/domain/ids.ts";
import { parseCurrency } from "../../src/domain/money.ts";
import type { Movement, MovementOutcome, Take } from "../../src/domain/movement.ts";
import type { SaleDraft } from "../../src/domain/sale.ts";
import type { LedgerBatch } from "../../src/ports/stock-ledger.ts";

export const nowMs = 1_800_000_000_000;

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a value that the test relies on is missing");
  return value;
}

export const productId = (text: string): ProductId => must(parseProductId(text));
export const saleId = (text: string): SaleId => must(parseSaleId(text));
export const price = { minor: 19_900, currency: must(parseCurrency("CNY")) };

export const take = (id: string, buyer: number, key?: string, quantity = 1): Take => ({
  kind: "take",
  purchaseId: must(parsePurchaseId(id)),
  // Any positive integer names a buyer.
  buyerId: buyer as BuyerId,
  key,
  quantity,
});

export const batch = (sale: SaleId, ...movements: Movement[]): LedgerBatch => ({ nowMs, groups: [{ saleId: sale, movements }] });

/** A folder that is removed at the end, and the stores opened on it. */
export class StoreBench implements AsyncDisposable {
  readonly dataDir = mkdtempSync(join(tmpdir(), "doorbuster-sqlite-"));
  #store: SqliteStore | undefined;

  async open(options: Omit<SqliteStoreOptions, "dataDir"> = {}): Promise<SqliteStore> {
    return (this.#store = await openSqliteStore({ dataDir: this.dataDir, ...options }));
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Adds a product and a sale of it, published unless `draftOnly`. */
export async function addSale(
  store: SqliteStore,
  id: string,
  { draftOnly = false, ...changes }: Partial<SaleDraft> & { draftOnly?: boolean } = {},
): Promise<SaleId> {
  const product = productId("77");
  await store.catalogue.addProduct({ id: product, name: "Lamp", price, seller: "shop", createdAtMs: 1 });
  const rules = { stock: 10, perBuyerLimit: 1, refundedUnitsCount: true, payWindowMs: 60_000, payExtensionsMax: 10 };
  const window = { startsAtMs: nowMs - 1, endsAtMs: nowMs + 3_600_000 };
  const draft: SaleDraft = { productId: product, name: "Lamp", price, ...rules, ...window, ...changes };
  await store.catalogue.addSale({ id: saleId(id), draft, createdAtMs: 1 });
  if (!draftOnly) await outcomes(store, batch(saleId(id), { kind: "switch", change: { kind: "publish" } }));
  return saleId(id);
}

/** The outcomes of a batch, group after group; fails unless it committed. */
export async function outcomes(store: SqliteStore, ledgerBatch: LedgerBatch): Promise<readonly MovementOutcome[]> {
  const result = await store.ledger.commit(ledgerBatch);
  if (result.kind !== "committed") throw new Error(`expected a commit, got ${JSON.stringify(result)}`);
  return result.groups.flatMap((group) => group.outcomes);
}
