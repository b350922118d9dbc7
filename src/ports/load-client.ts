/**
 * The hands of a load generator: sends one request and says what came back, whatever it was. Never rejects, never
 * repeats on its own: a repeat is the caller's decision and appears in its history.
 */
export interface LoadClient {
  send(request: LoadRequest): Promise<LoadReply>;
}

export type LoadRequest = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path and query, from the first slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Walk away this long after sending, with or without an answer: the caller never learns the outcome. */
  readonly dropAfterMs?: number | undefined;
};

export type LoadReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      readonly replayed: boolean;
      readonly requestId: string | undefined;
      /** From handing the request to the socket until its answer was read whole. */
      readonly latencyMs: number;
    }
  /** The request may or may not have been carried out, now or later; `fenced` was held back and never left. */
  | { readonly kind: "lost"; readonly cause: "dropped" | "timed_out" | "connection" | "fenced"; readonly latencyMs: number };
