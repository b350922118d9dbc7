/** Catalogue on a database server: each write a transaction of its own. */
import type { Buyer, BuyerId, ProductId } from "../../domain/ids.ts";
import type { InventoryChange } from "../../domain/inventory.ts";
import type { Catalogue, IdClaim, NewProduct, NewSale, ProductDeletion, ProductUpdate } from "../../ports/catalogue.ts";
import { BuyerNumbers } from "./buyer-numbers.ts";
import { addSale, internBuyers, setQuota } from "./catalogue-writes.ts";
import * as products from "./product-writes.ts";
import type { ServerDatabase } from "./server-database.ts";

export class ServerCatalogue implements Catalogue {
  readonly #database: ServerDatabase;
  readonly #numbers: BuyerNumbers;

  constructor(database: ServerDatabase) {
    this.#database = database;
    this.#numbers = new BuyerNumbers((buyers) => database.write((tx) => internBuyers(tx, buyers)));
  }

  addProduct = (product: NewProduct) => this.#database.write((tx) => products.addProduct(tx, product));
  updateProduct = (update: ProductUpdate) => this.#database.write((tx) => products.updateProduct(tx, update));
  deleteProduct = (deletion: ProductDeletion) => this.#database.write((tx) => products.deleteProduct(tx, deletion));
  changeInventory = (change: InventoryChange) => this.#database.write((tx) => products.changeInventory(tx, change));
  claimId = (claim: IdClaim) => this.#database.write((tx) => products.claimId(tx, claim));
  addSale = (sale: NewSale) => this.#database.write((tx) => addSale(tx, sale));
  setQuota = (productId: ProductId, buyerId: BuyerId, units: number | undefined) =>
    this.#database.write((tx) => setQuota(tx, productId, buyerId, units));
  internBuyers = (buyers: readonly Buyer[]): Promise<readonly BuyerId[]> => this.#numbers.of(buyers);
}
