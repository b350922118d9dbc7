import { expect, test } from "bun:test";
import { SystemEntropy } from "./system-entropy.ts";

const entropy = new SystemEntropy();

test("random lies in [0, 1)", () => {
  for (let i = 0; i < 1_000; i++) {
    const value = entropy.random();
    expect(value >= 0 && value < 1).toBe(true);
  }
});

test("a secret has as many bytes as asked for, in base64url, and none twice", () => {
  const secrets = new Set(Array.from({ length: 1_000 }, () => entropy.secret(16)));
  expect(secrets.size).toBe(1_000);
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{22}$/);
});
