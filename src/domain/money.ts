/** Money is an integer count of a currency's smallest unit; decimals exist only at the border. */
export type Money = { readonly minor: number; readonly currency: Currency };
declare const tag: unique symbol;
export type Currency = string & { readonly [tag]: "Currency" };

/** Nine thousand million of the smallest unit: times the most units anybody may buy it is still an exact integer. */
export const priceMinorMax = 9_000_000_000;

/** ISO 4217 exponents that are not two. Source: ISO 4217 list one. */
// oxfmt-ignore
const exponents: Readonly<Record<string, number>> = {
  BHD: 3, BIF: 0, CLP: 0, DJF: 0, GNF: 0, IQD: 3, ISK: 0, JOD: 3, JPY: 0, KMF: 0, KRW: 0, KWD: 3, LYD: 3,
  OMR: 3, PYG: 0, RWF: 0, TND: 3, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
};

export function parseCurrency(text: string): Currency | undefined {
  // The pattern makes the tag true.
  return /^[A-Z]{3}$/.test(text) ? (text as Currency) : undefined;
}

/** A legal price: a positive integer of minor units. A sale at nothing is a gift and needs no payment. */
export function isPriceMinor(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value <= priceMinorMax;
}

export function exponentOf(currency: Currency): number {
  return exponents[currency] ?? 2;
}

export const decimalPattern = /^(\d{1,12})(?:\.(\d{1,12}))?$/;

/**
 * A decimal as callers write it ("8999.00", 99.99) in minor units; undefined when it is negative, not a number, or finer
 * than the currency's smallest unit. Works on the digits: 99.99 * 100 is not 9999 in floating point.
 */
export function parseDecimal(text: string, currency: Currency): number | undefined {
  const match = decimalPattern.exec(text);
  if (!match) return undefined;
  const places = exponentOf(currency);
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > places) return undefined;
  return Number((match[1] ?? "") + fraction.padEnd(places, "0"));
}

export function formatDecimal(money: Money): string {
  const places = exponentOf(money.currency);
  const digits = String(money.minor).padStart(places + 1, "0");
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

export function sameMoney(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}
