/** Those who ask, with what their requests carry. */
import { apiKey } from "../harness/server-process.ts";
import { done, buyer } from "./stocked.ts";
import type { Shop } from "../harness/shop.ts";

export const adminPassword = "conformance kettle 7 lemons";

export type Identity = {
  readonly name: string;
  readonly headers: readonly string[];
  /** What it may read, as long as it is who it was: else everything would pass as refused. */
  readonly proof: string;
  /** Operations by which it would end its own session, and be nobody for the rest of its run. */
  readonly spared?: string | undefined;
  readonly sparedTag?: string | undefined;
  /** Whether it is known, and yet no account. */
  readonly hasNoAccount?: boolean | undefined;
};

export async function identities(shop: Shop, buyerToken: string): Promise<readonly Identity[]> {
  const spared = "^(?:logOut|endSession)$";
  const buyerBearer = [`Authorization: Bearer ${buyerToken}`];
  const account = [`Authorization: Bearer ${await accountToken(shop)}`];
  const admin = [`Authorization: Bearer ${await logIn(shop, "admin", adminPassword)}`];
  const key = `X-API-Key: ${apiKey}`;
  return [
    { name: "nobody", headers: [], proof: "/api/v1/sales" },
    { name: "buyer", headers: buyerBearer, proof: "/api/v1/orders", hasNoAccount: true },
    { name: "account", headers: account, proof: "/api/v1/account", spared },
    { name: "shop", headers: [key], proof: "/api/v1/exports/orders.csv", hasNoAccount: true },
    // The earlier systems' paths name a buyer in their bodies, who must be the one in the header: 400.
    { name: "shop-for-buyer", headers: [key, `X-User-Id: ${buyer}`], proof: "/api/v1/orders", sparedTag: "seeds", hasNoAccount: true },
    { name: "admin", headers: admin, proof: "/api/v1/accounts", spared },
  ];
}

async function accountToken(shop: Shop): Promise<string> {
  const password = "a kettle of seven lemons";
  done(await shop.post("/api/v1/auth/register", { anonymous: true, body: { username: "conformance", password } }));
  return logIn(shop, "conformance", password);
}

async function logIn(shop: Shop, username: string, password: string): Promise<string> {
  const { data } = done(await shop.post("/api/v1/auth/login", { anonymous: true, body: { username, password } }));
  return String(data["access_token"] ?? data["token"]);
}
