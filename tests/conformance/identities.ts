/** Those who ask, with what their requests carry. */
import { codeOf } from "../kit/account-world.ts";
import { apiKey } from "../harness/server-process.ts";
import { done, buyer } from "./stocked.ts";
import type { Answer, Shop } from "../harness/shop.ts";

export const adminPassword = "conformance kettle 7 lemons";

const second = { username: "another", password: adminPassword };

/** `Name: value` as requests have it. */
export const headersOf = (headers: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.map((header) => header.split(": ", 2)));

export type Identity = {
  readonly name: string;
  /** Asked for when its turn comes: tokens are good for minutes. */
  readonly headers: () => Promise<readonly string[]>;
  /** What it may read, as long as it is who it was: else everything would pass as refused. */
  readonly proof: string;
  /** Operations by which it would end its own session, and be nobody for the rest of its run. */
  readonly spared?: string | undefined;
  /** These alone, and whatever becomes of it. */
  readonly only?: string | undefined;
  readonly sparedTag?: string | undefined;
  /** Whether it is known, and yet no account. */
  readonly hasNoAccount?: boolean | undefined;
};

const bearer = (token: string) => [`Authorization: Bearer ${token}`];

export function identities(shop: Shop): readonly Identity[] {
  const spared = "^(?:logOut|endSession|banAccount|changeRole|removeTotpOf)$";
  const key = `X-API-Key: ${apiKey}`;
  const keyAlone = () => Promise.resolve([key]);
  const keyAndBuyer = () => Promise.resolve([key, `X-User-Id: ${buyer}`]);
  const asBuyer = async () => {
    const { data } = done(await shop.post("/api/v1/tokens", { body: { user_id: buyer, expires_in_seconds: 3600 } }));
    return bearer(String(data["token"]));
  };
  let hasAnother = false;
  const asAdmin = async () => {
    const headers = bearer(await adminToken(shop, "admin"));
    done(await shop.post("/api/v1/accounts", { anonymous: true, headers: headersOf(headers), body: { ...second, role: "admin" } }));
    hasAnother = true;
    return headers;
  };
  const asAccount = async () => bearer(await accountToken(shop));
  const asAnother = async () => {
    if (!hasAnother) await asAdmin();
    return bearer(await adminToken(shop, second.username));
  };
  return [
    { name: "nobody", headers: () => Promise.resolve([]), proof: "/api/v1/sales" },
    { name: "buyer", headers: asBuyer, proof: "/api/v1/orders", hasNoAccount: true },
    { name: "account", headers: asAccount, proof: "/api/v1/account", spared },
    { name: "shop", headers: keyAlone, proof: "/api/v1/exports/orders.csv", hasNoAccount: true },
    // The earlier systems' paths name a buyer in their bodies, who must be the one in the header: 400.
    { name: "shop-for-buyer", headers: keyAndBuyer, proof: "/api/v1/orders", sparedTag: "seeds", hasNoAccount: true },
    { name: "admin", headers: asAdmin, proof: "/api/v1/accounts", spared },
    { name: "another-admin", headers: asAnother, proof: "/api/v1/accounts", only: spared },
  ];
}

async function accountToken(shop: Shop): Promise<string> {
  const password = "a kettle of seven lemons";
  await patiently(() => shop.post("/api/v1/auth/register", { anonymous: true, body: { username: "conformance", password } }));
  return (await logIn(shop, "conformance", password)).token;
}

type Grant = { readonly token: string; readonly refreshToken: string };

async function logIn(shop: Shop, username: string, password: string): Promise<Grant> {
  return grantOf(await patiently(() => shop.post("/api/v1/auth/login", { anonymous: true, body: { username, password } })));
}

/** An admin may do nothing before it has its second factor, and then with a token that was given since. */
async function adminToken(shop: Shop, username: string): Promise<string> {
  const first = await logIn(shop, username, adminPassword);
  const own = (body: object) => ({ anonymous: true, headers: { authorization: `Bearer ${first.token}` }, body });
  const enrolled = done(await shop.post("/api/v1/account/totp", own({ password: adminPassword })));
  const code = codeOf(String(enrolled.data["secret"]), Date.now());
  done(await shop.post("/api/v1/account/totp/confirm", own({ code })));
  const refresh = { anonymous: true, body: { refresh_token: first.refreshToken } };
  return grantOf(await patiently(() => shop.post("/api/v1/auth/refresh", refresh))).token;
}

/** Whoever came before has used up this address's tries, which come back within a minute. */
async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; tries < patienceTriesMax; tries++) {
    const answer = await ask();
    if (answer.status !== 429) return done(answer);
    await Bun.sleep(patienceMs);
  }
  return done(await ask());
}
const patienceTriesMax = 24;
const patienceMs = 5_000;

const grantOf = ({ data }: Answer): Grant => ({ token: String(data["token"]), refreshToken: String(data["refresh_token"]) });
