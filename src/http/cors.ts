/** Which pages of other origins may call the API: those in an exact list, none by default. Cookies are never involved. */
export type Cors = {
  /** Adds what lets an allowed origin's page read an answer. */
  readonly mark: (response: Response, origin: string | null) => Response;
  /** Answers the question a browser asks before a call. */
  readonly preflight: (origin: string | null, methods: string) => Readonly<Record<string, string>>;
};

const requestHeaders = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-Request-Id";
const exposedHeaders = "Idempotency-Replayed, Retry-After, X-Request-Id";
const preflightSeconds = "600";

export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  return {
    mark(response, origin) {
      if (origin === null || !allowed.has(origin)) return response;
      response.headers.set("access-control-allow-origin", origin);
      response.headers.set("access-control-expose-headers", exposedHeaders);
      return response;
    },
    preflight(origin, methods): Record<string, string> {
      if (origin === null || !allowed.has(origin)) return {};
      return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": requestHeaders,
        "Access-Control-Max-Age": preflightSeconds,
      };
    },
  };
}
