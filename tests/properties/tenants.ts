/**
 * Two shops in one installation, each with a server and buyers of its own, played by a script of small numbers. What a
 * shop hears is written down with its ids in the order in which it met them, so that two runs can be compared.
 */
import { openMemoryApi, otherShopKey, shopKey, type Call, type MemoryApi } from "../harness/memory-api.ts";

export const acts = [
  "create product",
  "read product",
  "set quota",
  "create sale",
  "read sale",
  "list drafts",
  "publish",
  "pause",
  "resume",
  "extend",
  "cancel sale",
  "statistics",
  "purchase",
  "purchase with a token",
  "read by key",
  "list orders",
  "read order",
  "pay",
  "cancel order",
  "refund",
  "make key",
  "list keys",
  "rotate key",
  "revoke key",
  "list shops",
  "export orders",
  "export ledger",
] as const;
export type Step = { readonly act: (typeof acts)[number]; readonly pick: number };

type Thing = "product" | "sale" | "order" | "key";
type Heard = { readonly status: number; readonly text: string };

export class Tenant {
  readonly #api: MemoryApi;
  readonly #key: string;
  readonly #things: Record<Thing, string[]> = { product: [], sale: [], order: [], key: [] };
  readonly #met = new Map<string, string>();
  /** Whose things it reaches for: its own, or by trespass another's. */
  readonly #aims: () => Tenant;
  #keys = 0;
  readonly heard: string[] = [];

  constructor(api: MemoryApi, key: string, aims?: () => Tenant) {
    this.#api = api;
    this.#key = key;
    this.#aims = aims ?? (() => this);
  }

  async play({ act, pick }: Step): Promise<void> {
    const { status, text } = await this.#do(act, pick);
    this.heard.push(`${act}: ${status} ${this.#plain(text)}`);
  }

  /** All it can see, at the end. */
  async lookAround(): Promise<void> {
    for (const act of ["list keys", "list shops", "export orders", "export ledger"] as const) await this.play({ act, pick: 0 });
    for (const act of ["read sale", "statistics", "list orders", "read order", "read product"] as const)
      for (let pick = 0; pick < 3; pick++) await this.play({ act, pick });
  }

  get things(): Readonly<Record<Thing, readonly string[]>> {
    return this.#things;
  }

