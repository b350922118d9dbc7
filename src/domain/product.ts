import type { ProductId } from "./ids.ts";
import { isPriceMinor, priceMinorMax, type Money } from "./money.ts";
import { isLabel, labelProblem, nameLengthMax, type DraftProblem } from "./sale.ts";

/** What a sale sells. Its everyday price; each sale has its own. */
export type Product = {
  readonly id: ProductId;
  readonly name: string;
  readonly price: Money;
  readonly seller: string;
  readonly image?: string | undefined;
  readonly createdAtMs: number;
};

export const sellerLengthMax = 64;
export const imageLengthMax = 2048;
export const imagePattern = /^(https?:\/\/|\/)\S+$/;

/** The first thing wrong with a product to be created, or undefined. */
export function problemOfProduct(product: Pick<Product, "name" | "price" | "seller" | "image">): DraftProblem | undefined {
  const { name, price, seller, image } = product;
  if (!isLabel(name, nameLengthMax)) return { field: "name", problem: labelProblem(nameLengthMax) };
  if (!isPriceMinor(price.minor))
    return { field: "price_minor", problem: `must be an integer of the currency's smallest unit from 1 to ${priceMinorMax}` };
  if (!isLabel(seller, sellerLengthMax)) return { field: "seller", problem: labelProblem(sellerLengthMax) };
  if (image !== undefined && (image.length > imageLengthMax || !imagePattern.test(image)))
    return { field: "image", problem: `must be an http(s) URL or a path of at most ${imageLengthMax} characters` };
  return undefined;
}
