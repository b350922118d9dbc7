import type { Inventory } from "./inventory.ts";
import type { ProductId } from "./ids.ts";
import { isPriceMinor, priceMinorMax, sameMoney, type Currency, type Money } from "./money.ts";
import { isLabel, labelProblem, nameLengthMax, type DraftProblem } from "./sale.ts";

/** What a sale sells. Its everyday price; each sale has its own. */
export type Product = {
  readonly id: ProductId;
  readonly name: string;
  readonly price: Money;
  readonly seller: string;
  readonly image?: string | undefined;
  readonly createdAtMs: number;
  /** Free units, or null where the shop keeps count elsewhere. */
  readonly inventory: Inventory;
  /** Grows with every change, also of the inventory. */
  readonly version: number;
  /** Gone from lists and for readers; its orders still show it. */
  readonly deletedAtMs?: number | undefined;
};

/** What may change, and null where that means "none". */
export type ProductChanges = {
  readonly name?: string | undefined;
  readonly priceMinor?: number | undefined;
  readonly currency?: Currency | undefined;
  readonly image?: string | null | undefined;
};

/** The product with its changes; the same object if they change nothing, so that a repeat is no change. */
export function changedProduct(product: Product, changes: ProductChanges): Product {
  const { name = product.name, priceMinor = product.price.minor, currency = product.price.currency } = changes;
  const price = { minor: priceMinor, currency };
  const image = changes.image === undefined ? product.image : (changes.image ?? undefined);
  if (name === product.name && sameMoney(price, product.price) && image === product.image) return product;
  return { ...product, name, price, image, version: product.version + 1 };
}

/** Whether a product was kept as it is asked to be kept again. */
export function isSameProduct(
  first: Product,
  { name, price, seller, image }: Pick<Product, "name" | "price" | "seller" | "image">,
): boolean {
  const sameShop = first.deletedAtMs === undefined && first.seller === seller;
  return sameShop && changedProduct(first, { name, priceMinor: price.minor, currency: price.currency, image: image ?? null }) === first;
}

export const sellerLengthMax = 64;
export const imageLengthMax = 2048;
export const imagePattern = /^(https?:\/\/|\/)\S+$/;

/** The first thing wrong with a product to be kept, or undefined. */
export function problemOfProduct({
  name,
  price,
  seller,
  image,
}: Pick<Product, "name" | "price" | "seller" | "image">): DraftProblem | undefined {
  const problem = problemOfChanges({ name, priceMinor: price.minor, image });
  return problem ?? (isLabel(seller, sellerLengthMax) ? undefined : { field: "seller", problem: labelProblem(sellerLengthMax) });
}

/** The first thing wrong with what is to change, or undefined. */
export function problemOfChanges({ name, priceMinor, image }: ProductChanges): DraftProblem | undefined {
  if (name !== undefined && !isLabel(name, nameLengthMax)) return { field: "name", problem: labelProblem(nameLengthMax) };
  if (priceMinor !== undefined && !isPriceMinor(priceMinor))
    return { field: "price_minor", problem: `must be an integer of the currency's smallest unit from 1 to ${priceMinorMax}` };
  if (typeof image === "string" && (image.length > imageLengthMax || !imagePattern.test(image)))
    return { field: "image", problem: `must be an http(s) URL or a path of at most ${imageLengthMax} characters` };
  return undefined;
}
