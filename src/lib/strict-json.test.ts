import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonDepthMax, parseStrictJson } from "./strict-json.ts";

const forbidden = ["__proto__", "constructor", "prototype"];
const cleanKey = fc.string({ unit: "grapheme" }).filter((key) => !forbidden.includes(key));
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    tie("list"),
    tie("record"),
  ),
  list: fc.array(tie("tree"), { maxLength: 4 }),
  record: fc.dictionary(cleanKey, tie("tree"), { maxKeys: 4 }),
}));

describe("strict JSON", () => {
  test("takes what JSON.parse takes and gives the same value, whatever the whitespace", () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(undefined, 1, "\t", " \n "), (value, space) => {
        const text = ` ${JSON.stringify(value, null, space)} `;
        expect(parseStrictJson(text)).toMatchObject({ kind: "json", value: JSON.parse(text) });
      }),
      { numRuns: 500 },
    );
  });

  test("gives each member's own text, so no digit is lost", () => {
    fc.assert(
      fc.property(fc.dictionary(cleanKey, tree, { maxKeys: 5 }), fc.constantFrom(undefined, 2, "\t"), (record, space) => {
        const parsed = parseStrictJson(JSON.stringify(record, null, space));
        if (parsed.kind === "bad") throw new Error(parsed.problem);
        expect(Object.fromEntries(parsed.members)).toEqual(
          Object.fromEntries(Object.entries(record).map(([k, v]) => [k, JSON.stringify(v)])),
        );
      }),
      { numRuns: 300 },
    );
    const parsed = parseStrictJson('{"price": 8999.00, "id" :12345678901234567890,"m":{ "a" : [ 1 , 2 ] } }');
    expect(parsed.kind === "json" && [...parsed.members]).toEqual([
      ["price", "8999.00"],
      ["id", "12345678901234567890"],
      ["m", '{"a":[1,2]}'],
    ]);
  });

  test("refuses whatever JSON.parse refuses, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[{}[\]":,\\u0-9a-f\s-]*$/)), (text) => {
        let legal = true;
        try {
          JSON.parse(text);
        } catch {
          legal = false;
        }
        const parsed = parseStrictJson(text);
        if (!legal) expect(parsed).toEqual({ kind: "bad", field: "body", problem: "must be valid JSON" });
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['{"a":1,"a":2}', "a", "twice"],
    ['{"a":1,"\\u0061":1}', "a", "twice"],
    ['{"m":{"b":[{"c":1,"c":1}]}}', "m.b[0].c", "twice"],
    ['{"__proto__":{}}', "__proto__", "allowed"],
    ['{"\\u005f_proto__":{}}', "__proto__", "allowed"],
    ['{"m":{"constructor":1}}', "m.constructor", "allowed"],
    ['{"prototype":1}', "prototype", "allowed"],
    ['{"quantity":1e400}', "quantity", "range"],
    ['{"quantity":-1e999}', "quantity", "range"],
    ["1e400", "body", "range"],
    ['{"s":"\\ud800"}', "s", "Unicode"],
    ['{"s":"\\udc00\\ud800"}', "s", "Unicode"],
    ['{"\\ud800":1}', "\ufffd", "Unicode"],
    ['"\ud800"', "body", "Unicode"],
    [`${"[".repeat(jsonDepthMax + 1)}${"]".repeat(jsonDepthMax + 1)}`, "[0][0][0][0][0][0][0][0][0][0]", "deep"],
    [`${'{"a":'.repeat(20)}1${"}".repeat(20)}`, "a.a.a.a.a.a.a.a.a.a", "deep"],
    ["", "body", "JSON"],
    ["NaN", "body", "JSON"],
    ['{"a":1,}', "body", "JSON"],
    ["{'a':1}", "body", "JSON"],
  ])("refuses %p and names %p", (text, field, word) => {
    const parsed = parseStrictJson(text);
    expect(parsed).toMatchObject({ kind: "bad", field });
    expect(parsed.kind === "bad" && parsed.problem).toContain(word);
  });

  test("takes nesting up to the limit", () => {
    expect(parseStrictJson("[".repeat(jsonDepthMax) + "]".repeat(jsonDepthMax)).kind).toBe("json");
  });

  test("survives sixty thousand open brackets", () => {
    expect(parseStrictJson("[".repeat(60_000)).kind).toBe("bad");
    expect(parseStrictJson("[".repeat(60_000) + "]".repeat(60_000)).kind).toBe("bad");
  });

  test("clips the name of an overlong field", () => {
    const parsed = parseStrictJson(`{"${"x".repeat(5000)}":1e999}`);
    expect(parsed.kind === "bad" && parsed.field.length).toBeLessThan(100);
  });
});
