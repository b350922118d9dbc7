import type { Buyer, BuyerId } from "../domain/ids.ts";

/** Our own access tokens: minted for a buyer by a server key, checked on every request with one HMAC. */
export interface Tokens {
  mint(grant: { buyer: Buyer; buyerId: BuyerId; nowMs: number; lifetimeMs: number }): string;
  /** Who a token names, or undefined for anything but a valid, unexpired token of this installation. */
  check(token: string, nowMs: number): TokenHolder | undefined;
}

export type TokenHolder = { readonly buyer: Buyer; readonly buyerId: BuyerId; readonly expiresAtMs: number };
