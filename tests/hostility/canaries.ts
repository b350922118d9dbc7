/**
 * Marked values for every field of a person or a secret, and a storm that carries them through every route in every kind
 * of trouble. Whatever is written down afterwards is searched for them.
 */
import { randomBytes } from "node:crypto";
import { codeOf } from "../kit/account-world.ts";
import { contracts, requestFor, type Choose } from "../kit/contract-requests.ts";
import { answerOf, idOf, type Answer, type Shop } from "../harness/shop.ts";

export class Canaries {
  /** What was planted, by where. */
  readonly planted = new Map<string, string>();

  /** A new marked value. */
  of(where: string): string {
    const marker = `cnry${randomBytes(6).toString("hex")}`;
    this.planted.set(marker, where);
    return marker;
  }

  /** A secret that is marked as it is. */
  add(where: string, value: string): string {
    this.planted.set(value, where);
    return value;
  }

  /** Where each marker that occurs in a text was planted. */
  foundIn(text: string): string[] {
    return [...this.planted].flatMap(([marker, where]) => (text.includes(marker) ? [`${where}: ${marker.slice(0, 20)}`] : []));
  }
}

export type Storm = { readonly shop: Shop; readonly url: string; readonly canaries: Canaries; readonly secret: { readonly key: string } };

/** Headers of a request that nobody should write down. */
function hostileHeaders(canaries: Canaries): Record<string, string> {
  return {
    "user-agent": canaries.of("User-Agent"),
    "x-forwarded-for": canaries.of("X-Forwarded-For"),
    forwarded: `for=${canaries.of("Forwarded")}`,
    referer: `https://shop.test/?q=${canaries.of("Referer")}`,
    cookie: `session=${canaries.of("Cookie")}; doorbuster_events=${canaries.of("events cookie")}`,
    "idempotency-key": canaries.of("Idempotency-Key"),
    "x-device-id": canaries.of("X-Device-Id"),
  };
}

/** Every route, as everybody, with marked values in all texts; gives the answers. */
export async function everyRoute(
  { url, canaries, secret }: Storm,
  ids: Readonly<Record<string, string>>,
  bearers: readonly string[],
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const callers = (): Record<string, string>[] => [
    {},
    { "x-api-key": secret.key, "x-user-id": canaries.of("X-User-Id") },
    { "x-api-key": secret.key },
    ...bearers.map((bearer) => ({ authorization: `Bearer ${bearer}` })),
    { authorization: `Bearer ${canaries.of("forged bearer")}.${canaries.of("forged payload")}.x` },
    { authorization: `Basic ${canaries.of("Basic")}` },
    { "x-api-key": canaries.of("wrong key") },
    { "x-api-key": `dbk_${canaries.of("wrong key")}_${canaries.of("wrong key's secret")}` },
  ];
  const legal: Choose = (place, value) =>
    ids[place.name] ?? (keepsLegal(place.name, place.type) ? value : canaries.of(`${place.part} ${place.name}`));
  // The page of an error quotes the name it was asked for, which is nobody's.
  const wild: Choose = (place) =>
    place.part === "params" && place.name === "reason" ? "unheard-of" : canaries.of(`${place.part} ${place.name}`);
  for (const contract of contracts) {
    // A stream stays open; its door is what is tried.
    const isStream = contract.path.endsWith("/events");
    for (const choose of [legal, wild]) {
      for (const credentials of callers()) {
        const request = requestFor(contract, choose);
        const headers = { ...hostileHeaders(canaries), ...credentials };
        const json = request.body === undefined ? undefined : JSON.stringify(request.body);
        const joint = request.path.includes("?") ? "&" : "?";
        const response = await fetch(`${url}${request.path}${contract.method === "GET" ? `${joint}note=${canaries.of("query")}` : ""}`, {
          method: request.method,
          redirect: "manual",
          headers: json === undefined ? headers : { ...headers, "content-type": "application/json" },
          ...(json === undefined ? {} : { body: json }),
          signal: AbortSignal.timeout(10_000),
        });
        if (isStream && response.status === 200) {
          await response.body?.cancel();
          continue;
        }
        answers.push(answerOf(response, await response.text()));
      }
    }
  }
  return answers;
}

/** Values with a form or a meaning of their own: a marker there would only test the first look. */
const keepsLegal = (name: string, type: string) =>
  type !== "string" ||
  /^(reason|currency|price|scenario|status|state|sort|page|page_size|offset|limit|type|role|format|starts_at|ends_at|start_time|end_time)$/.test(
    name,
  );

