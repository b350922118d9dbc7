/** An operation's answers by status: what it gives, and everything that it may refuse with. */
import { z } from "zod";
import { publicErrors, type ErrorReason } from "../../domain/errors.ts";
import { examplesOf } from "../contract/described.ts";
import { failureAnswer, failureWithMsgAnswer, problemAnswer } from "../contract/failures.ts";
import { failure } from "../envelope.ts";
import { problemOf, problemType } from "../problem.ts";
import type { Contract, RawAnswer, Route } from "../route.ts";
import type { JsonSchema, SchemaBook } from "./json-schema.ts";

type Described = Pick<Route, "contract" | "door">;

const headerRef = (name: string): JsonSchema => ({ $ref: `#/components/headers/${name}` });
const text = { type: "string" };

export const headers: Readonly<Record<string, JsonSchema>> = {
  RequestId: { description: "The caller's own X-Request-Id where it is fit (1 to 64 printable characters), else ours.", schema: text },
  Replayed: { description: "The answer to an earlier request with the same key.", schema: { const: "true" } },
  RetryAfter: { description: "Seconds until it is worth asking again.", schema: { type: "integer", minimum: 1 } },
  Authenticate: { description: "How to be somebody.", schema: text },
  EntityTag: { description: "Names this state of the thing, for If-None-Match.", schema: text },
};

/** What the whole server may refuse with, whatever is asked for. */
const notTried = ["busy", "storage_full", "draining"] as const satisfies readonly ErrorReason[];

export function refusalsOf({ contract, door }: Described): readonly ErrorReason[] {
  const { method, params, query, headers: given, refusals = [] } = contract;
  const asked = door.kind !== "anybody" || door.unasked !== true;
  const reads = method !== "GET" && method !== "DELETE";
  const all = new Set<ErrorReason>(refusals);
  const add = (when: boolean, ...reasons: readonly ErrorReason[]) => when && reasons.forEach((reason) => all.add(reason));
  add(asked || reads || params !== undefined || query !== undefined || given !== undefined, "malformed");
  add(asked, "unauthenticated");
  add(door.kind !== "anybody", "forbidden");
  add(method !== "GET", "too_large", "unsupported_media_type", "malformed");
  add(contract.tag !== "system", ...notTried, "outcome_unknown");
  add(true, "internal");
  return [...all];
}

const byStatus = (reasons: readonly ErrorReason[]): Map<number, ErrorReason[]> => {
  const groups = new Map<number, ErrorReason[]>();
  for (const reason of reasons) {
    const { status } = publicErrors[reason];
    groups.set(status, [...(groups.get(status) ?? []), reason]);
  }
  return groups;
};

/** The one answer that the runtime gives before any of our code runs. */
const headersTooLarge = {
  status: 431,
  name: "HeadersTooLarge",
  about: "The request's line and headers are longer than 16 KiB; nothing was read, and there is no body",
} as const;

/** Refusals that many operations share stand among the components. */
export class AnswerBook {
  readonly #schemas: SchemaBook;
  readonly #shared = new Map<string, JsonSchema>();

  constructor(schemas: SchemaBook) {
    this.#schemas = schemas;
  }

