/**
 * Asks our own API. Whatever happens, there is an answer of one of three kinds: done, told no (with the server's reason),
 * or nothing heard, which says nothing about what was done.
 */
export type Told<Data> =
  | { readonly kind: "done"; readonly status: number; readonly data: Data }
  | { readonly kind: "no"; readonly status: number; readonly problem: Problem; readonly retryAfterMs: number | undefined }
  | { readonly kind: "silence" };

/** What `data` of an error holds. */
export type Problem = {
  readonly reason: string;
  readonly message: string;
  readonly field?: string | undefined;
  readonly problem?: string | undefined;
  readonly limit?: number | undefined;
  readonly held?: number | undefined;
  readonly available?: number | undefined;
  readonly starts_at?: string | undefined;
  readonly server_time?: string | undefined;
  readonly requestId?: string | undefined;
};

export type Ask = {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  /** After which nothing heard counts as nothing to be heard. */
  readonly timeoutMs?: number;
};

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

const timeoutDefaultMs = 15_000;

export async function callApi<Data>(
  path: string,
  ask: Ask = {},
  fetchIt: Fetch = (input, init) => fetch(input, init),
): Promise<Told<Data>> {
  const { method = "GET", body, token, key, timeoutMs = timeoutDefaultMs } = ask;
  try {
    const response = await fetchIt(path, {
      method,
      cache: "no-store",
      headers: {
        Accept: "application/json",
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await readAnswer<Data>(response);
  } catch {
    return { kind: "silence" };
  }
}

async function readAnswer<Data>(response: Response): Promise<Told<Data>> {
  const { status, headers } = response;
  // Every answer of the API is an envelope; what is none comes from something in between, and fails to be read.
  const envelope = (await response.json()) as { message: string; data: Data & Omit<Problem, "message"> };
  if (response.ok) return { kind: "done", status, data: envelope.data };
  const problem = { ...envelope.data, message: envelope.message, requestId: headers.get("x-request-id") ?? undefined };
  return { kind: "no", status, problem, retryAfterMs: retryAfterOf(headers) };
}

/** Seconds, as our server says it; the other form of the header is a date of a clock that we do not trust. */
export function retryAfterOf(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** A key for one purchase: 128 random bits. Works also where a page was not loaded securely. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