  async #do(act: Step["act"], pick: number): Promise<Heard> {
    const nowMs = this.#api.time.nowMs;
    const at = (seconds: number) => new Date(nowMs + seconds * 1000).toISOString();
    const buyer = `buyer-${pick % 2}`;
    const of = (thing: Thing) => this.#one(thing, pick);
    switch (act) {
      case "create product":
        return this.#make("product", "POST", "/api/v1/products", {
          json: { name: `Lamp ${pick}`, price_minor: 100 + pick, currency: "CNY" },
        });
      case "read product":
        return this.#send("GET", `/api/v1/products/${of("product")}`);
      case "set quota":
        return this.#send("PUT", `/api/v1/products/${of("product")}/quotas/${buyer}`, { json: { units: 1 + (pick % 3) } });
      case "create sale": {
        const json = { product_id: of("product"), stock: 1 + (pick % 3), starts_at: at(0), ends_at: at(3600), limit_group: "group" };
        return this.#make("sale", "POST", "/api/v1/sales", { json, idempotencyKey: `sale-${pick % 4}` });
      }
      case "read sale":
        return this.#send("GET", `/api/v1/sales/${of("sale")}`);
      case "list drafts":
        return this.#send("GET", `/api/v1/sales?product_id=${of("product")}`);
      case "publish":
      case "pause":
      case "resume":
        return this.#send("POST", `/api/v1/sales/${of("sale")}/${act}`);
      case "extend":
        return this.#send("POST", `/api/v1/sales/${of("sale")}/extend`, { json: { ends_at: at(3600 + 60 * pick) } });
      case "cancel sale":
        return this.#send("POST", `/api/v1/sales/${of("sale")}/cancel`);
      case "statistics":
        return this.#send("GET", `/api/v1/sales/${of("sale")}/statistics`);
      default:
        return this.#buyOrManage(act, pick, buyer);
    }
  }

  async #buyOrManage(act: Step["act"], pick: number, buyer: string): Promise<Heard> {
    const of = (thing: Thing) => this.#one(thing, pick);
    const asBuyer = { userId: buyer };
    switch (act) {
      case "purchase": {
        const call = { ...asBuyer, idempotencyKey: `key-${pick % 3}`, json: { quantity: 1 } };
        return this.#make("order", "POST", `/api/v1/sales/${of("sale")}/purchases`, call);
      }
      case "purchase with a token": {
        const minted = await this.#send("POST", "/api/v1/tokens", { json: { user_id: buyer } });
        const { data } = JSON.parse(minted.text) as { data: { token?: string } };
        return this.#make("order", "POST", `/api/v1/sales/${of("sale")}/purchases`, { bearer: data.token ?? "" });
      }
      case "read by key":
        return this.#send("GET", `/api/v1/sales/${of("sale")}/purchases/by-key/key-${pick % 3}`, asBuyer);
      case "list orders":
        return this.#send("GET", "/api/v1/orders", asBuyer);
      case "read order":
        return this.#send("GET", `/api/v1/orders/${of("order")}`, pick % 2 === 0 ? asBuyer : {});
      case "pay": {
        const json = { provider: "external", capture_id: `capture-${pick % 3}`, amount_minor: 100 + (pick % 3), currency: "CNY" };
        return this.#send("POST", `/api/v1/orders/${of("order")}/payments`, { json });
      }
      case "cancel order":
        return this.#send("POST", `/api/v1/orders/${of("order")}/cancel`, pick % 2 === 0 ? asBuyer : {});
      case "refund":
        return this.#send("POST", `/api/v1/orders/${of("order")}/refunds`, { json: { return_stock: pick % 2 === 0 } });
      case "make key":
        return this.#make("key", "POST", "/api/v1/keys", { json: { name: `key ${++this.#keys}`, scopes: ["orders:read"] } });
      case "list keys":
        return this.#send("GET", "/api/v1/keys");
      case "rotate key":
        return this.#make("key", "POST", `/api/v1/keys/${of("key")}/rotate`, { json: {} });
      case "revoke key":
        return this.#send("DELETE", `/api/v1/keys/${of("key")}`);
      case "list shops":
        return this.#send("GET", "/api/v1/merchants");
      case "export orders":
        return this.#send("GET", "/api/v1/exports/orders.csv");
      default:
        return this.#send("GET", "/api/v1/exports/ledger.csv");
    }
  }

  #one(thing: Thing, pick: number): string {
    const ids = this.#aims().things[thing];
    return ids[pick % Math.max(1, ids.length)] ?? "1";
  }

  async #make(thing: Thing, method: string, path: string, call: Call): Promise<Heard> {
    const heard = await this.#send(method, path, call);
    const { data } = JSON.parse(heard.text) as { data?: { id?: string } };
    if (data?.id !== undefined && !this.#things[thing].includes(data.id)) this.#things[thing].push(data.id);
    return heard;
  }

  async #send(method: string, path: string, call: Call = {}): Promise<Heard> {
    const credentials = call.bearer === undefined ? { key: this.#key } : {};
    const response = await this.#api.send(method, path, { ...credentials, ...call });
    return { status: response.status, text: await response.text() };
  }

  /** Ids by the order in which they were met; what is made by chance is left out. An entry's number in the ledger is an id, too. */
  #plain(text: string): string {
    const named = text.replaceAll(/\r\n\d+,/g, "\r\n#,").replaceAll(/\d{15,19}/g, (id) => {
      const known = this.#met.get(id) ?? `#${this.#met.size + 1}`;
      this.#met.set(id, known);
      return known;
    });
    return named.replaceAll(/"(token|key|prefix)":"[^"]*"/g, '"$1":"…"');
  }
}

/** Opens both shops; `other` reaches for the first one's things whenever its turn is a trespass. */
export async function openTenants(plant: (api: MemoryApi) => void = () => {}) {
  const api = await openMemoryApi();
  plant(api);
  const first = new Tenant(api, shopKey);
  const other = new Tenant(api, otherShopKey);
  const trespasser = new Tenant(api, otherShopKey, () => first);
  return { api, first, other, trespasser };
}
