import type { MerchantId } from "../../domain/access.ts";
import type { ForeignTokens } from "../../ports/foreign-tokens.ts";
import { buyerIdOf, type IdentityDeps } from "../identity.ts";
import { accessLifetimeMs } from "../../domain/session.ts";

/** The shop whose tokens are taken, and who checks them. */
export type ForeignShop = { readonly tokens: ForeignTokens; readonly merchant: MerchantId };

export type ExchangeAnswer =
  | { readonly kind: "granted"; readonly token: string; readonly expiresAtMs: number }
  | { readonly kind: "refused" | "unavailable"; readonly why: string };

/**
 * Our own token for one of the shop's: verified this once, it is believed no longer than the shop's would be. It names the
 * same buyer as the shop's server key does. Throws StoreUnavailable.
 */
export async function exchangeToken(deps: IdentityDeps, shop: ForeignShop, foreign: string): Promise<ExchangeAnswer> {
  const checked = await shop.tokens.check(foreign, deps.clock.nowMs());
  if (checked.kind !== "holder") return checked;
  const buyer = { issuer: shop.merchant, subject: checked.subject };
  const buyerId = await buyerIdOf(deps, buyer);
  const nowMs = deps.clock.nowMs();
  const lifetimeMs = Math.min(accessLifetimeMs, checked.expiresAtMs - nowMs);
  // Our tokens count whole seconds. Who is within the leeway is let in by nobody's clock.
  if (lifetimeMs < 1_000) return { kind: "refused", why: "it expires now" };
  return { kind: "granted", token: deps.tokens.mint({ buyer, buyerId, nowMs, lifetimeMs }), expiresAtMs: Math.floor(nowMs + lifetimeMs) };
}
