import { expect, test } from "bun:test";
import { generateSync } from "otplib";
import { createOneTimeCodes } from "./one-time-codes.ts";

const codes = createOneTimeCodes("Doorbuster");
const secret = codes.newSecret();
const nowMs = 1_900_000_005_000;
const step = Math.floor(nowMs / 30_000);
const codeAt = (ms: number) => generateSync({ secret, epoch: Math.floor(ms / 1000) });
const check = (code: string, atMs = nowMs, afterStep = 0) => codes.check({ secret, code, nowMs: atMs, afterStep });

test("[AC12] the code of now counts, and of a step before and after, with its step; no other", () => {
  expect(check(codeAt(nowMs))).toBe(step);
  expect(check(codeAt(nowMs - 30_000))).toBe(step - 1);
  expect(check(codeAt(nowMs + 30_000))).toBe(step + 1);
  expect(check(codeAt(nowMs - 90_000))).toBeUndefined();
  expect(check(codeAt(nowMs + 90_000))).toBeUndefined();
});

test("[AC12] a step that was used counts no more, nor one before it, whatever the clock does", () => {
  const code = codeAt(nowMs);
  expect(check(code, nowMs, step - 1)).toBe(step);
  expect(check(code, nowMs, step)).toBeUndefined();
  expect(check(codeAt(nowMs - 30_000), nowMs, step)).toBeUndefined();
  expect(check(code, nowMs, step + 1000)).toBeUndefined();
});

test.each(["", "12345", "1234567", "12 456", "abcdef", "１２３４５６", "-12345", "1e5000"])("[AC12] %p is no code", (code) =>
  expect(check(code)).toBeUndefined(),
);

test("[AC12] an app reads name and secret from the address", () => {
  const uri = codes.uri(secret, "ann@example.org");
  expect(uri).toStartWith("otpauth://totp/Doorbuster:ann%40example.org?");
  expect(new URL(uri).searchParams.get("secret")).toBe(secret);
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
});
