import { expect, test } from "bun:test";
import { SeededRandom } from "./seeded-random.ts";
import { parseUtcText, utcText } from "./utc-text.ts";

test("agrees with the platform's own calendar, both ways, on 20,000 instants and every day of 400 years", () => {
  const random = new SeededRandom(11);
  for (let i = 0; i < 20_000; i++) {
    const ms = Math.floor((random.next() - 0.3) * 8e12);
    expect(utcText(ms)).toBe(new Date(ms).toISOString());
    expect(parseUtcText(utcText(ms))).toBe(ms);
  }
  for (let day = 0; day < 146_097; day++) {
    const ms = Date.UTC(1900, 0, 1) + day * 86_400_000;
    if (utcText(ms) !== new Date(ms).toISOString()) throw new Error(`${utcText(ms)} is not ${new Date(ms).toISOString()}`);
  }
});

test.each(["2030-02-30T00:00:00.000Z", "2030-01-01T24:00:00.000Z", "2030-01-01", "", "2030-01-01T00:00:00.000+00:00"])(
  "%j is no instant of this form",
  (text) => expect(parseUtcText(text)).toBeUndefined(),
);
