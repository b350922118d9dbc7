/** The reference page: the API's description as pages to read and try, from this server alone. */
import { readHeaders } from "../contract/params.ts";
import { referenceReply, type ReferenceFile } from "../reference-files.ts";
import { openly, type Contract, type Route } from "../route.ts";

const file = {
  method: "GET",
  tag: "system",
  headers: readHeaders,
} as const;
const same = { contentType: "", about: "The same as If-None-Match names" };

const contracts: readonly (readonly [ReferenceFile, Contract])[] = [
  [
    "index.html",
    {
      ...file,
      path: "/docs",
      operation: "readReference",
      summary: "Read this description as a page",
      answers: { 200: { contentType: "text/html", about: "A page that reads /openapi.json" }, 304: same },
    },
  ],
  [
    "swagger-ui.css",
    {
      ...file,
      path: "/docs/swagger-ui.css",
      operation: "readReferenceStyle",
      summary: "The page's style",
      answers: { 200: { contentType: "text/css", about: "Of Swagger UI" }, 304: same },
    },
  ],
  [
    "swagger-ui-bundle.js",
    {
      ...file,
      path: "/docs/swagger-ui-bundle.js",
      operation: "readReferenceProgram",
      summary: "The page's program",
      answers: { 200: { contentType: "text/javascript", about: "Of Swagger UI" }, 304: same },
    },
  ],
  [
    "start.js",
    {
      ...file,
      path: "/docs/start.js",
      operation: "readReferenceStart",
      summary: "The page's beginning",
      answers: { 200: { contentType: "text/javascript", about: "What it is to show" }, 304: same },
    },
  ],
];

export const referenceRoutes: readonly Route[] = contracts.map(([name, contract]) =>
  openly(contract, ({ request }) => referenceReply(name, request.headers, request.method)),
);
