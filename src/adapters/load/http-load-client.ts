/**
 * Sends requests over kept-alive connections with the platform's fetch. It never repeats a request: neither Bun's nor
 * Node's fetch re-sends a POST whose connection broke, and this file adds no retry. Latency is measured around one
 * request, so the time it waited for its turn in the caller is not in it.
 */
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";

export type HttpLoadOptions = {
  /** Origin of the server, without a slash at the end. */
  readonly origin: string;
  /** After this long without an answer the request counts as lost. */
  readonly timeoutMs: number;
};

export class HttpLoadClient implements LoadClient {
  readonly #options: HttpLoadOptions;

  constructor(options: HttpLoadOptions) {
    this.#options = options;
  }

  async send(request: LoadRequest): Promise<LoadReply> {
    const { origin, timeoutMs } = this.#options;
    const { method, path, headers, body, dropAfterMs } = request;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), dropAfterMs ?? timeoutMs);
    const began = performance.now();
    const lost = (cause: "dropped" | "timed_out" | "connection"): LoadReply => ({
      kind: "lost",
      cause,
      latencyMs: performance.now() - began,
    });
    try {
      const init = { method, headers: withType(headers, body), redirect: "manual" as const, signal: controller.signal };
      const response = await fetch(origin + path, body === undefined ? init : { ...init, body });
      const text = await response.text();
      const latencyMs = performance.now() - began;
      if (dropAfterMs !== undefined) return lost("dropped");
      const replayed = response.headers.get("idempotency-replayed") === "true";
      const requestId = response.headers.get("x-request-id") ?? undefined;
      return { kind: "answer", status: response.status, body: text, replayed, requestId, latencyMs };
    } catch {
      return lost(!controller.signal.aborted ? "connection" : dropAfterMs === undefined ? "timed_out" : "dropped");
    } finally {
      clearTimeout(timer);
    }
  }
}

function withType(headers: Readonly<Record<string, string>>, body: string | undefined): Record<string, string> {
  return body === undefined ? { ...headers } : { "content-type": "application/json", ...headers };
}
