import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseAsWritten } from "./parse-as-written.ts";

test.each(['{"ref":12345678901234567890.10,"list":[1e5,-0,{"x":0.1000}],"text":"1.10","no":null,"yes":true}', "{}", "1.10"])(
  "writes back what it read: %s",
  (json) => expect(JSON.stringify(parseAsWritten(json))).toBe(json),
);

test("agrees with JSON.parse and JSON.stringify on whatever these two keep", () => {
  fc.assert(fc.property(fc.json(), (json) => expect(JSON.parse(JSON.stringify(parseAsWritten(json)))).toEqual(JSON.parse(json))));
});
