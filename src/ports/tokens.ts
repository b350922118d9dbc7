import type { MerchantId, Role } from "../domain/access.ts";
import type { Buyer, BuyerId } from "../domain/ids.ts";

/** Our own access tokens: minted for a buyer by a server key or for an account at log-in, checked on every request with one HMAC. */
export interface Tokens {
  mint(grant: TokenGrant): string;
  /** Who a token names, or undefined for anything but a valid, unexpired token of this installation. */
  check(token: string, nowMs: number): TokenHolder | undefined;
}

/** What an account's token says beyond its buyer. */
export type AccountClaims = {
  /** The log-in it came from: ends with it (see Revocations). Decimal id. */
  readonly session: string;
  readonly role: Role;
  /** The shop of a merchant. */
  readonly merchant?: MerchantId | undefined;
};
export type TokenGrant = {
  readonly buyer: Buyer;
  readonly buyerId: BuyerId;
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly account?: AccountClaims | undefined;
};
export type TokenHolder = {
  readonly buyer: Buyer;
  readonly buyerId: BuyerId;
  readonly expiresAtMs: number;
  readonly account?: AccountClaims | undefined;
};