/** Accounts from their first day to their last, with marked names, passwords and codes; gives the answers. */
export async function markedAccounts(
  { shop, canaries }: Storm,
  admin: { username: string; password: string },
): Promise<{ readonly answers: Answer[]; readonly staff: string }> {
  const answers: Answer[] = [];
  const tell = async (method: string, path: string, body: unknown, bearer?: string) => {
    const headers = { ...hostileHeaders(canaries), ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) };
    const answer = await shop.ask(method, path, { anonymous: true, headers, ...(body === undefined ? {} : { body }) });
    answers.push(answer);
    for (const name of ["token", "refresh_token", "secret", "uri", "key"]) {
      const value = answer.data[name];
      if (typeof value === "string" && value.length > 12) canaries.add(`${name} of ${path}`, value);
    }
    const codes = answer.data["recovery_codes"];
    if (Array.isArray(codes)) for (const code of codes) canaries.add("recovery code", String(code));
    return answer;
  };
  const username = canaries.of("username");
  const password = canaries.of("password");
  const post = (path: string, body: unknown, bearer?: string) => tell("POST", path, body, bearer);
  const registered = await post("/api/v1/auth/register", { username, password, display_name: canaries.of("display name") });
  await post("/api/v1/auth/register", { username, password: canaries.of("second password") });
  await post("/api/v1/auth/register", { username: canaries.of("username of a bad password"), password: "short" });
  await post("/api/v1/auth/login", { username, password: canaries.of("wrong password") });
  await post("/api/v1/auth/login", { username: canaries.of("unknown username"), password });
  const inside = await post("/api/v1/auth/login", { username, password });
  const bearer = String(inside.data["token"]);
  const refresh_token = String(inside.data["refresh_token"]);
  await post("/api/v1/auth/refresh", { refresh_token });
  await post("/api/v1/auth/refresh", { refresh_token: `${refresh_token.slice(0, -4)}AAAA` });
  await tell("PATCH", "/api/v1/account", { display_name: canaries.of("new display name") }, bearer);
  await tell("GET", "/api/v1/account", undefined, bearer);
  await post("/api/v1/account/totp", { password }, bearer);
  await post("/api/v1/account/totp/confirm", { code: canaries.of("wrong code") }, bearer);
  await tell(
    "PUT",
    "/api/v1/account/password",
    { password: canaries.of("wrong old password"), new_password: canaries.of("new password") },
    bearer,
  );
  await tell("PUT", "/api/v1/account/password", { password, new_password: canaries.of("newer password") }, bearer);
  // Staff have a second factor before they may do anything.
  const chief = await post("/api/v1/auth/login", admin);
  const enrolled = await post("/api/v1/account/totp", { password: admin.password }, String(chief.data["token"]));
  const code = codeOf(String(enrolled.data["secret"]), Date.now());
  const confirmed = await post("/api/v1/account/totp/confirm", { code }, String(chief.data["token"]));
  const [recovery] = Array.isArray(confirmed.data["recovery_codes"]) ? confirmed.data["recovery_codes"] : [];
  const again = await post("/api/v1/auth/login", { ...admin, code: recovery });
  const staff = String(again.data["token"]);
  const made = await post("/api/v1/keys", { name: canaries.of("key name"), scopes: ["sales:read"], merchant: "shop" }, staff);
  await post(
    "/api/v1/accounts",
    { username: canaries.of("staff username"), password: canaries.of("staff password"), role: "operator" },
    staff,
  );
  await tell("GET", `/api/v1/accounts?username=${username}`, undefined, staff);
  await post(`/api/v1/accounts/${String(registered.data["id"])}/ban`, { reason: canaries.of("ban reason") }, staff);
  await post("/api/v1/auth/login", { username, password });
  await post("/api/v1/tokens/exchange", { token: `eyJhbGciOiJFUzI1NiJ9.${canaries.of("foreign token")}.c2ln` });
  await post("/register", { username: canaries.of("username of a seed's path"), password: canaries.of("password of a seed's path") });
  await post("/login", { username: canaries.of("username at a seed's path"), password: canaries.of("password at a seed's path") });
  for (const [what, { status, text }] of Object.entries({ registered, inside, chief, enrolled, confirmed, again, made }))
    if (status >= 300) throw new Error(`${what}: ${status} ${text}`);
  return { answers, staff };
}

/** A sale, bought in by a buyer with a marked name, paid, called back, refunded; gives the ids for `everyRoute`. */
export async function openMarkedSale(
  { shop, canaries }: Storm,
  stock: number,
): Promise<{ ids: Record<string, string>; bearer: string; answers: Answer[] }> {
  const buyer = canaries.of("user_id of the buyer");
  const product = await shop.product({ name: canaries.of("product name"), image: `/${canaries.of("product image")}.png` });
  const saleId = await shop.liveSale({ product_id: product, stock, per_buyer_limit: 5, name: canaries.of("sale name") });
  const token = await shop.post("/api/v1/tokens", { body: { user_id: buyer } });
  const bearer = canaries.add("minted token", String(token.data["token"]));
  const answers = [token];
  const buy = async (headers: Record<string, string>, raw?: string) => {
    const body =
      raw ??
      JSON.stringify({ quantity: 1, metadata: { name: canaries.of("metadata"), mail: `${canaries.of("metadata mail")}@mail.test` } });
    const answer = await shop.post(`/api/v1/sales/${saleId}/purchases?coupon=${canaries.of("query")}`, {
      anonymous: true,
      raw: body,
      headers: { ...hostileHeaders(canaries), ...headers },
    });
    answers.push(answer);
    return answer;
  };
  const order = idOf(await buy({ authorization: `Bearer ${bearer}` }));
  await buy({ authorization: `Bearer ${bearer}x` });
  await buy({ authorization: `Bearer ${bearer}` }, `{"quantity":1,"metadata":{"a":"${canaries.of("broken body")}`);
  await buy({ authorization: `Bearer ${bearer}`, "content-type": `text/plain; note=x` }, canaries.of("plain body"));
  answers.push(
    await shop.post(`/api/v1/sales/${saleId}/purchases`, {
      buyer: canaries.of("X-User-Id"),
      key: canaries.of("key"),
      body: { quantity: 1 },
    }),
  );
  answers.push(
    await shop.post(`/api/v1/orders/${order}/payments`, {
      anonymous: true,
      headers: { authorization: `Bearer ${bearer}` },
      body: { scenario: "failure" },
    }),
  );
  answers.push(
    await shop.post("/api/v1/payments/callback/simulated", {
      anonymous: true,
      raw: JSON.stringify({ type: "payment.captured", data: { payer: canaries.of("callback body") } }),
      headers: {
        "webhook-id": canaries.of("webhook-id"),
        "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
        "webhook-signature": `v1,${canaries.of("webhook-signature")}`,
      },
    }),
  );
  return { ids: { sale_id: saleId, product_id: product, order_id: order, purchase_id: order, provider: "simulated" }, bearer, answers };
}
