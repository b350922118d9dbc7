import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeMessage, encodeMessage, type JournalMessage, type Line } from "../../src/domain/journal-message.ts";
import { parseBuyerId, parsePurchaseId, parseSaleId } from "../../src/domain/ids.ts";
import { must } from "../kit/samples.ts";
import { money } from "../kit/samples.ts";
import { check } from "./property.ts";

const idText = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String);
const saleIds = idText.map((text) => must(parseSaleId(text)));
const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 128 });
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

const lines: fc.Arbitrary<Line> = fc.record({
  purchaseId: idText.map((text) => must(parsePurchaseId(text))),
  buyerId: positive.map((number) => must(parseBuyerId(number))),
  key: fc.option(texts, { nil: undefined }),
  quantity: fc.integer({ min: 1, max: 1_000_000 }),
  price: fc.record({ minor: positive, code: fc.constantFrom("EUR", "CNY", "JPY") }).map(({ minor, code }) => money(minor, code)),
  limit: fc.integer({ min: 1, max: 1_000_000 }),
  acceptedAtMs: positive,
  metadata: fc.option(fc.json(), { nil: undefined }),
});

const messages: fc.Arbitrary<JournalMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("lines" as const),
    scopeId: saleIds,
    epoch: fc.nat(),
    saleId: saleIds,
    lines: fc.array(lines, { minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant("mark" as const),
    scopeId: saleIds,
    epoch: fc.nat(),
    closing: fc.nat(),
    process: fc.nat({ max: 1_023 }),
    life: fc.string({ minLength: 1, maxLength: 32 }),
  }),
);

const roundTrip = (encode: (message: JournalMessage) => string) =>
  fc.property(messages, (message) => expect(decodeMessage(encode(message))).toEqual({ kind: "message", message }));

const title = "[J1-4] [QL8] a message carries every line and mark unchanged, whatever stands in it";
test(title, () => check(title, roundTrip(encodeMessage), 1_000));

const forgetful: Readonly<Record<string, (message: JournalMessage) => JournalMessage>> = {
  "loses metadata": (message) =>
    message.kind === "mark" ? message : { ...message, lines: message.lines.map((line) => ({ ...line, metadata: undefined })) },
  "loses the order of lines": (message) => (message.kind === "mark" ? message : { ...message, lines: message.lines.toReversed() }),
  "rounds large prices": (message) =>
    message.kind === "mark"
      ? message
      : {
          ...message,
          lines: message.lines.map((line) => ({ ...line, price: { ...line.price, minor: Number(line.price.minor.toPrecision(14)) } })),
        },
  "takes a mark for that of another closing": (message) =>
    message.kind === "mark" ? { ...message, closing: message.closing + 1 } : message,
};
for (const [name, plant] of Object.entries(forgetful))
  test(`[J1-4] control: a codec that ${name} is refuted`, async () => {
    const details = await fc.check(
      roundTrip((message) => encodeMessage(plant(message))),
      { numRuns: 2_000, endOnFailure: true },
    );
    expect(details.failed).toBe(true);
  });

const damageTitle = "[J1-4] [QL8] a damaged message is told as damaged, as of a later version, or is a whole message: never half of one";
test(damageTitle, () =>
  check(
    damageTitle,
    fc.property(messages, fc.nat(), fc.string({ maxLength: 3 }), fc.nat({ max: 4 }), (message, at, insert, cut) => {
      const text = encodeMessage(message);
      const place = at % text.length;
      const damaged = text.slice(0, place) + insert + text.slice(place + cut);
      const decoded = decodeMessage(damaged);
      if (decoded.kind !== "message") return;
      // What it is then is a message, and comes out as one.
      expect(decodeMessage(encodeMessage(decoded.message))).toEqual(decoded);
    }),
    1_000,
  ),
);

test("[QL8] what a later version wrote is told from what nobody wrote", () => {
  expect(decodeMessage('{"v":2,"whatever":true}')).toEqual({ kind: "newer", version: 2 });
  for (const text of [
    "",
    "null",
    "[]",
    '"text"',
    "{}",
    '{"v":1}',
    '{"v":1,"scope":"7","epoch":-1}',
    '{"v":1,"scope":"7","epoch":1,"sale":"7","lines":[]}',
  ])
    expect(decodeMessage(text).kind).toBe("damaged");
});
