/**
 * Speaks the shop's API for many buyers at once, by server key, and tells the recorder what was asked and what came
 * back: before a request leaves and after its answer is known, so that the history says no more than a client knows.
 */
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";

/** Hears of every operation on purchases. `asked` comes before the request leaves. */
export interface Recorder {
  asked(operation: ShopOperation): number;
  answered(number: number, operation: ShopOperation, reply: ShopReply): void;
}

export type ShopOperation = {
  readonly kind: "purchase" | "pay" | "cancel" | "get" | "stock" | "refund";
  /** The shop's own id of the buyer; absent where the shop itself acts. */
  readonly buyer?: string | undefined;
  readonly saleId?: string | undefined;
  readonly key?: string | undefined;
  readonly quantity?: number | undefined;
  readonly orderId?: string | undefined;
  readonly metadata?: string | undefined;
};

/** `ok` happened, `no` did not (refused, or not tried at all), `unknown` may have happened or may happen yet. */
export type ShopReply = {
  readonly kind: "ok" | "no" | "unknown";
  readonly status: number | undefined;
  /** The stable reason of a refusal or error, or how an answer was lost. */
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly replayed: boolean;
  readonly latencyMs: number;
};

export type PurchaseAsk = {
  readonly saleId: string;
  readonly buyer: string;
  readonly key: string;
  readonly quantity?: number | undefined;
  readonly dropAfterMs?: number | undefined;
};

export class ShopClient {
  readonly #load: LoadClient;
  readonly #apiKey: string;
  readonly #recorder: Recorder | undefined;

  constructor(load: LoadClient, options: { apiKey: string; recorder?: Recorder | undefined }) {
    this.#load = load;
    this.#apiKey = options.apiKey;
    this.#recorder = options.recorder;
  }

  /** A request that is not part of the history: setting up, sampling. */
  async call(method: LoadRequest["method"], path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ShopReply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return replyOf(await this.#load.send({ method, path, headers: { "x-api-key": this.#apiKey, ...headers }, body: text }));
  }

  purchase(ask: PurchaseAsk): Promise<ShopReply> {
    const { saleId, buyer, key, quantity = 1, dropAfterMs } = ask;
    return this.#recorded(
      { kind: "purchase", buyer, saleId, key, quantity },
      { method: "POST", path: `/api/v1/sales/${saleId}/purchases`, headers: { "idempotency-key": key }, body: `{"quantity":${quantity}}`, dropAfterMs },
    );
  }

  read(orderId: string, buyer?: string): Promise<ShopReply> {
    return this.#recorded({ kind: "get", buyer, orderId }, { method: "GET", path: `/api/v1/orders/${orderId}`, headers: {} });
  }

  cancel(orderId: string, buyer?: string): Promise<ShopReply> {
    return this.#recorded({ kind: "cancel", buyer, orderId }, { method: "POST", path: `/api/v1/orders/${orderId}/cancel`, headers: {} });
  }

  /** Pays through the simulated provider, which behaves as the scenario says. */
  pay(orderId: string, buyer: string, scenario: string): Promise<ShopReply> {
    return this.#payment(orderId, buyer, { scenario });
  }

  /** Tells the shop that it took the money itself. */
  payExternally(orderId: string, money: { captureId: string; amountMinor: number; currency: string }): Promise<ShopReply> {
    const { captureId, amountMinor, currency } = money;
    return this.#payment(orderId, undefined, { provider: "external", capture_id: captureId, amount_minor: amountMinor, currency });
  }

  stock(saleId: string): Promise<ShopReply> {
    return this.#recorded({ kind: "stock", saleId }, { method: "GET", path: `/api/v1/sales/${saleId}/statistics`, headers: {} });
  }

  #payment(orderId: string, buyer: string | undefined, body: unknown): Promise<ShopReply> {
    const path = `/api/v1/orders/${orderId}/payments`;
    return this.#recorded({ kind: "pay", buyer, orderId }, { method: "POST", path, headers: {}, body: JSON.stringify(body) });
  }

  async #recorded(operation: ShopOperation, request: LoadRequest): Promise<ShopReply> {
    const { buyer } = operation;
    const identity = { "x-api-key": this.#apiKey, ...(buyer !== undefined && { "x-user-id": buyer }) };
    const number = this.#recorder?.asked(operation) ?? 0;
    const reply = replyOf(await this.#load.send({ ...request, headers: { ...identity, ...request.headers } }));
    this.#recorder?.answered(number, operation, reply);
    return reply;
  }
}

export function replyOf(reply: LoadReply): ShopReply {
  if (reply.kind === "lost")
    return { kind: "unknown", status: undefined, reason: reply.cause, data: {}, body: "", replayed: false, latencyMs: reply.latencyMs };
  const { status, body, replayed, latencyMs } = reply;
  const data = dataOf(body);
  const reason = status < 300 ? "ok" : typeof data["reason"] === "string" ? data["reason"] : `http_${status}`;
  return { kind: kindOf(status), status, reason, data, body, replayed, latencyMs };
}

/** 503 tried nothing by its contract; any other 5xx leaves the outcome open. */
function kindOf(status: number): ShopReply["kind"] {
  if (status < 300) return "ok";
  return status < 500 || status === 503 ? "no" : "unknown";
}

function dataOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const envelope: unknown = JSON.parse(body);
    const data = isObject(envelope) ? envelope["data"] : undefined;
    return isObject(data) ? data : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
