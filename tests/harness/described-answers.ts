/**
 * Holds every answer to the API's description: an answer with a status, a type or a shape that the description does not
 * have is an error, in whichever test it comes.
 */
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { routesOf } from "../../src/http/app.ts";
import { documentOf, type Document } from "../../src/http/openapi/document.ts";

/** Contracts ask nothing of it. */
const noMetrics = { contentType: "", render: () => Promise.resolve("") };
export const describedRoutes = () => routesOf(noMetrics);

export type Answered = { readonly method: string; readonly path: string; readonly response: Response; readonly text: string };

export class DescribedAnswers {
  readonly #document: Document;
  readonly #ajv = new Ajv2020.default({ strict: false, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #templates: readonly { readonly template: string; readonly fits: RegExp }[];

  constructor(document: Document = documentOf(describedRoutes(), "test")) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, "api");
    // A part that is written out goes before one that may be anything, as in the router.
    this.#templates = Object.keys(document.paths)
      .toSorted((a, b) => (a.replaceAll("{", "~") < b.replaceAll("{", "~") ? -1 : 1))
      .map((template) => ({ template, fits: new RegExp(`^${template.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/]+")}$`) }));
  }

  /** What the description does not say of this answer, or undefined. */
  problemOf({ method, path, response, text }: Answered): string | undefined {
    const said = `${method} ${path} answered ${response.status}`;
    const pathname = new URL(path, "http://any.test").pathname;
    const template = this.#templates.find(({ fits }) => fits.test(pathname))?.template;
    const operation = template === undefined ? undefined : this.#operationOf(template, method);
    const type = response.headers.get("content-type")?.split(";")[0] ?? "";
    if (operation === undefined) return this.#outside(said, response.status, { method, type, text });
    if (response.headers.get("x-request-id") === null) return `${said} without X-Request-Id`;
    const pointer = `/paths/${escaped(template ?? "")}/${operation}/responses/${response.status}`;
    const answer = this.#at(pointer);
    if (answer === undefined) return `${said}, which is not described: ${text.slice(0, 300)}`;
    if (text === "") return undefined;
    const content = (answer.node["content"] ?? {}) as Readonly<Record<string, unknown>>;
    if (content[type] === undefined) return `${said} as ${type}, which is not described`;
    if (!type.endsWith("json")) return undefined;
    return this.#misfit(`${answer.pointer}/content/${escaped(type)}/schema`, said, text);
  }

  #operationOf(template: string, method: string): string | undefined {
    const name = method === "HEAD" ? "get" : method.toLowerCase();
    return this.#document.paths[template]?.[name] === undefined ? undefined : name;
  }

  /** Unknown paths and methods are no operations; their answers are errors like all others. */
  #outside(said: string, status: number, { method, type, text }: { method: string; type: string; text: string }): string | undefined {
    if (method === "OPTIONS" && status === 204) return undefined;
    if (status !== 404 && status !== 405) return `${said}, and the description has no such operation`;
    if (text === "") return undefined;
    return this.#misfit(`/components/schemas/${type === "application/json" ? "Failure" : "Problem"}`, said, text);
  }

  /** What stands at a pointer, references followed. */
  #at(pointer: string): { readonly pointer: string; readonly node: Readonly<Record<string, unknown>> } | undefined {
    let node: unknown = this.#document;
    for (const part of pointer.split("/").slice(1)) node = (node as Record<string, unknown> | undefined)?.[unescaped(part)];
    if (node === undefined) return undefined;
    const found = node as Readonly<Record<string, unknown>>;
    const reference = found["$ref"];
    return typeof reference === "string" ? this.#at(reference.slice(1)) : { pointer, node: found };
  }

  #misfit(pointer: string, said: string, text: string): string | undefined {
    const validate =
      this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `api#${pointer.split("/").map(encodeURIComponent).join("/")}` });
    this.#compiled.set(pointer, validate);
    if (validate(JSON.parse(text))) return undefined;
    return `${said} in a shape that is not described: ${this.#ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}`;
  }
}

const escaped = (part: string): string => part.replaceAll("~", "~0").replaceAll("/", "~1");
const unescaped = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");
