/** Records by way of the reader's thread. */
import type { Records } from "../../ports/records.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { WorkerFailure } from "./worker-protocol.ts";
import type { WorkerClient } from "./worker-client.ts";

type Args<Name extends keyof Records> = Parameters<Records[Name]>;
type Answer<Name extends keyof Records> = Awaited<ReturnType<Records[Name]>>;

export class SqliteRecords implements Records {
  readonly #reader: WorkerClient;
  readonly #timeoutMs: number;

  constructor(reader: WorkerClient, timeoutMs: number) {
    this.#reader = reader;
    this.#timeoutMs = timeoutMs;
  }

  product = (...args: Args<"product">) => this.#ask("product", args);
  productEver = (...args: Args<"productEver">) => this.#ask("productEver", args);
  products = (...args: Args<"products">) => this.#ask("products", args);
  productStock = (...args: Args<"productStock">) => this.#ask("productStock", args);
  inventoryOf = (...args: Args<"inventoryOf">) => this.#ask("inventoryOf", args);
  sale = (...args: Args<"sale">) => this.#ask("sale", args);
  sales = (...args: Args<"sales">) => this.#ask("sales", args);
  currentSaleOf = (...args: Args<"currentSaleOf">) => this.#ask("currentSaleOf", args);
  purchase = (...args: Args<"purchase">) => this.#ask("purchase", args);
  purchasesWithIds = (...args: Args<"purchasesWithIds">) => this.#ask("purchasesWithIds", args);
  purchaseByKey = (...args: Args<"purchaseByKey">) => this.#ask("purchaseByKey", args);
  purchaseByProductKey = (...args: Args<"purchaseByProductKey">) => this.#ask("purchaseByProductKey", args);
  purchasesOf = (...args: Args<"purchasesOf">) => this.#ask("purchasesOf", args);
  buyerId = (...args: Args<"buyerId">) => this.#ask("buyerId", args);
  payment = (...args: Args<"payment">) => this.#ask("payment", args);
  paymentsOf = (...args: Args<"paymentsOf">) => this.#ask("paymentsOf", args);
  refundsOf = (...args: Args<"refundsOf">) => this.#ask("refundsOf", args);
  refund = (...args: Args<"refund">) => this.#ask("refund", args);
  duePurchases = (...args: Args<"duePurchases">) => this.#ask("duePurchases", args);
  purchasesToClose = (...args: Args<"purchasesToClose">) => this.#ask("purchasesToClose", args);
  quietPayments = (...args: Args<"quietPayments">) => this.#ask("quietPayments", args);
  dueRefunds = (...args: Args<"dueRefunds">) => this.#ask("dueRefunds", args);
  adjustmentsOf = (...args: Args<"adjustmentsOf">) => this.#ask("adjustmentsOf", args);
  salesToSettle = (...args: Args<"salesToSettle">) => this.#ask("salesToSettle", args);
  counts = (...args: Args<"counts">) => this.#ask("counts", args);
  totals = (...args: Args<"totals">) => this.#ask("totals", args);

  async buyersOf(...args: Args<"buyersOf">): Promise<Float64Array> {
    return Float64Array.from(await this.#send<readonly number[]>("buyersOf", args));
  }

  async #ask<Name extends keyof Records>(name: Name, args: Args<Name>): Promise<Answer<Name>> {
    // The wire has no undefined: what is not there comes as null. No record is null.
    return ((await this.#send<Answer<Name> | null>(name, args)) ?? undefined) as Answer<Name>;
  }

  async #send<Value>(name: string, args: readonly unknown[]): Promise<Value> {
    try {
      return await this.#reader.call<Value>(name, args, this.#timeoutMs);
    } catch (error) {
      // Nothing was to be changed, so nothing is unknown.
      if (error instanceof WorkerFailure && error.code !== "defect") throw new StoreUnavailable("unavailable", error.message, error);
      throw error;
    }
  }
}
