/**
 * Stands between a rehearsal and a running deployment: a request that could change, buy or cancel anything but the
 * rehearsal's own sale does not leave. It learns what is ours from the deployment's answers alone: the product and the
 * sale it was asked to create here, and the orders that were accepted in that sale.
 *
 * Must stay true: no method but GET leaves for an id that this run has not created. A mistake anywhere above ends the run
 * (`halt`); it does not reach the shop.
 */
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";
import type { Halt } from "./halt.ts";
import { replyOf } from "./shop-client.ts";

export type FenceStops = { readonly method: string; readonly path: string };

const lost: LoadReply = { kind: "lost", cause: "fenced", latencyMs: 0 };
const idPattern = "(\\d{1,19})";
const salePath = new RegExp(`^/api/v1/sales/${idPattern}/(publish|cancel|purchases)$`);
const orderPath = new RegExp(`^/api/v1/orders/${idPattern}/(payments|cancel)$`);

export class Fence implements LoadClient {
  readonly #load: LoadClient;
  readonly #halt: Halt;
  readonly #orders = new Set<string>();
  #productId: string | undefined;
  #saleId: string | undefined;
  /** Requests that were held back; anything but none is a bug of ours. */
  readonly stopped: FenceStops[] = [];

  constructor(load: LoadClient, halt: Halt) {
    this.#load = load;
    this.#halt = halt;
  }

  get saleId(): string | undefined {
    return this.#saleId;
  }

  async send(request: LoadRequest): Promise<LoadReply> {
    if (!this.#mayPass(request)) return this.#stop(request, "would have touched what this rehearsal has not created");
    const reply = await this.#load.send(request);
    const problem = request.method === "POST" ? this.#learn(request, reply) : undefined;
    if (problem !== undefined) this.#stop(request, problem);
    return reply;
  }

  #mayPass({ method, path, body }: LoadRequest): boolean {
    if (method === "GET") return true;
    if (method !== "POST") return false;
    if (path === "/api/v1/products") return this.#productId === undefined;
    if (path === "/api/v1/sales")
      return this.#saleId === undefined && this.#productId !== undefined && textIn(body, "product_id") === this.#productId;
    const [, saleId] = salePath.exec(path) ?? [];
    if (saleId !== undefined) return saleId === this.#saleId;
    const [, orderId] = orderPath.exec(path) ?? [];
    // To say that the shop took money itself would enter money that nobody has.
    return orderId !== undefined && this.#orders.has(orderId) && textIn(body, "provider") === undefined;
  }

  /** What an answer makes ours, or how it shows that something else was touched. */
  #learn({ path }: LoadRequest, reply: LoadReply): string | undefined {
    const { kind, status, data, replayed } = replyOf(reply);
    if (kind !== "ok") return undefined;
    const id = data["id"];
    if (path === "/api/v1/products" || path === "/api/v1/sales") {
      // 200, or a repeat, is something that was there before us.
      if (status !== 201 || replayed || typeof id !== "string") return "was answered with something that was there before";
      if (path === "/api/v1/products") this.#productId = id;
      else if (data["product_id"] !== this.#productId) return "was answered with a sale of another product";
      else this.#saleId = id;
      return undefined;
    }
    const { provider } = data;
    if (path.endsWith("/payments"))
      return provider === "simulated" ? undefined : `started a payment at "${String(provider)}", where money is real`;
    if (!path.endsWith("/purchases")) return undefined;
    if (data["sale_id"] !== this.#saleId) return `took a unit of sale ${String(data["sale_id"])}, which is not the rehearsal's`;
    if (typeof id === "string") this.#orders.add(id);
    return undefined;
  }

  #stop({ method, path }: LoadRequest, problem: string): LoadReply {
    if (this.stopped.length < stoppedMax) this.stopped.push({ method, path });
    this.#halt.pull({ by: "fence", text: `${method} ${path} ${problem}` });
    return lost;
  }
}

const stoppedMax = 20;

function textIn(body: string | undefined, field: string): unknown {
  try {
    const value: unknown = JSON.parse(body ?? "");
    return typeof value === "object" && value !== null ? new Map<string, unknown>(Object.entries(value)).get(field) : undefined;
  } catch {
    return undefined;
  }
}
