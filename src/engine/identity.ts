import { isSubject, type Buyer, type BuyerId } from "../domain/ids.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tokens } from "../ports/tokens.ts";

export type IdentityDeps = { readonly catalogue: Catalogue; readonly tokens: Tokens; readonly clock: Clock };

export const tokenLifetimeMinMs = 60_000;
export const tokenLifetimeMaxMs = 3_600_000;
export const tokenLifetimeDefaultMs = 600_000;

export type GrantAnswer =
  | { readonly kind: "granted"; readonly token: string; readonly expiresAtMs: number }
  | { readonly kind: "invalid"; readonly field: string; readonly problem: string };

/** A token for one of the shop's buyers, so that the buyer can talk to us itself. */
export async function grantToken(deps: IdentityDeps, ask: { buyer: Buyer; lifetimeMs?: number | undefined }): Promise<GrantAnswer> {
  const lifetimeMs = ask.lifetimeMs ?? tokenLifetimeDefaultMs;
  if (!isSubject(ask.buyer.subject)) return { kind: "invalid", field: "user_id", problem: "must have 1 to 64 printable characters" };
  if (!(lifetimeMs >= tokenLifetimeMinMs && lifetimeMs <= tokenLifetimeMaxMs))
    return {
      kind: "invalid",
      field: "expires_in_seconds",
      problem: `must be from ${tokenLifetimeMinMs / 1000} to ${tokenLifetimeMaxMs / 1000}`,
    };
  const buyerId = await buyerIdOf(deps, ask.buyer);
  const nowMs = deps.clock.nowMs();
  return {
    kind: "granted",
    token: deps.tokens.mint({ buyer: ask.buyer, buyerId, nowMs, lifetimeMs }),
    expiresAtMs: Math.floor(nowMs + lifetimeMs),
  };
}

/** The store's number of a buyer that a server key names; minted the first time. */
export async function buyerIdOf(deps: Pick<IdentityDeps, "catalogue">, buyer: Buyer): Promise<BuyerId> {
  const [buyerId] = await deps.catalogue.internBuyers([buyer]);
  if (buyerId === undefined) throw new Error(`The store gave no id for a buyer of "${buyer.issuer}"`);
  return buyerId;
}
