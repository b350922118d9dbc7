/** The thread that writes. It alone may hold the database's write lock. */
import { workerData } from "node:worker_threads";
import type { Buyer, BuyerId, ProductId } from "../../domain/ids.ts";
import type { InventoryChange } from "../../domain/inventory.ts";
import type { IdClaim, NewProduct, NewSale, ProductDeletion, ProductUpdate } from "../../ports/catalogue.ts";
import * as accounts from "./account-writes.ts";
import { addSale, internBuyers, setQuota } from "./catalogue-writes.ts";
import { readExtent } from "./extent.ts";
import type { SmallWrite } from "./grouped-writes.ts";
import * as products from "./product-writes.ts";
import { servePort } from "./serve-port.ts";
import { openWriter, type WriterConnection } from "./sqlite-connection.ts";
import * as shops from "./shop-writes.ts";
import type { SqlTransaction } from "./sql-transaction.ts";
import { decodeBatch, encodeResult, SaleMirror, type WireBatch } from "./wire.ts";
import { WorkerFailure, type WorkerStart } from "./worker-protocol.ts";
import { Writer } from "./writer.ts";

// What worker-client.ts gives.
const { dataDir, failpoints } = workerData as WorkerStart;
type Wrap = (connection: WriterConnection, state: SharedArrayBuffer) => WriterConnection;
let wrap: Wrap | undefined;
let writer: Writer | undefined;
const mirror = new SaleMirror();

async function theWriter(): Promise<Writer> {
  // What a test's module of failpoints exports.
  if (failpoints !== undefined) wrap ??= ((await import(failpoints.module)) as { wrap: Wrap }).wrap;
  return (writer ??= new Writer((afterFailure) => {
    const connection = openWriter(dataDir, { afterFailure });
    return wrap === undefined || failpoints === undefined ? connection : wrap(connection, failpoints.state);
  }));
}

const writes: Readonly<Record<string, (tx: SqlTransaction, payload: never) => Promise<unknown>>> = {
  extent: (tx) => readExtent(tx),
  addProduct: (tx, product: NewProduct) => products.addProduct(tx, product),
  updateProduct: (tx, update: ProductUpdate) => products.updateProduct(tx, update),
  deleteProduct: (tx, deletion: ProductDeletion) => products.deleteProduct(tx, deletion),
  changeInventory: (tx, change: InventoryChange) => products.changeInventory(tx, change),
  claimId: (tx, claim: IdClaim) => products.claimId(tx, claim),
  addSale: (tx, sale: NewSale) => addSale(tx, sale),
  setQuota: (tx, ask: { productId: ProductId; buyerId: BuyerId; units?: number }) => setQuota(tx, ask.productId, ask.buyerId, ask.units),
  internBuyers: (tx, buyers: readonly Buyer[]) => internBuyers(tx, buyers),
  ...accounts.accountWrites,
  ...shops.shopWrites,
  together,
};

/** Writes of grouped-writes.ts, one after another in one transaction. */
async function together(tx: SqlTransaction, group: readonly SmallWrite[]): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  // Each with the payload that belongs to its name, as below.
  for (const [name, payload] of group) answers.push((await writeOf(name)(tx, payload as never)) ?? null);
  return answers;
}

function writeOf(name: string): (tx: SqlTransaction, payload: never) => Promise<unknown> {
  const write = writes[name];
  if (write === undefined) throw new WorkerFailure({ code: "defect", message: `The writer knows no "${name}"` });
  return write;
}

async function handle(operation: string, payload: unknown): Promise<unknown> {
  const target = await theWriter();
  if (operation === "commit") {
    // What sqlite-ledger.ts encoded.
    const batch = decodeBatch(payload as WireBatch);
    return encodeResult(batch, await target.commit(batch), mirror);
  }
  if (operation === "close") return target.close();
  const write = writeOf(operation);
  // Each operation's payload is what sqlite-store.ts sends with its name.
  const result = await target.write((tx) => write(tx, payload as never));
  if (result.kind === "done") return result.value;
  const { failure, message } = result;
  throw new WorkerFailure({ code: failure === "bad_line" ? "defect" : failure, message });
}

servePort(handle);
