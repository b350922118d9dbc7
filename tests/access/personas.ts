/** Who knocks at the API's doors, and a shop with something behind each of them. */
import { localIssuer, permissions, type Permission, type Role } from "../../src/domain/access.ts";
import { buyerOf } from "../../src/domain/account.ts";
import { parseKeyId, parseSessionId, type AccountId } from "../../src/domain/ids.ts";
import { newSession } from "../../src/domain/session.ts";
import type { Door } from "../../src/http/route.ts";
import { sampleAccount } from "../contract/account-cases.ts";
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../harness/memory-api.ts";
import { goodPassword, quickPasswords } from "../kit/account-world.ts";
import { must } from "../kit/samples.ts";

/** In the order of the matrix's columns. The shop is "shop", its buyer "ann" owns the order; "other" is another shop. */
export const personas = [
  "anonymous",
  "owner",
  "another buyer",
  "an account",
  "merchant",
  "another merchant",
  "operator",
  "auditor",
  "admin",
  "key",
  "key for the owner",
  "another shop's key",
  "another shop's key for the owner's name",
  "key without the scope",
  "key without the scope for the owner",
] as const;
export type Persona = (typeof personas)[number];

export type Doorstep = {
  readonly api: MemoryApi;
  readonly calls: Readonly<Record<Persona, Call>>;
  /** Values for the named parts of paths. */
  readonly params: Readonly<Record<string, string>>;
};

export async function openDoorstep(door: Door): Promise<Doorstep> {
  const api = await openMemoryApi();
  const { saleId, productId } = await api.openSale({ nowMs: api.time.nowMs });
  const owner = await api.tokenOf("ann");
  const bought = await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer: owner, idempotencyKey: "k1" });
  const orderId = String(bought.data["id"]);
  const account = await withAccount(api, 801, "buyer");
  const of = async (number: number, role: Role, merchant?: string) => (await withAccount(api, number, role, merchant)).call;
  const scopeless = keyWithout(api, door.kind === "staff" || door.kind === "viewer" ? door.permission : "buyers:act");
  const stored = keyOf(api, "901", ["orders:read"]);
  await api.people.accounts.addKey(stored.record);
  const calls: Record<Persona, Call> = {
    anonymous: {},
    owner: { bearer: owner },
    "another buyer": { bearer: await api.tokenOf("bob") },
    "an account": account.call,
    merchant: await of(802, "merchant", "shop"),
    "another merchant": await of(803, "merchant", "other"),
    operator: await of(804, "operator"),
    auditor: await of(805, "auditor"),
    admin: await of(806, "admin"),
    key: { key: shopKey },
    "key for the owner": { key: shopKey, userId: "ann" },
    "another shop's key": { key: otherShopKey },
    "another shop's key for the owner's name": { key: otherShopKey, userId: "ann" },
    "key without the scope": { key: scopeless },
    "key without the scope for the owner": { key: scopeless, userId: "ann" },
  };
  const target = await withAccount(api, 807, "buyer");
  const params = {
    sale_id: saleId,
    product_id: productId,
    order_id: orderId,
    purchase_id: orderId,
    user_id: "ann",
    key: "k1",
    account_id: target.id,
    session_id: "70801",
    merchant: "shop",
    key_id: "901",
    provider: "simulated",
    reason: "busy",
    letter_id: "7421690423775232",
  };
  return { api, calls, params };
}

/** One for all: hashing takes longer than the rest of a doorstep. */
const passwordHash = quickPasswords.hash(goodPassword);

async function withAccount(api: MemoryApi, number: number, role: Role, merchant?: string): Promise<{ id: AccountId; call: Call }> {
  const hashed = await passwordHash;
  const plain = sampleAccount(number, { role, merchant, passwordHash: hashed.kind === "hash" ? hashed.hash : "" });
  const [buyerId] = await api.store.internBuyers([buyerOf(plain)]);
  const account = { ...plain, buyerId: must(buyerId) };
  const session = must(parseSessionId(`70${number}`));
  const { nowMs } = api.time;
  await api.people.accounts.addAccount(account);
  await api.people.accounts.beginSession(newSession({ id: session, accountId: account.id, digest: String(number), nowMs }));
  const buyer = { issuer: localIssuer, subject: account.id };
  const claims = { session, role, merchant };
  const bearer = api.deps.tokens.mint({ buyer, buyerId: account.buyerId, nowMs, lifetimeMs: 600_000, account: claims });
  return { id: account.id, call: { bearer } };
}

function keyOf(api: MemoryApi, id: string, scopes: readonly Permission[]) {
  const { secret, ...made } = api.people.keyRing.make();
  const { nowMs } = api.time;
  const record = { id: must(parseKeyId(id)), merchant: "shop", name: id, scopes, ...made, createdAtMs: nowMs, changedAtMs: nowMs };
  return { secret, record };
}

/** A key of the shop that may everything but one thing, and name no buyers. */
function keyWithout(api: MemoryApi, permission: Permission): string {
  const scopes = permissions.filter((each) => each !== permission && each !== "buyers:act");
  const { secret, record } = keyOf(api, "902", scopes);
  api.people.keyRing.put(record);
  return secret;
}
