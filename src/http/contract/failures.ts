/** What every error says: in the envelope, or as RFC 9457 has it. */
import { z } from "zod";
import { publicErrors } from "../../domain/errors.ts";
import type { ErrorDetails } from "../envelope.ts";
import { named, told } from "./described.ts";
import { instantText } from "./answers.ts";
import { idText } from "./fields.ts";

// The registry's keys are its reasons.
const reasons = Object.keys(publicErrors) as (keyof typeof publicErrors)[];
const reason = told(z.enum(reasons), { description: "The stable name to branch on." });
const todo = told(z.string(), { description: "What to do, in one line." });
const count = z.int().nonnegative().optional();

/** Beside reason and todo; each error has those that help. */
const details = {
  field: told(z.string(), { description: "Which part of the request is wrong." }).optional(),
  problem: told(z.string(), { description: "How it is wrong." }).optional(),
  starts_at: instantText.optional(),
  ended_at: instantText.optional(),
  server_time: instantText.optional(),
  limit: count,
  held: count,
  available: count,
  max_bytes: count,
  status: z.string().optional(),
  state: z.string().optional(),
  version: count,
  sale_id: idText.optional(),
} satisfies { readonly [Name in keyof ErrorDetails]-?: z.ZodType };

const code = told(z.int(), { description: "The number of the reason; never 0." });

const failed = { code, message: z.string(), data: z.strictObject({ reason, todo, ...details }) };
const failedExample = {
  code: publicErrors.sold_out.code,
  message: publicErrors.sold_out.message,
  data: { reason: "sold_out", todo: publicErrors.sold_out.todo, available: 0, held: 0 },
} as const;
export const failureAnswer = named("Failure", z.strictObject(failed), failedExample);
/** Of paths that say the message twice. */
export const failureWithMsgAnswer = named("FailureWithMsg", z.strictObject({ ...failed, msg: z.string().optional() }), {
  ...failedExample,
  msg: failedExample.message,
});

/** The same as `application/problem+json`; a detail named like one of the standard's own fields goes by another name. */
const { status: saleStatus, ...problemDetails } = details;
export const problemAnswer = named(
  "Problem",
  z.strictObject({
    type: told(z.string(), { description: "Where the error is explained.", format: "uri-reference" }),
    title: z.string(),
    status: told(z.int(), { description: "The HTTP status." }),
    detail: z.string(),
    code,
    reason,
    todo,
    sale_status: saleStatus,
    ...problemDetails,
  }),
  {
    type: "/api/v1/errors/sold_out",
    title: publicErrors.sold_out.message,
    status: publicErrors.sold_out.status,
    detail: publicErrors.sold_out.message,
    code: publicErrors.sold_out.code,
    reason: "sold_out",
    todo: publicErrors.sold_out.todo,
    available: 0,
    held: 0,
  },
);

export const errorAnswer = named("PublicError", z.strictObject({ reason, code, status: z.int(), message: z.string(), todo }), {
  reason: "sold_out",
  ...publicErrors.sold_out,
});
