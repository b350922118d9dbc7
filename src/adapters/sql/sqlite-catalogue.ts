/** Catalogue by way of the writer's thread. */
import type { Buyer, BuyerId, ProductId } from "../../domain/ids.ts";
import type { InventoryChange } from "../../domain/inventory.ts";
import type { Catalogue, IdClaim, NewProduct, NewSale, ProductDeletion, ProductUpdate } from "../../ports/catalogue.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { BuyerNumbers } from "./buyer-numbers.ts";
import type { WorkerClient } from "./worker-client.ts";
import { WorkerFailure } from "./worker-protocol.ts";

export class SqliteCatalogue implements Catalogue {
  readonly #writer: WorkerClient;
  readonly #timeoutMs: number;
  readonly #numbers = new BuyerNumbers((buyers) => this.#send("internBuyers", buyers));

  constructor(writer: WorkerClient, timeoutMs: number) {
    this.#writer = writer;
    this.#timeoutMs = timeoutMs;
  }

  addProduct(product: NewProduct): ReturnType<Catalogue["addProduct"]> {
    return this.#send("addProduct", product);
  }

  updateProduct(update: ProductUpdate): ReturnType<Catalogue["updateProduct"]> {
    return this.#send("updateProduct", update);
  }

  deleteProduct(deletion: ProductDeletion): ReturnType<Catalogue["deleteProduct"]> {
    return this.#send("deleteProduct", deletion);
  }

  changeInventory(change: InventoryChange): ReturnType<Catalogue["changeInventory"]> {
    return this.#send("changeInventory", change);
  }

  claimId(claim: IdClaim): ReturnType<Catalogue["claimId"]> {
    return this.#send("claimId", claim);
  }

  addSale(sale: NewSale): ReturnType<Catalogue["addSale"]> {
    return this.#send("addSale", sale);
  }

  setQuota(productId: ProductId, buyerId: BuyerId, units: number | undefined): ReturnType<Catalogue["setQuota"]> {
    return this.#send("setQuota", { productId, buyerId, units });
  }

  internBuyers(buyers: readonly Buyer[]): Promise<readonly BuyerId[]> {
    return this.#numbers.of(buyers);
  }

  async #send<Value>(operation: string, payload: unknown): Promise<Value> {
    try {
      return await this.#writer.call<Value>(operation, payload, this.#timeoutMs);
    } catch (error) {
      if (error instanceof WorkerFailure && error.code !== "defect") throw new StoreUnavailable(error.code, error.message, error);
      throw error;
    }
  }
}
