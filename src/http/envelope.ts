/**
 * The one shape of every answer: `{code, message, data}` under a real HTTP status. Errors take code, status and the line
 * that says what to do from the registry, so a route cannot invent one.
 */
import { publicErrors, type ErrorReason } from "../domain/errors.ts";

/** What `data` of an error may hold besides `reason` and `todo`. */
export type ErrorDetails = {
  readonly field?: string | undefined;
  readonly problem?: string | undefined;
  readonly starts_at?: string | undefined;
  readonly ended_at?: string | undefined;
  readonly server_time?: string | undefined;
  readonly limit?: number | undefined;
  readonly held?: number | undefined;
  readonly available?: number | undefined;
  readonly max_bytes?: number | undefined;
  readonly status?: string | undefined;
  readonly state?: string | undefined;
  /** Which it has now. */
  readonly version?: number | undefined;
  readonly sale_id?: string | undefined;
};

/** An answer before it becomes a Response: `body` is the whole text of it, unless it comes as a stream or as bytes. */
export type Reply = {
  readonly status: number;
  readonly body: string;
  /** Goes out instead of the body, for as long as it lasts. Whoever opens one sees to it that HEAD gets none. */
  readonly stream?: ReadableStream<Uint8Array> | undefined;
  /** Goes out instead of the body: what lies ready, and is not copied. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of an error; for the log. */
  readonly reason?: ErrorReason | undefined;
};

export function success(data: unknown, status = 200, headers?: Readonly<Record<string, string>>): Reply {
  return { status, body: `{"code":0,"message":"OK","data":${JSON.stringify(data)}}`, headers };
}

/** `message` replaces the registry's where quoting a value helps. */
export function failure(reason: ErrorReason, details?: ErrorDetails, message?: string): Reply {
  const { code, status, message: general, todo } = publicErrors[reason];
  const body = JSON.stringify({ code, message: message ?? describe(general, details), data: { reason, todo, ...details } });
  return { status, body, headers: headersOf(status), reason };
}

/** Says which field is wrong and how. */
function describe(general: string, details: ErrorDetails | undefined): string {
  const { field, problem } = details ?? {};
  return field === undefined || problem === undefined ? general : `${general}: "${field}" ${problem}`;
}

export const retryAfterSeconds = 1;
const retryLater: Readonly<Record<string, string>> = { "Retry-After": String(retryAfterSeconds) };
const nameYourself: Readonly<Record<string, string>> = { "WWW-Authenticate": "Bearer" };

/** Whoever was not tried, or does not know, is told when to come again; whoever is nobody, how to be somebody. */
function headersOf(status: number): Readonly<Record<string, string>> | undefined {
  if (status === 401) return nameYourself;
  return status === 429 || status === 503 || status === 504 ? retryLater : undefined;
}
