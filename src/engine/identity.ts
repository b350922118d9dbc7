import { isSubject, type Buyer, type BuyerId } from "../domain/ids.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import type { CancelTask, Tasks } from "../ports/tasks.ts";
import type { Tokens } from "../ports/tokens.ts";

export type MintDeps = { readonly catalogue: Catalogue; readonly tasks: Tasks };
export type IdentityDeps = MintDeps & { readonly tokens: Tokens; readonly clock: Clock };

export const tokenLifetimeMinMs = 60_000;
export const tokenLifetimeMaxMs = 3_600_000;
export const tokenLifetimeDefaultMs = 600_000;

/** How long a store may take to write a new buyer down. A number that comes later serves the next request. */
const mintTimeoutMs = 5_000;

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

/** The store's number of a buyer that a server key names; minted the first time. Throws StoreUnavailable. */
export async function buyerIdOf({ catalogue, tasks }: MintDeps, buyer: Buyer): Promise<BuyerId> {
  let cancel: CancelTask = () => {};
  const late = new Promise<never>((_, reject) => {
    const message = `The store did not write a buyer down within ${mintTimeoutMs} ms`;
    cancel = tasks.after(mintTimeoutMs, () => reject(new StoreUnavailable("unavailable", message)));
  });
  try {
    const [buyerId] = await Promise.race([catalogue.internBuyers([buyer]), late]);
    if (buyerId === undefined) throw new Error(`The store gave no id for a buyer of "${buyer.issuer}"`);
    return buyerId;
  } finally {
    cancel();
  }
}
