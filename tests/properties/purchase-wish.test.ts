/**
 * The purchase route reads its body by hand, for speed; the API's description has a schema of it. Both must take the same
 * bodies and read the same out of them.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { metadataLengthMax } from "../../src/domain/purchase.ts";
import { purchaseBody } from "../../src/http/contract/requests.ts";
import { wishOf } from "../../src/http/routes/purchase.ts";
import { parseStrictJson } from "../../src/lib/strict-json.ts";
import { check } from "./property.ts";

const headers = new Headers({ "content-type": "application/json" });
const runs = 10_000;

const quantity = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.constantFrom(999_999, 1_000_000, 1_000_001, 2 ** 53, 1.5, 0, -0, 1e21, Number.MAX_SAFE_INTEGER),
  fc.jsonValue(),
);
const metadata = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), fc.jsonValue(), fc.constant({ a: "x".repeat(1000) }));
const body = fc.oneof(
  fc.record({ quantity, metadata }, { requiredKeys: [] }),
  fc.record({ quantity, metadata, colour: fc.jsonValue() }, { requiredKeys: ["colour"] }),
  fc.jsonValue(),
);

type Read = (text: string) => { quantity: number; metadata: unknown } | "refused";

const byHand: Read = (text) => {
  const wish = wishOf(text, headers);
  if (wish.kind === "reply") return "refused";
  return { quantity: wish.quantity, metadata: wish.metadata === undefined ? undefined : JSON.parse(wish.metadata) };
};

/** By the schema, on what is JSON to us; the length of metadata is what no schema can say. */
const bySchema: Read = (text) => {
  const json = parseStrictJson(text);
  const read = json.kind === "bad" ? undefined : purchaseBody.safeParse(json.value).data;
  if (json.kind === "bad" || read === undefined) return "refused";
  const length = Buffer.byteLength(json.members.get("metadata") ?? "");
  return length > metadataLengthMax ? "refused" : { quantity: read.quantity, metadata: read.metadata };
};

const agree = (left: Read, right: Read) =>
  fc.property(body, fc.nat({ max: 2 }), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    expect(left(text)).toEqual(right(text));
  });

test(`[H2] ${runs} bodies are read alike by the purchase route and by its schema`, () =>
  check("read alike", agree(byHand, bySchema), runs));

test("the control: a reader that takes a quantity of 0 is found out", async () => {
  const lax: Read = (text) => (text.startsWith('{"quantity":0') ? { quantity: 0, metadata: undefined } : byHand(text));
  expect((await fc.check(agree(lax, bySchema), { numRuns: runs })).failed).toBe(true);
});
