import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openMemoryApi, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";
import { publicErrors } from "../domain/errors.ts";
import { failure } from "./envelope.ts";
import { prefersProblem, problemOf } from "./problem.ts";

describe("[H1] problems are for those who name them", () => {
  test.each([
    ["application/problem+json", true],
    ["APPLICATION/Problem+JSON", true],
    ["application/problem+json, application/json", true],
    ["application/json, application/problem+json", true],
    ["application/problem+json, */*;q=0.1", true],
    ["application/json;q=0.9,application/problem+json", true],
    ["application/problem+json;q=0.5", true],
    ["application/problem+json ; q=1.000 , text/html", true],
    ["application/problem+json;q=0.5, application/json", false],
    ["application/problem+json;q=0", false],
    ["application/problem+json;q=0.000, */*", false],
    ["application/problem+json;q=2", false],
    ["application/problem+json;q=high", false],
    ["application/problem+xml", false],
    ["application/*", false],
    ["*/*", false],
    ["application/json", false],
    ["text/problem", false],
    ["", false],
    [";,;,", false],
    [`${"a".repeat(2000)},application/problem+json`, false],
  ])("Accept: %s: %p", (accept, wanted) => expect(prefersProblem(accept)).toBe(wanted));
});

test.each(Object.keys(publicErrors))("[H1] %s as a problem says what its envelope says", (name) => {
  // The registry's keys are its reasons.
  const reason = name as keyof typeof publicErrors;
  const { code, status, message, todo } = publicErrors[reason];
  const envelope = failure(reason, { field: "stock", problem: "must be less", status: "live" });
  const problem = problemOf(envelope);
  expect(JSON.parse(problem.body)).toEqual({
    type: `/api/v1/errors/${reason}`,
    title: message,
    status,
    detail: `${message}: "stock" must be less`,
    code,
    reason,
    todo,
    field: "stock",
    problem: "must be less",
    sale_status: "live",
  });
  expect(problem.status).toBe(status);
  expect(problem.headers).toEqual({ ...envelope.headers, "Content-Type": "application/problem+json" });
});

describe("over the API", () => {
  let api: MemoryApi;
  beforeAll(async () => {
    api = await openMemoryApi();
  });
  afterAll(() => api.close());
  const headers = { accept: "application/problem+json" };

  test("[H1] every kind of error comes as a problem: of routes, of the purchase route, of unknown paths and methods", async () => {
    const asked = [
      await api.ask("GET", "/api/v1/sales/1", { headers }),
      await api.ask("POST", "/api/v1/sales/1/purchases", { headers, key: shopKey, userId: "ann", json: {} }),
      await api.ask("GET", "/nowhere", { headers }),
      await api.ask("DELETE", "/api/v1/time", { headers }),
      await api.ask("GET", "/orders/1", { headers, key: shopKey }),
    ];
    for (const { status, headers: given, text } of asked) {
      expect(given.get("content-type")).toBe("application/problem+json");
      expect(given.get("x-content-type-options")).toBe("nosniff");
      expect(JSON.parse(text)).toMatchObject({ status, type: expect.stringMatching(/^\/api\/v1\/errors\/\w+$/) });
      expect((await api.ask("GET", JSON.parse(text).type)).data["reason"]).toBe(JSON.parse(text).reason);
    }
    expect(asked.map(({ status }) => status)).toEqual([404, 404, 404, 405, 404]);
    expect(asked[3]?.headers.get("allow")).toContain("GET");
  });

  test("[H1] a problem is asked for in any letters", async () => {
    const { headers: given } = await api.ask("GET", "/api/v1/sales/1", { headers: { accept: "APPLICATION/PROBLEM+JSON" } });
    expect(given.get("content-type")).toBe("application/problem+json");
  });

  test("[H1] a success is the same for all, and so is an error to those who name no problem", async () => {
    expect((await api.ask("GET", "/api/v1/time", { headers })).headers.get("content-type")).toBe("application/json");
    for (const accept of ["*/*", "application/json", "application/json, application/problem+json;q=0.1"]) {
      const { headers: given, code } = await api.ask("GET", "/api/v1/sales/1", { headers: { accept } });
      expect([given.get("content-type"), code]).toEqual(["application/json", 4041]);
    }
  });
});
