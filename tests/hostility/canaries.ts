/**
 * Marked values for every field of a person or a secret, and a storm that carries them through every route in every kind
 * of trouble. Whatever is written down afterwards is searched for them.
 */
import { randomBytes } from "node:crypto";
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
  bearer: string,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const callers = (): Record<string, string>[] => [
    {},
    { "x-api-key": secret.key, "x-user-id": canaries.of("X-User-Id") },
    { "x-api-key": secret.key },
    { authorization: `Bearer ${bearer}` },
    { authorization: `Bearer ${canaries.of("forged bearer")}.${canaries.of("forged payload")}.x` },
    { authorization: `Basic ${canaries.of("Basic")}` },
    { "x-api-key": canaries.of("wrong key") },
    { "x-api-key": `dbk_${canaries.of("wrong key")}_${canaries.of("wrong key's secret")}` },
  ];
  const legal: Choose = (place, value) =>
    ids[place.name] ?? (keepsLegal(place.name, place.type) ? value : canaries.of(`${place.part} ${place.name}`));
  const wild: Choose = (place) => canaries.of(`${place.part} ${place.name}`);
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
  /^(currency|price|scenario|status|state|sort|page|page_size|offset|limit|type|role|format|starts_at|ends_at|start_time|end_time)$/.test(
    name,
  );

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
