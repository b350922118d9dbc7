/** Those who ask, with what their requests carry. */
import { apiKey } from "../harness/server-process.ts";
import { done, buyer } from "./stocked.ts";
import type { Shop } from "../harness/shop.ts";

export const adminPassword = "conformance kettle 7 lemons";

export type Identity = {
  readonly name: string;
  readonly headers: readonly string[];
  /** Operations by which it would end its own session, and be nobody for the rest of its run. */
  readonly spared?: string | undefined;
  /** Whether it is known, and yet no account. */
  readonly hasNoAccount?: boolean | undefined;
};

export async function identities(shop: Shop, buyerToken: string): Promise<readonly Identity[]> {
  const spared = "^(?:logOut|endSession)$";
  return [
    { name: "nobody", headers: [] },
    { name: "buyer", headers: [`Authorization: Bearer ${buyerToken}`], hasNoAccount: true },
    { name: "account", headers: [`Authorization: Bearer ${await accountToken(shop)}`], spared },
    { name: "shop", headers: [`X-API-Key: ${apiKey}`], hasNoAccount: true },
    { name: "shop-for-buyer", headers: [`X-API-Key: ${apiKey}`, `X-User-Id: ${buyer}`], hasNoAccount: true },
    { name: "admin", headers: [`Authorization: Bearer ${await logIn(shop, "admin", adminPassword)}`], spared },
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
