/** What the API says of itself: its description, and its errors, each by name. */
import { z } from "zod";
import { publicErrors, type ErrorReason } from "../../domain/errors.ts";
import { largestId } from "../../domain/ids.ts";
import { readHeaders } from "../contract/params.ts";
import { errorAnswer } from "../contract/failures.ts";
import { entityTagOf, isKnown } from "../entity-tag.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { documentOf } from "../openapi/document.ts";
import { openly, type Route } from "../route.ts";

const description = {
  method: "GET",
  path: "/openapi.json",
  operation: "readDescription",
  tag: "system",
  summary: "Read this description",
  headers: readHeaders,
  answers: {
    200: { contentType: "application/json", about: "OpenAPI 3.1" },
    304: { contentType: "", about: "The same as If-None-Match names" },
  },
} as const;

const readError = {
  method: "GET",
  path: "/api/v1/errors/:reason",
  operation: "readError",
  tag: "system",
  summary: "Read what an error means and what to do about it",
  about: "The `type` of a problem (RFC 9457) leads here.",
  params: z.object({ reason: z.string() }),
  answers: { 200: errorAnswer },
  refusals: ["path_unknown"],
} as const;

export type Description = { readonly text: string; readonly etag: string };

export function descriptionRoutes(descriptionOfAll: () => Description): readonly Route[] {
  return [
    openly(description, ({ request }) => cacheable(descriptionOfAll(), request.headers)),
    openly(readError, ({ params: { reason } }) =>
      isReason(reason)
        ? success({ reason, ...publicErrors[reason] })
        : failure("path_unknown", { field: "reason", problem: `names no error: "${reason.slice(0, 80)}"` }),
    ),
  ];
}

const isReason = (name: string): name is ErrorReason => Object.hasOwn(publicErrors, name);

/** Takes about a tenth of a second. The largest id has more digits than our numbers, so they are put in as text. */
export function descriptionOf(routes: readonly Pick<Route, "contract" | "door">[], version: string): Description {
  const text = JSON.stringify(documentOf(routes, version)).replaceAll(`"maximum":${Number(largestId)}`, `"maximum":${largestId}`);
  return { text, etag: entityTagOf(text) };
}

function cacheable({ text, etag }: Description, headers: Headers): Reply {
  const common = { ETag: etag, "Cache-Control": "no-cache" };
  return isKnown(headers, etag) ? { status: 304, body: "", headers: common } : { status: 200, body: text, headers: common };
}
