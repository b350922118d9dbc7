import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secretFromFile } from "./secret-file.ts";

const base = mkdtempSync(join(tmpdir(), "doorbuster-secret-"));
afterAll(() => rmSync(base, { recursive: true }));

test("a secret is made once, for its owner only, and nothing is left beside it", () => {
  const folder = join(base, "var");
  const path = join(folder, "token.secret");
  expect(secretFromFile(path, () => "first")).toBe("first");
  expect(secretFromFile(path, () => "second")).toBe("first");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["token.secret"]);
});

test("an empty secret file is refused rather than used", () => {
  const path = join(base, "token.secret");
  writeFileSync(path, "");
  expect(() => secretFromFile(path, () => "x")).toThrow("is empty");
});
