/**
 * Ids are types, so a sale's id never lands where a buyer's belongs. All but the buyer's are decimal text of a
 * positive 63-bit integer: JavaScript numbers would lose digits, and a caller's own small ids (1001) stay as they are.
 */
declare const tag: unique symbol;
type Tagged<Value, Kind extends string> = Value & { readonly [tag]: Kind };

export type ProductId = Tagged<string, "Product">;
export type SaleId = Tagged<string, "Sale">;
export type PurchaseId = Tagged<string, "Purchase">;
export type PaymentId = Tagged<string, "Payment">;
export type RefundId = Tagged<string, "Refund">;
/** Of a change of units by hand, in a sale or an inventory, and of a sale's settling. */
export type AdjustmentId = Tagged<string, "Adjustment">;
export type AccountId = Tagged<string, "Account">;
/** One log-in, with all the refresh tokens that follow each other in it. */
export type SessionId = Tagged<string, "Session">;
export type KeyId = Tagged<string, "Key">;
/** The store's own number for the pair (issuer, subject); it never leaves the system. */
export type BuyerId = Tagged<number, "Buyer">;

/** Who buys, as the outside names it: `local`, an API key's shop or a JWKS issuer, and that issuer's own id. */
export type Buyer = { readonly issuer: string; readonly subject: string };

export const subjectLengthMax = 64;
export const keyLengthMax = 128;
const idDigitsMax = 19;
export const largestId = "9223372036854775807";

function isId(text: string): boolean {
  if (text.length === 0 || text.length > idDigitsMax) return false;
  if (text.charCodeAt(0) === 48) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return text.length < idDigitsMax || text <= largestId;
}

function parse<Kind extends string>(text: string): Tagged<string, Kind> | undefined {
  // The check above is what makes the tag true.
  return isId(text) ? (text as Tagged<string, Kind>) : undefined;
}

export const parseProductId = (text: string) => parse<"Product">(text);
export const parseSaleId = (text: string) => parse<"Sale">(text);
export const parsePurchaseId = (text: string) => parse<"Purchase">(text);
export const parsePaymentId = (text: string) => parse<"Payment">(text);
export const parseRefundId = (text: string) => parse<"Refund">(text);
export const parseAdjustmentId = (text: string) => parse<"Adjustment">(text);
export const parseAccountId = (text: string) => parse<"Account">(text);
export const parseSessionId = (text: string) => parse<"Session">(text);
export const parseKeyId = (text: string) => parse<"Key">(text);

/** The number of whoever has none yet: no row has it, so it sees nothing and was never accepted. */
export const strangerId = 0 as BuyerId;

export function parseBuyerId(value: number): BuyerId | undefined {
  // The check makes the tag true.
  return Number.isSafeInteger(value) && value > 0 ? (value as BuyerId) : undefined;
}

/** A buyer's id in its shop: 1 to 64 printable ASCII characters without space, so that it is safe in headers and logs. */
export function isSubject(text: string): boolean {
  return text.length > 0 && text.length <= subjectLengthMax && isPrintable(text, 33);
}

/** `Idempotency-Key`: 1 to 128 printable ASCII characters. */
export function isKey(text: string): boolean {
  return text.length > 0 && text.length <= keyLengthMax && isPrintable(text, 32);
}

function isPrintable(text: string, lowest: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < lowest || code > 126) return false;
  }
  return true;
}
