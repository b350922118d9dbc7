/** A shop's server as a test speaks it: by server key, for any buyer. Answers come back whole, refusals included. */
import { apiKey } from "./server-process.ts";
import { pause } from "./wait.ts";

export type Answer = {
  readonly status: number;
  readonly code: number;
  readonly reason: string | undefined;
  // The shape is the test's business; it asserts what it reads.
  readonly data: Record<string, unknown>;
  readonly text: string;
  readonly headers: Headers;
};
export type Ask = {
  readonly body?: unknown;
  /** Sent as it is in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly buyer?: string | undefined;
  readonly key?: string | undefined;
  /** Without the server's key: as anybody. */
  readonly anonymous?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

const openingMaxMs = 5_000;

/**
 * Where several processes share a store nobody new is accepted for a moment after a sale was opened, nor while a cache is
 * being loaded.
 */
const isOpening = ({ status, reason }: Answer): boolean => status === 503 && (reason === "busy" || reason === "rebuilding");

export class Shop {
  readonly #origin: () => string;
  readonly #isShared: boolean;

  /** `isShared`: asks again while a sale is being opened, as its buyers are told to. */
  constructor(origin: () => string, { isShared = false }: { isShared?: boolean } = {}) {
    this.#origin = origin;
    this.#isShared = isShared;
  }

  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const untilMs = performance.now() + openingMaxMs;
    for (;;) {
      const answer = await this.#askOnce(method, path, ask);
      if (!this.#isShared || !isOpening(answer) || performance.now() >= untilMs) return answer;
      await pause(20);
    }
  }

  async #askOnce(method: string, path: string, ask: Ask): Promise<Answer> {
    const { body, raw, buyer, key, anonymous = false, signal } = ask;
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = {
      ...(anonymous ? {} : { "x-api-key": apiKey }),
      ...(buyer === undefined ? {} : { "x-user-id": buyer }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(payload === undefined ? {} : { "content-type": "application/json" }),
      ...ask.headers,
    };
    const response = await fetch(this.#origin() + path, {
      method,
      headers,
      redirect: "manual",
      // A kept connection that the server closes in this very moment would be an answer that nobody can judge.
      keepalive: false,
      ...(payload === undefined ? {} : { body: payload }),
      signal: signal ?? AbortSignal.timeout(15_000),
    });
    return answerOf(response, await response.text());
  }

  get = (path: string, ask?: Ask) => this.ask("GET", path, ask);
  post = (path: string, ask?: Ask) => this.ask("POST", path, ask);

  buy(
    saleId: string,
    buyer: string,
    ask: { key?: string | undefined; quantity?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer> {
    const { key, quantity = 1, signal } = ask;
    return this.post(`/api/v1/sales/${saleId}/purchases`, { buyer, key, body: { quantity }, signal });
  }

  /** Tells that the shop took the whole amount itself. */
  payExternally(order: Record<string, unknown>, captureId = `capture-${String(order["id"])}`): Promise<Answer> {
    const { id, amount_minor, currency } = order;
    return this.post(`/api/v1/orders/${String(id)}/payments`, {
      body: { provider: "external", capture_id: captureId, amount_minor, currency },
    });
  }

  async product(fields: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.post("/api/v1/products", { body: { name: "Test product", price_minor: 9_900, currency: "CNY", ...fields } });
    return idOf(answer);
  }

  /** A sale in draft; live once published, unless the fields say otherwise. */
  async draft(fields: Record<string, unknown> = {}): Promise<string> {
    const productId = fields["product_id"] ?? (await this.product());
    const nowMs = Date.now();
    const window = { starts_at: new Date(nowMs - 1_000).toISOString(), ends_at: new Date(nowMs + 3_600_000).toISOString() };
    return idOf(await this.post("/api/v1/sales", { body: { product_id: productId, stock: 10, ...window, ...fields } }));
  }

  async liveSale(fields: Record<string, unknown> = {}): Promise<string> {
    const saleId = await this.draft(fields);
    const published = await this.post(`/api/v1/sales/${saleId}/publish`);
    if (published.status !== 200) throw new Error(`cannot publish: ${published.status} ${published.text}`);
    return saleId;
  }

  async stock(saleId: string): Promise<Record<string, number>> {
    const { data } = await this.get(`/api/v1/sales/${saleId}/statistics`);
    // Statistics show the five balances by name.
    return data["stock"] as Record<string, number>;
  }

  async orderState(orderId: string): Promise<string> {
    return String((await this.get(`/api/v1/orders/${orderId}`)).data["state"]);
  }
}

export function answerOf(response: Response, text: string): Answer {
  let envelope: { code?: unknown; data?: unknown } = {};
  try {
    // An envelope is an object; anything else leaves the fields empty.
    envelope = (JSON.parse(text) ?? {}) as typeof envelope;
  } catch {
    // Not JSON: the status and the text say what there is to say.
  }
  // The envelope's data is an object in every answer of ours.
  const data = (envelope.data ?? {}) as Record<string, unknown>;
  const reason = typeof data["reason"] === "string" ? data["reason"] : undefined;
  return {
    status: response.status,
    code: typeof envelope.code === "number" ? envelope.code : -1,
    reason,
    data,
    text,
    headers: response.headers,
  };
}

export function idOf(answer: Answer): string {
  const { status, data, text } = answer;
  if (status >= 300 || typeof data["id"] !== "string") throw new Error(`expected something with an id, got ${status} ${text}`);
  return data["id"];
}
