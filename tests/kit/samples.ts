/** Rows as tests need them: legal ones, with what the test is about changed. */
import { parseBuyerId, parsePaymentId, parseProductId, parsePurchaseId, parseRefundId, parseSaleId } from "../../src/domain/ids.ts";
import { parseCurrency, type Money } from "../../src/domain/money.ts";
import type { Payment } from "../../src/domain/payment.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { Sale, SaleDraft } from "../../src/domain/sale.ts";
import { emptyBalances, type Balances } from "../../src/domain/ledger.ts";

export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a value that the test relies on is missing");
  return value;
}

export const productId = (text = "1") => must(parseProductId(text));
export const saleId = (text = "2") => must(parseSaleId(text));
export const purchaseId = (text = "3") => must(parsePurchaseId(text));
export const paymentId = (text = "4") => must(parsePaymentId(text));
export const refundId = (text = "5") => must(parseRefundId(text));
export const buyerId = (number = 6) => must(parseBuyerId(number));
export const money = (minor: number, currency = "EUR"): Money => ({ minor, currency: must(parseCurrency(currency)) });

export const sampleStartMs = 1_000_000;
export const sampleEndMs = 2_000_000;
export const sampleNowMs = 1_500_000;

export function sampleDraft(change: Partial<SaleDraft> = {}): SaleDraft {
  return {
    productId: productId(),
    name: "Lamp",
    price: money(500),
    stock: 10,
    perBuyerLimit: 2,
    limitGroup: undefined,
    refundedUnitsCount: true,
    payWindowMs: 900_000,
    payExtensionsMax: 10,
    startsAtMs: sampleStartMs,
    endsAtMs: sampleEndMs,
    ...change,
  };
}

/** Published, and live at `sampleNowMs`, with ten free units. */
export function sampleSale(change: Partial<Omit<Sale, "balances">> & { balances?: Partial<Balances> } = {}): Sale {
  const { balances, ...rest } = change;
  return {
    ...sampleDraft(),
    id: saleId(),
    seller: "shop",
    fromInventory: false,
    phase: "published",
    paused: false,
    hasQuotas: false,
    feed: 1,
    createdAtMs: 0,
    ...rest,
    balances: { ...emptyBalances, issued: 10, available: 10, ...balances },
  };
}

export function samplePurchase(change: Partial<Purchase> = {}): Purchase {
  return {
    id: purchaseId(),
    saleId: saleId(),
    productId: productId(),
    buyerId: buyerId(),
    key: "key",
    quantity: 1,
    price: money(500),
    limit: 2,
    metadata: undefined,
    acceptedAtMs: sampleNowMs,
    payByMs: sampleNowMs + 900_000,
    state: "reserved",
    extensions: 0,
    holdUntilMs: sampleNowMs + 900_000,
    changedAtMs: sampleNowMs,
    refunded: false,
    ...change,
  };
}

export function samplePayment(change: Partial<Payment> = {}): Payment {
  return {
    id: paymentId(),
    purchaseId: purchaseId(),
    saleId: saleId(),
    provider: "simulated",
    money: money(500),
    state: "created",
    createdAtMs: sampleNowMs,
    changedAtMs: sampleNowMs,
    ...change,
  };
}
