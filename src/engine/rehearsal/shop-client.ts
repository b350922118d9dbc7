/**
 * Speaks the shop's API for many buyers at once, by server key, and tells the recorder what was asked and what came
 * back: before a request leaves and after its answer is known, so that the history says no more than a client knows.
 */
import type { HistoryFunction } from "../../domain/history.ts";
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";

/** Hears of every operation on purchases. `asked` comes before the request leaves. */
export interface Recorder {
  asked(operation: ShopOperation): number;
  answered(number: number, operation: ShopOperation, reply: ShopReply): void;
}

export type ShopOperation = {
  readonly kind: HistoryFunction;
  /** The shop's own id of the buyer, also where the shop acts on the buyer's order; absent for stock. */
  readonly buyer?: string | undefined;
  readonly saleId?: string | undefined;
  readonly key?: string | undefined;
  readonly quantity?: number | undefined;
  readonly orderId?: string | undefined;
};

/** `ok` happened, `no` did not (refused, or not tried at all), `unknown` may have happened or may happen yet. */
export type ShopReply = {
  readonly kind: "ok" | "no" | "unknown";
  readonly status: number | undefined;
  /** The envelope's number, absent without a readable answer. */
  readonly code: number | undefined;
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

export type ExternalMoney = { readonly captureId: string; readonly amountMinor: number; readonly currency: string };

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
      {
        method: "POST",
        path: `/api/v1/sales/${saleId}/purchases`,
        headers: { "idempotency-key": key, ...userId(buyer) },
        body: `{"quantity":${quantity}}`,
        dropAfterMs,
      },
    );
  }

  read(orderId: string, buyer: string): Promise<ShopReply> {
    return this.#recorded({ kind: "get", buyer, orderId }, { method: "GET", path: `/api/v1/orders/${orderId}`, headers: userId(buyer) });
  }

  cancel(orderId: string, buyer: string): Promise<ShopReply> {
    const path = `/api/v1/orders/${orderId}/cancel`;
    return this.#recorded({ kind: "cancel", buyer, orderId }, { method: "POST", path, headers: userId(buyer) });
  }

  /** Pays through the simulated provider, which behaves as the scenario says. */
  pay(orderId: string, buyer: string, scenario: string): Promise<ShopReply> {
    const path = `/api/v1/orders/${orderId}/payments`;
    return this.#recorded(
      { kind: "pay", buyer, orderId },
      { method: "POST", path, headers: userId(buyer), body: JSON.stringify({ scenario }) },
    );
  }

  /** Tells the shop that it took the buyer's money itself. */
  payExternally(orderId: string, buyer: string, money: ExternalMoney): Promise<ShopReply> {
    const path = `/api/v1/orders/${orderId}/payments`;
    const body = { provider: "external", capture_id: money.captureId, amount_minor: money.amountMinor, currency: money.currency };
    return this.#recorded({ kind: "pay", buyer, orderId }, { method: "POST", path, headers: {}, body: JSON.stringify(body) });
  }

  stock(saleId: string): Promise<ShopReply> {
    return this.#recorded({ kind: "stock", saleId }, { method: "GET", path: `/api/v1/sales/${saleId}/statistics`, headers: {} });
  }

  async #recorded(operation: ShopOperation, request: LoadRequest): Promise<ShopReply> {
    const number = this.#recorder?.asked(operation) ?? 0;
    const reply = replyOf(await this.#load.send({ ...request, headers: { "x-api-key": this.#apiKey, ...request.headers } }));
    this.#recorder?.answered(number, operation, reply);
    return reply;
  }
}

const userId = (buyer: string) => ({ "x-user-id": buyer });

export function replyOf(reply: LoadReply): ShopReply {
  const { latencyMs } = reply;
  if (reply.kind === "lost")
    return { kind: "unknown", status: undefined, code: undefined, reason: reply.cause, data: {}, body: "", replayed: false, latencyMs };
  const { status, body, replayed } = reply;
  const envelope = envelopeOf(body);
  const data = isObject(envelope["data"]) ? envelope["data"] : {};
  const code = typeof envelope["code"] === "number" ? envelope["code"] : undefined;
  const reason = status < 300 ? "ok" : typeof data["reason"] === "string" ? data["reason"] : `http_${status}`;
  return { kind: kindOf(status, code), status, code, reason, data, body, replayed, latencyMs };
}

/** 503 tried nothing by its contract; any other 5xx, or an answer that cannot be read, leaves the outcome open. */
function kindOf(status: number, code: number | undefined): ShopReply["kind"] {
  if (code === undefined) return "unknown";
  if (status < 300) return "ok";
  return status < 500 || status === 503 ? "no" : "unknown";
}

function envelopeOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const envelope: unknown = JSON.parse(body);
    return isObject(envelope) ? envelope : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
