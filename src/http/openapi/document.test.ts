/** The API's description against the router, its own examples, and those who lint such things. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { DescribedAnswers, describedRoutes } from "../../../tests/harness/described-answers.ts";
import { openMemoryApi, shopKey, type MemoryApi } from "../../../tests/harness/memory-api.ts";
import { examplesOf } from "../contract/described.ts";
import { listen } from "../listen-bun.ts";
import type { RawAnswer } from "../route.ts";
import { documentOf, templateOf, type Document } from "./document.ts";

const routes = describedRoutes();
const document = documentOf(routes, "1.2.3");
const version = "1.2.3";

type Operation = {
  readonly template: string;
  readonly method: string;
  readonly operation: Readonly<Record<string, unknown>>;
};
const operationsOf = ({ paths }: Document): readonly Operation[] =>
  Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ template, method: method.toUpperCase(), operation })),
  );
const operations = operationsOf(document);

let api: MemoryApi;
beforeAll(async () => {
  api = await openMemoryApi();
});
afterAll(() => api.close());

/** A path of that template; an id where an id belongs, and a word that no id is where a name does. */
const somePath = (template: string): string => template.replace(/\{\w+\}/g, "77");

describe("[H2] description and router are one", () => {
  const nameOf = (method: string, path: string) => `${method} ${templateOf(path)}`;
  const differences = (described: Document, registered: readonly { method: string; path: string }[]) => {
    const said = new Set(operationsOf(described).map(({ method, template }) => `${method} ${template}`));
    const routed = new Set(registered.filter(({ method }) => method !== "ALL").map(({ method, path }) => nameOf(method, path)));
    return { undescribed: [...routed].filter((name) => !said.has(name)), unrouted: [...said].filter((name) => !routed.has(name)) };
  };

  test("all that the router has is described, and nothing else", () => {
    expect(api.app.registered().length).toBeGreaterThan(40);
    expect(differences(document, api.app.registered())).toEqual({ undescribed: [], unrouted: [] });
  });

  test("the control: a route without words, and words without a route, are noticed", () => {
    const [first, ...rest] = routes;
    expect(differences(documentOf(rest, version), api.app.registered()).undescribed).toEqual([
      nameOf(first?.contract.method ?? "", first?.contract.path ?? ""),
    ]);
    expect(differences(document, api.app.registered().slice(2)).unrouted).not.toEqual([]);
  });

  test("and so are the description and the pages of the API", () => {
    const pages = ["api.md", "seckill-paths.md"].map((page) => readFileSync(join(import.meta.dirname, "../../../docs", page), "utf8"));
    const written = new Set(
      [...pages.join("\n").matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^\s`?]*)/g)].map(([, method = "", path = ""]) =>
        nameOf(method, path),
      ),
    );
    // A page may call a part by another name.
    const bare = (name: string) => name.replace(/\{\w+\}/g, "{}");
    const said = operations.map(({ method, template }) => bare(`${method} ${template}`));
    expect(said.filter((name) => ![...written].map(bare).includes(name))).toEqual([]);
    // Or take one of its values for an example.
    const fits = (name: string) => said.some((known) => new RegExp(`^${known.replaceAll("{}", "[^/]+")}$`).test(name));
    expect([...written].filter((name) => !fits(name))).toEqual([]);
  });

  test("on a real socket every operation is met, and every other method of its path is 405 with those it has", async () => {
    const listener = await listen(api.app, { host: "127.0.0.1", port: 0 });
    try {
      for (const template of Object.keys(document.paths)) {
        const url = listener.url + somePath(template);
        const known = Object.keys(document.paths[template] ?? {}).map((method) => method.toUpperCase());
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
          const answer = await fetch(url, { method, headers: { "x-api-key": "wrong" } });
          await answer.body?.cancel();
          expect([method, template, answer.status === 405]).toEqual([method, template, !known.includes(method)]);
          if (answer.status === 405) for (const name of known) expect(answer.headers.get("allow")?.split(", ")).toContain(name);
        }
      }
    } finally {
      await listener.stop(0);
    }
  });
});

describe("[H2] every operation", () => {
  const isRaw = (answer: z.ZodType | RawAnswer): answer is RawAnswer => "contentType" in answer;

  test.each(operations.map(({ operation }) => operation))("$operationId is described", (operation) => {
    const { operationId, summary, tags, responses } = operation as Record<string, string | string[] | Record<string, unknown>>;
    expect(operationId).toMatch(/^[a-z]+(?:[A-Z][a-z0-9]*)*$/);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
    expect(tags).toHaveLength(1);
    expect(Object.keys(responses ?? {}).some((status) => status.startsWith("2"))).toBe(true);
    expect(responses).toHaveProperty("500");
  });

  test("has a name of its own", () => {
    const names = operations.map(({ operation }) => operation["operationId"]);
    expect(new Set(names).size).toBe(names.length);
    expect(() => documentOf([...routes, ...routes.slice(0, 1)], version)).toThrow("is one operation");
  });

  test.each(routes.map(({ contract }) => contract))("$operation has examples, and each fits its schema", (contract) => {
    const schemas = [contract.body, ...Object.values(contract.answers)].filter((each) => each !== undefined);
    for (const schema of schemas) {
      if (isRaw(schema)) continue;
      const examples = Object.entries(examplesOf(schema));
      expect(examples).not.toEqual([]);
      for (const [name, example] of examples) expect([name, schema.safeParse(example).error?.issues]).toEqual([name, undefined]);
    }
  });

  test("names who may enter as its door does", () => {
    const securityOf = (id: string) => operations.find(({ operation }) => operation["operationId"] === id)?.operation["security"];
    expect(securityOf("readTime")).toEqual([]);
    expect(securityOf("readSale")).toEqual([{}, { Bearer: [] }, { ServerKey: [] }]);
    expect(securityOf("purchase")).toEqual([{ Bearer: [] }, { ServerKey: [], ActingFor: [] }]);
    expect(securityOf("createSale")).toEqual([{ ServerKey: [] }, { Bearer: [] }]);
    expect(securityOf("watchPurchases")).toContainEqual({ EventTicket: [] });
  });
});

describe("[H2] request examples", () => {
  const given = routes.filter(({ contract }) => contract.body !== undefined).map(({ contract }) => contract);
  test.each(given)("of $operation are read as they are", async ({ method, path, body }) => {
    for (const [, json] of Object.entries(examplesOf(body!))) {
      const call = { key: shopKey, json, headers: { "x-user-id": "2001" } };
      const { status, text } = await api.ask(method, somePath(templateOf(path)), call);
      expect([400, 413, 415].includes(status) ? text : "read").toBe("read");
    }
  });

  test("make a sale, sell in it, and pay, one after the other", async () => {
    const api = await openMemoryApi();
    const example = (operation: string) => {
      const body = routes.find(({ contract }) => contract.operation === operation)?.contract.body;
      return Object.values(examplesOf(body!))[0];
    };
    const shop = async (operation: string, path: string, headers: Record<string, string> = {}) => {
      const { method } = routes.find(({ contract }) => contract.operation === operation)!.contract;
      const answer = await api.ask(method, path, { key: shopKey, json: example(operation), headers });
      expect([operation, answer.status === 200 || answer.status === 201 ? "done" : answer.text]).toEqual([operation, "done"]);
      return String(answer.data["id"]);
    };
    const buyer = { "x-user-id": "buyer-17" };
    await shop("grantToken", "/api/v1/tokens");
    const product = await shop("createProduct", "/api/v1/products");
    await shop("setQuota", `/api/v1/products/${product}/quotas/buyer-17`);
    const sale = await shop("createSale", "/api/v1/sales");
    await shop("publishSale", `/api/v1/sales/${sale}/publish`);
    await shop("extendSale", `/api/v1/sales/${sale}/extend`);
    api.time.nowMs = Date.parse("2030-01-31T12:00:01Z");
    await shop("pauseSale", `/api/v1/sales/${sale}/pause`);
    await shop("resumeSale", `/api/v1/sales/${sale}/resume`);
    const order = await shop("purchase", `/api/v1/sales/${sale}/purchases`, buyer);
    await shop("payOrder", `/api/v1/orders/${order}/payments`, buyer);
    const other = await shop("purchase", `/api/v1/sales/${sale}/purchases`, buyer);
    await shop("cancelOrder", `/api/v1/orders/${other}/cancel`, buyer);
    await shop("seckillPurchase", "/api/v1/seckill/purchase");
    await shop("cancelSale", `/api/v1/sales/${sale}/cancel`);
    await api.close();
  });
});

/** A whole second on an idle machine. */
const lintTimeoutMs = 60_000;

describe("[H2] the description", () => {
  /** Examples of errors hold what all of them have; the schema names what each may have. */
  const rules = { "no-invalid-media-type-examples": { severity: "error", allowAdditionalProperties: true } } as const;
  const lint = async (description: object) => {
    // Redocly asks this of every operation; those that look at nobody and at nothing refuse nothing.
    const config = await createConfig({ extends: ["recommended-strict"], rules: { ...rules, "operation-4xx-response": "off" } });
    const problems = await lintFromString({ source: JSON.stringify(description), absoluteRef: "/openapi.json", config });
    return problems.map(({ ruleId, message, location: [at] }) => `${ruleId}: ${message} ${at?.pointer}`);
  };

  test("is clean to the linter", async () => expect(await lint(document)).toEqual([]), lintTimeoutMs);

  test(
    "the control: a wrong example, a parameter without a place and a reference to nothing are noticed",
    async () => {
      const faults = [
        ['"value":{"quantity":1}', '"value":{"quantity":"one"}'],
        ['"name":"sale_id"', '"name":"sale"'],
        ["#/components/schemas/Quota", "#/components/schemas/Idea"],
      ] as const;
      const faulty = faults.reduce((text, [from, to]) => text.replace(from, to), JSON.stringify(document));
      const found = (await lint(JSON.parse(faulty))).join("\n");
      for (const rule of ["no-invalid-media-type-examples", "path-parameters-defined", "no-unresolved-refs"]) expect(found).toContain(rule);
    },
    lintTimeoutMs,
  );

  test("is served with an ETag, and not again to whoever has it", async () => {
    const { status, headers, text } = await api.ask("GET", "/openapi.json");
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(JSON.parse(text).openapi).toBe("3.1.1");
    expect(JSON.parse(text).info.version).toBe("test");
    const etag = headers.get("etag") ?? "";
    const again = await api.ask("GET", "/openapi.json", { headers: { "if-none-match": etag } });
    expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    expect((await api.ask("GET", "/openapi.json", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("every error can be read by its name", async () => {
    expect((await api.ask("GET", "/api/v1/errors/sold_out")).data).toMatchObject({ reason: "sold_out", code: 1006, status: 409 });
    for (const name of ["toString", "__proto__", "none"]) expect((await api.ask("GET", `/api/v1/errors/${name}`)).status).toBe(404);
  });
});

describe("the hook that holds every answer of these tests to the description", () => {
  const answers = new DescribedAnswers(document);
  const problem = (method: string, path: string, status: number, body: unknown, type = "application/json") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = new Response(text, { status, headers: { "content-type": type, "x-request-id": "r" } });
    return answers.problemOf({ method, path, response, text });
  };
  const time = { code: 0, message: "OK", data: { server_time: "2030-01-31T12:00:00.000Z", server_time_ms: 1 } };
  const failed = (reason: string, code: number) => ({ code, message: "No", data: { reason, todo: "Do" } });

  test("lets what is described pass", () => {
    expect(problem("GET", "/api/v1/time", 200, time)).toBeUndefined();
    expect(problem("GET", "/api/v1/sales/1", 404, failed("sale_unknown", 4041))).toBeUndefined();
    expect(problem("GET", "/nowhere", 404, failed("path_unknown", 404))).toBeUndefined();
  });

  test("the controls: another status, type, shape, field, reason or path is noticed", () => {
    expect(problem("GET", "/api/v1/time", 202, time)).toContain("not described");
    expect(problem("GET", "/api/v1/time", 200, "now", "text/plain")).toContain("not described");
    expect(problem("GET", "/api/v1/time", 200, { ...time, data: { server_time_ms: 1 } })).toContain("server_time");
    expect(problem("GET", "/api/v1/time", 200, { ...time, data: { ...time.data, more: 1 } })).toContain("additional");
    expect(problem("GET", "/api/v1/sales/1", 404, failed("purchase_unknown", 4042))).toContain("not described");
    expect(problem("GET", "/nowhere", 200, time)).toContain("no such operation");
    expect(problem("PUT", "/api/v1/time", 200, time)).toContain("no such operation");
  });
});
