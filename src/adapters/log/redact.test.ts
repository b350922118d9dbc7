import { expect, test } from "bun:test";
import fc from "fast-check";
import { guarded, linesPerSecondMax } from "./open-log.ts";
import { jsonLines } from "./pino-log.ts";
import { lineLengthMax, redact, redactText } from "./redact.ts";

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";

const shapes: readonly [what: string, text: string, marker: string][] = [
  ["a bearer token", "got Authorization: Bearer canary-token-123 from it", "canary"],
  ["a bearer in lower case", "bearer canary.token", "canary"],
  ["basic credentials", "Basic Y2FuYXJ5OmNhbmFyeQ==", "Y2FuYXJ5"],
  ["a JWT", `token ${jwt} is bad`, "c2lnbmF0dXJl"],
  ["a JWT cut short", `token ${jwt.slice(0, 30)}`, "eyJhbG"],
  ["a server key", "key dbk_canary_0123456789 is unknown", "canary"],
  ["a refresh token", "used dbr_7421690423771136.canary.6KZVXENowHrK9Zj again", "canary"],
  ["a webhook secret", "secret whsec_Y2FuYXJ5Y2FuYXJ5", "Y2FuYXJ5"],
  ["an e-mail", "no account for canary.bird+1@mail.example.com", "canary"],
  ["a card number", "card 4111 1111 1111 1111 declined", "1111"],
  ["a card number with dashes", "card 4111-1111-1111-1111", "1111"],
  ["a phone number", "call 8613912345678", "3912345"],
  ["a mobile number", "call 13912345678", "3912345"],
  ["a mobile number in groups", "call 139-1234-5678", "1234"],
];
test.each([...shapes])("[LG5] hides %s in a text", (_, text, marker) => {
  expect(text).toContain(marker);
  expect(redactText(text)).not.toContain(marker);
});

const names = [
  "authorization",
  "Authorization",
  "cookie",
  "set-cookie",
  "password",
  "new_password",
  "secret",
  "client_secret",
  "token",
  "access_token",
  "refreshToken",
  "api_key",
  "apiKey",
  "X-API-Key",
  "signature",
  "webhook-signature",
  "idempotency_key",
  "Idempotency-Key",
  "key",
  "otp",
  "totp",
  "metadata",
  "body",
  "headers",
  "query",
  "user_id",
  "userId",
  "X-User-Id",
  "username",
  "email",
  "e-mail",
  "phone",
  "display_name",
  "user_agent",
  "X-Forwarded-For",
  "subject",
  "private_key",
];
test.each(names)("[LG5] hides the field %s, however deep it stands", (name) => {
  const { fields } = redact("m", { [name]: "canary-1", deep: { list: [{ [name]: { inside: "canary-2" } }] } });
  expect(JSON.stringify(fields)).not.toContain("canary");
});

test("[LG5] what an operator needs stays", () => {
  const fields = {
    sale_id: "4611686018427387904",
    id: "4611686018427387904",
    status: 201,
    took_ms: 1.5,
    data: "./var/a",
    url: "http://127.0.0.1:8083",
  };
  expect(redact("listening at 2026-11-20T10:00:05.123Z", fields)).toEqual({ message: "listening at 2026-11-20T10:00:05.123Z", fields });
});

test("[LG5] an error is told with its causes, and without what it quotes", () => {
  const cause = Object.assign(new RangeError(`bad ${jwt}`), { code: "E1" });
  const { fields } = redact("failed", { err: new Error("for canary@mail.example.com", { cause }) });
  const text = JSON.stringify(fields);
  expect(text).not.toMatch(/canary@|c2lnbmF0dXJl/);
  expect(fields["err"]).toMatchObject({
    type: "Error",
    message: "for [e-mail]",
    cause: { type: "RangeError", message: "bad [token]", code: "E1" },
  });
});

test("[LG5, LG6] odd values: cycles, classes, functions and bytes are named, not shown", () => {
  const cycle: Record<string, unknown> = { a: 1 };
  cycle["self"] = cycle;
  const { fields } = redact("m", {
    cycle,
    map: new Map([["canary", 1]]),
    bytes: Buffer.from("canary"),
    call: () => "canary",
    none: undefined,
    big: 10n,
  });
  expect(JSON.stringify(fields)).not.toContain("canary");
  expect(fields).toMatchObject({ map: "[Map]", bytes: "[Buffer]", call: "[function]", big: "10" });
});

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, maxDepth: 6 });

test("[LG6, LG5] whatever is logged is one line of JSON within its size, in 1,000 tries", () => {
  const written: string[] = [];
  const log = guarded(
    jsonLines((line) => void written.push(line)),
    () => written.length * 1000,
  )("info");
  fc.assert(
    fc.property(
      fc.string({ maxLength: 20_000, unit: "binary" }),
      fc.dictionary(fc.string({ unit: "binary" }), anything),
      (message, fields) => {
        log(message, fields);
        const line = written.at(-1) ?? "";
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(lineLengthMax);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        JSON.parse(line);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("[LG6] long and wide values are cut to the size of a line", () => {
  const written: string[] = [];
  const log = guarded(
    jsonLines((line) => void written.push(line)),
    () => 0,
  )("error");
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, "\u0001".repeat(500)]));
  log("\u0000".repeat(100_000), { err: new Error("字".repeat(100_000)), wide, list: Array.from({ length: 9_999 }, () => "字".repeat(99)) });
  log("x", { wide });
  for (const line of written) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(lineLengthMax);
    JSON.parse(line);
  }
});

test("[LG5] hostile texts cost linear time: each pattern looks at 16 KiB and no more", () => {
  for (const unit of ["a", "1 ", "1", "a.", "@", "a@a.", "eyJ", "Bearer ", "dbk_", "-", "\n"])
    expect(redactText(unit.repeat(100_000)).length).toBeLessThanOrEqual(16 * 1024 + 8192);
});

test("[LG2] beyond so many lines a second the others are counted, and the count is told", async () => {
  const lines: [string, unknown][] = [];
  const log = guarded(
    (_, message, fields) => void lines.push([message, fields["left_out"]]),
    () => 5,
  )("warn");
  for (let i = 0; i < linesPerSecondMax + 50; i++) log("flood", { i });
  expect(lines.length).toBe(linesPerSecondMax);
  const untilMs = performance.now() + 5_000;
  while (lines.length === linesPerSecondMax && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(lines.at(-1)).toEqual(["log lines were left out", 50]);
});
