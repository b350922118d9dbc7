import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "bun:test";
import { FileJournal } from "./provider-journal.ts";
import { readProviderLines } from "./provider-record.ts";

const folder = mkdtempSync(join(tmpdir(), "provider-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `journal-${++files}.jsonl`);

test("lines are read back whole and in order, across restarts", async () => {
  const path = newPath();
  for (let round = 0; round < 3; round++) {
    const journal = await FileJournal.open(path);
    expect(await journal.read()).toEqual(Array.from({ length: round * 100 }, (_, i) => `line ${i} é`));
    await Promise.all(Array.from({ length: 100 }, (_, i) => journal.append(`line ${round * 100 + i} é`)));
    await journal.close();
  }
});

test("a line is in the file when its append resolves", async () => {
  const path = newPath();
  const journal = await FileJournal.open(path);
  await journal.append("first");
  expect(readFileSync(path, "utf8")).toBe("first\n");
  await journal.close();
});

test("a line appended the moment another is kept is kept too", async () => {
  const path = newPath();
  const journal = await FileJournal.open(path);
  for (const line of ["first", "second", "third"]) await journal.append(line);
  await journal.close();
  expect(readFileSync(path, "utf8")).toBe("first\nsecond\nthird\n");
});

for (const torn of ["x", '{"kind":"capture","id":"cap_', "é".repeat(5).slice(0, 3)])
  test(`a torn last line (${torn.length} characters) is dropped, and the next one starts afresh`, async () => {
    const path = newPath();
    writeFileSync(path, "whole\n");
    appendFileSync(path, torn);
    const journal = await FileJournal.open(path);
    expect(await journal.read()).toEqual(["whole"]);
    await journal.append("next");
    await journal.close();
    expect(readFileSync(path, "utf8")).toBe("whole\nnext\n");
  });

test("a file cut at any byte gives the lines that were whole", async () => {
  const lines = ['{"kind":"a","é":1}', '{"kind":"b"}', '{"kind":"c"}'];
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  for (let size = 0; size <= bytes.length; size++) {
    const path = newPath();
    writeFileSync(path, bytes.subarray(0, size));
    const journal = await FileJournal.open(path);
    const whole = bytes.subarray(0, size).toString("latin1").split("\n").length - 1;
    expect(await journal.read()).toEqual(lines.slice(0, whole));
    await journal.close();
  }
});

test("an empty or new file has no lines", async () => {
  const journal = await FileJournal.open(newPath());
  expect(await journal.read()).toEqual([]);
  await journal.close();
});

test("a line written twice, because its first writing seemed to fail, counts once", () => {
  const money = { minor: 5, currency: "EUR" };
  const lines = [
    { kind: "payment", id: "7", purchaseId: "1", money, holdUntilMs: 2, scenario: "success", atMs: 1 },
    { kind: "capture", id: "cap", paymentId: "7", money, atMs: 1 },
    { kind: "refund", id: "9", captureId: "cap", money, atMs: 1 },
    { kind: "failed", paymentId: "7", atMs: 1 },
    { kind: "delivered", callbackId: "cb", atMs: 1 },
  ].map((line) => JSON.stringify(line));
  const record = readProviderLines(lines.flatMap((line) => [line, line]));
  expect([record.payments.size, record.captures.size, record.refunds.size, record.delivered.size]).toEqual([1, 1, 1, 1]);
  expect(record.captures.get("cap")?.refundedMinor).toBe(5);
  expect(record.payments.get("7")?.captures.length).toBe(1);
  expect(() => readProviderLines(['{"kind":"gift"}'])).toThrow("gift");
  expect(() => readProviderLines(['{"kind":'])).toThrow();
});
