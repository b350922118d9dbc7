/**
 * Errors as `application/problem+json` (RFC 9457), for those who ask for it by name. An answer is made in the envelope
 * first; only an error's is looked at again, and only a request that names the type pays for more than that look.
 */
import { publicErrors, type ErrorReason } from "../domain/errors.ts";
import type { Reply } from "./envelope.ts";

export const problemType = "application/problem+json";
const errorsPath = "/api/v1/errors/";

/** The reply as its caller wants it. */
export function negotiated(reply: Reply, headers: Headers): Reply {
  if (reply.status < 400) return reply;
  const accept = headers.get("accept");
  return accept !== null && /problem/i.test(accept) && prefersProblem(accept) ? problemOf(reply) : reply;
}

/**
 * Whether problems are named, and wanted no less than plain JSON. Ranges with a star name nothing: they stand in nearly
 * every request. The weight of JSON is that of the nearest range that takes it in.
 */
export function prefersProblem(accept: string): boolean {
  const weights = new Map<string, number>();
  for (const range of accept.slice(0, acceptLengthMax).split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    weights.set(type, weightOf(parameters));
  }
  const problem = weights.get(problemType) ?? 0;
  const json = weights.get("application/json") ?? 0;
  return problem > 0 && problem >= json;
}

const acceptLengthMax = 1_000;

/** The q of a range: 1 unless it says otherwise, 0 if that cannot be read. */
function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  if (given === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
}

/** Kept refusals are asked for again and again: each is put into the other form once. */
const made = new WeakMap<Reply, Reply>();

type Envelope = {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly reason: ErrorReason; readonly status?: string };
};

export function problemOf(reply: Reply): Reply {
  const known = made.get(reply);
  if (known !== undefined) return known;
  // The envelope's own text: code, message and data stand in every one.
  const { code, message, data } = JSON.parse(reply.body) as Envelope;
  const { status: saleStatus, ...details } = data;
  const problem = {
    type: `${errorsPath}${data.reason}`,
    title: publicErrors[data.reason].message,
    status: reply.status,
    detail: message,
    code,
    ...details,
    ...(saleStatus === undefined ? {} : { sale_status: saleStatus }),
  };
  const answer = { ...reply, body: JSON.stringify(problem), headers: { ...reply.headers, "Content-Type": problemType } };
  made.set(reply, answer);
  return answer;
}