  answersOf(route: Described): Readonly<Record<string, JsonSchema>> {
    const { contract } = route;
    const answers = new Map<number, JsonSchema>();
    for (const [status, answer] of Object.entries(contract.answers))
      answers.set(Number(status), this.#given(contract, answer, Number(status)));
    answers.set(headersTooLarge.status, { $ref: `#/components/responses/${headersTooLarge.name}` });
    for (const [status, reasons] of byStatus(refusalsOf(route))) answers.set(status, this.#refused(status, reasons, contract.saysMsg));
    return Object.fromEntries([...answers].toSorted(([a], [b]) => a - b).map(([status, answer]) => [String(status), answer]));
  }

  shared(): Readonly<Record<string, JsonSchema>> {
    const listener = [headersTooLarge.name, { description: headersTooLarge.about }] as const;
    return Object.fromEntries([...this.#shared, listener].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #given(contract: Contract, answer: z.ZodType | RawAnswer, status: number): JsonSchema {
    const replays = contract.headers !== undefined && "Idempotency-Key" in contract.headers.shape;
    const common = { "X-Request-Id": headerRef("RequestId") };
    if (!(answer instanceof z.ZodType)) {
      const etag = 304 in contract.answers || status === 304 ? { ETag: headerRef("EntityTag") } : {};
      const content = answer.contentType === "" ? {} : { content: { [answer.contentType]: { schema: rawSchemaOf(answer.contentType) } } };
      return { description: answer.about, headers: { ...common, ...etag }, ...content };
    }
    const shown = Object.entries(examplesOf(answer)).map(([name, data]) => [
      name,
      { value: { code: 0, message: "OK", ...(contract.saysMsg ? { msg: "OK" } : {}), data } },
    ]);
    return {
      description: status === 201 ? "Created" : status === 202 ? "Accepted, and no order yet" : "OK",
      headers: {
        ...common,
        ...(replays ? { "Idempotency-Replayed": headerRef("Replayed") } : {}),
        ...(304 in contract.answers ? { ETag: headerRef("EntityTag") } : {}),
      },
      content: {
        "application/json": {
          schema: envelopeOf(this.#schemas.schemaOf(answer, "output"), contract.saysMsg),
          examples: Object.fromEntries(shown),
        },
      },
    };
  }

  #refused(status: number, reasons: readonly ErrorReason[], saysMsg = false): JsonSchema {
    const group = nameOf(reasons);
    if (group === undefined) return this.#refusal(status, reasons, saysMsg);
    const name = saysMsg ? `${group}WithMsg` : group;
    if (!this.#shared.has(name)) this.#shared.set(name, this.#refusal(status, reasons, saysMsg));
    return { $ref: `#/components/responses/${name}` };
  }

  #refusal(status: number, reasons: readonly ErrorReason[], saysMsg: boolean): JsonSchema {
    const codes = { enum: [...new Set(reasons.map((reason) => publicErrors[reason].code))] };
    const names = { enum: reasons };
    const later = status === 429 || status === 503 || status === 504;
    const examples = (of: (reason: ErrorReason) => unknown) =>
      Object.fromEntries(reasons.map((reason) => [reason, { summary: publicErrors[reason].message, value: of(reason) }]));
    return {
      description: reasons.map((reason) => publicErrors[reason].message).join("; or: "),
      headers: {
        "X-Request-Id": headerRef("RequestId"),
        ...(later ? { "Retry-After": headerRef("RetryAfter") } : {}),
        ...(status === 401 ? { "WWW-Authenticate": headerRef("Authenticate") } : {}),
      },
      content: {
        "application/json": {
          schema: {
            allOf: [
              this.#schemas.schemaOf(saysMsg ? failureWithMsgAnswer : failureAnswer, "output"),
              { type: "object", properties: { code: codes, data: { type: "object", properties: { reason: names } } } },
            ],
          },
          examples: examples((reason) => JSON.parse(failure(reason).body)),
        },
        [problemType]: {
          schema: {
            allOf: [
              this.#schemas.schemaOf(problemAnswer, "output"),
              { type: "object", properties: { code: codes, reason: names, status: { const: status } } },
            ],
          },
          examples: examples((reason) => JSON.parse(problemOf(failure(reason)).body)),
        },
      },
    };
  }
}

/** Of a stream of events each; a format of its own is text. */
function rawSchemaOf(contentType: string): JsonSchema {
  if (contentType === "text/event-stream")
    return { type: "object", properties: { event: text, id: text, data: text, retry: { type: "integer" } }, description: "Each event" };
  return contentType.endsWith("json") ? { type: "object" } : text;
}

/** One reason goes by its own name; of groups only the one that nearly every operation has goes by any. */
function nameOf(reasons: readonly ErrorReason[]): string | undefined {
  const [first = "", ...rest] = reasons;
  if (rest.length === 0) return first.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return reasons.length === notTried.length && notTried.every((reason) => reasons.includes(reason)) ? "NotTried" : undefined;
}

function envelopeOf(data: JsonSchema, saysMsg = false): JsonSchema {
  const message = { const: "OK" };
  const properties = { code: { const: 0 }, message, ...(saysMsg ? { msg: message } : {}), data };
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
