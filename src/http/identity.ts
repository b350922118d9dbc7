/**
 * Who asks. A bearer token names a buyer; a server key names its shop, and with `X-User-Id` one of that shop's buyers.
 * `X-User-Id` alone names nobody. A credential that is present and wrong is an error on every route: silently treating
 * its holder as nobody would hide the mistake.
 */
import { accessOfRole, type Access } from "../domain/access.ts";
import { isSubject, type Buyer, type BuyerId } from "../domain/ids.ts";
import { buyerIdOf, type MintDeps } from "../engine/identity.ts";
import type { Records } from "../ports/records.ts";
import type { Revocations } from "../ports/revocations.ts";
import type { ServerKey, ServerKeys } from "../ports/server-keys.ts";
import type { TokenHolder, Tokens } from "../ports/tokens.ts";
import { failure, type Reply } from "./envelope.ts";

export type Caller =
  | { readonly kind: "nobody" }
  /** Somebody with a token of ours. An account of staff is more than a buyer. */
  | {
      readonly kind: "buyer";
      readonly buyer: Buyer;
      readonly buyerId: BuyerId;
      readonly holder: TokenHolder;
      readonly staff?: Staff | undefined;
    }
  | { readonly kind: "shop"; readonly key: ServerKey; readonly staff: Staff; readonly actsFor?: Buyer | undefined };

/** What somebody may do beyond its own, and the name under which it is done. */
export type Staff = { readonly access: Access; readonly owner: string };

export type CallerAnswer = Caller | { readonly kind: "reply"; readonly reply: Reply };

export type TokenDoor = { readonly tokens: Tokens; readonly revocations: Revocations };
export type Doors = TokenDoor & { readonly serverKeys: ServerKeys };

export function callerOf(doors: Doors, headers: Headers, nowMs: number): CallerAnswer {
  const presentedKey = headers.get("x-api-key");
  const authorization = headers.get("authorization");
  if (presentedKey === null)
    return authorization === null ? { kind: "nobody" } : (buyerOfBearer(doors, authorization, nowMs) ?? rejected("Authorization"));
  if (authorization !== null) return rejected("Authorization", "must not be given beside X-API-Key");
  const key = doors.serverKeys.check(presentedKey, nowMs);
  if (key === undefined) return rejected("X-API-Key");
  const userId = headers.get("x-user-id");
  const staff = { access: key.access, owner: key.id };
  if (userId === null) return { kind: "shop", key, staff };
  if (!isSubject(userId))
    return { kind: "reply", reply: failure("malformed", { field: "X-User-Id", problem: "must have 1 to 64 printable characters" }) };
  return { kind: "shop", key, staff, actsFor: { issuer: key.issuer, subject: userId } };
}

const scheme = "Bearer ";

/** The holder of the token in an Authorization header, unless it was revoked. */
export function holderOfBearer({ tokens, revocations }: TokenDoor, authorization: string, nowMs: number): TokenHolder | undefined {
  if (!authorization.startsWith(scheme) && authorization.slice(0, scheme.length).toLowerCase() !== "bearer ") return undefined;
  const holder = tokens.check(authorization.slice(scheme.length), nowMs);
  return holder === undefined || revocations.isRevoked(holder) ? undefined : holder;
}

function buyerOfBearer(door: TokenDoor, authorization: string, nowMs: number): Caller | undefined {
  const holder = holderOfBearer(door, authorization, nowMs);
  if (holder === undefined) return undefined;
  const { buyer, buyerId, account } = holder;
  const access = account === undefined || account.role === "buyer" ? undefined : accessOfRole(account.role, account.merchant);
  const staff = access && { access, owner: `account:${buyer.subject}` };
  return { kind: "buyer", buyer, buyerId, holder, staff };
}

function rejected(field: string, problem = "is not valid, or no longer"): CallerAnswer {
  return { kind: "reply", reply: failure("unauthenticated", { field, problem }) };
}

/** How many of the shop's buyers are remembered with their numbers. A number never changes, so none is ever stale. */
const rememberedMax = 200_000;

/**
 * Numbers of the buyers that server keys name. Only a purchase that may be accepted has one minted: refusals and reads
 * must go on when the store cannot write, and a storm of refused strangers must not fill it.
 */
export class BuyerNumbers {
  readonly #mintDeps: MintDeps;
  readonly #records: Pick<Records, "buyerId">;
  readonly #known = new Map<string, BuyerId>();

  constructor(deps: MintDeps & { readonly records: Pick<Records, "buyerId"> }) {
    this.#mintDeps = deps;
    this.#records = deps.records;
  }

  /** The number if it is at hand. */
  peek(buyer: Buyer): BuyerId | undefined {
    return this.#known.get(nameOf(buyer));
  }

  /** The number, or undefined for somebody who has never been here. Reads only. */
  async find(buyer: Buyer): Promise<BuyerId | undefined> {
    const known = this.peek(buyer);
    if (known !== undefined) return known;
    const id = await this.#records.buyerId(buyer);
    return id === undefined ? undefined : this.#remember(buyer, id);
  }

  /** The number, minted and durable if it is new; those who arrive together share a commit. */
  async mint(buyer: Buyer): Promise<BuyerId> {
    return this.peek(buyer) ?? this.#remember(buyer, await buyerIdOf(this.#mintDeps, buyer));
  }

  #remember(buyer: Buyer, id: BuyerId): BuyerId {
    if (this.#known.size >= rememberedMax) this.#known.clear();
    this.#known.set(nameOf(buyer), id);
    return id;
  }
}

const nameOf = ({ issuer, subject }: Buyer): string => `${issuer} ${subject}`;
