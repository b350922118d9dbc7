import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { publicErrors } from "../domain/errors.ts";
import { failure } from "./envelope.ts";

type Row = { reason: string; code: number; status: number; cells: string[] };

/** Rows of every table whose first cell is a code. */
function rowsOf(page: string): Row[] {
  const rows = page.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows
    .filter((cells) => cells.length === 6 && /^\d+$/.test(cells[0] ?? ""))
    .map((cells) => ({ code: Number(cells[0]), reason: (cells[1] ?? "").replaceAll("`", ""), status: Number(cells[2]), cells }));
}

const page = readFileSync(join(import.meta.dirname, "../../docs/errors.md"), "utf8");
const rows = rowsOf(page);

/** What registry and page say differently. */
function differences(registry: Record<string, { code: number; status: number }>, listed: readonly Row[]): string[] {
  const known = Object.entries(registry).map(([reason, { code, status }]) => `${code} ${reason} ${status}`);
  const shown = listed.map(({ code, reason, status }) => `${code} ${reason} ${status}`);
  return [
    ...known.filter((line) => !shown.includes(line)).map((line) => `not on the page: ${line}`),
    ...shown.filter((line) => !known.includes(line)).map((line) => `not in the registry: ${line}`),
    ...shown.filter((line, at) => shown.indexOf(line) !== at).map((line) => `twice on the page: ${line}`),
  ];
}

describe("docs/errors.md", () => {
  test("has every public error once, with its code and status, and no other", () => expect(differences(publicErrors, rows)).toEqual([]));

  test("the control: a missing row, an invented one and a wrong status are noticed", () => {
    const [first, ...rest] = rows;
    if (first === undefined) throw new Error("the page has rows");
    expect(differences(publicErrors, rest)).toHaveLength(1);
    expect(differences(publicErrors, [...rows, { ...first, reason: "invented" }])).toHaveLength(1);
    expect(differences(publicErrors, [{ ...first, status: 200 }, ...rest])).toHaveLength(2);
  });

  test("says of each what it means and what both sides do", () => {
    for (const { reason, cells } of rows)
      for (const cell of cells) expect([reason, cell.length > 1 || /^\d+$/.test(cell)]).toEqual([reason, true]);
  });

  test("codes are unique, and reasons are their own names", () => {
    expect(new Set(Object.values(publicErrors).map(({ code }) => code)).size).toBe(Object.keys(publicErrors).length);
    for (const reason of Object.keys(publicErrors)) expect(reason).toMatch(/^[a-z][a-z_]*$/);
  });
});

describe("every error", () => {
  test.each(Object.keys(publicErrors))("%s has a message without a final period, a todo and its headers", (name) => {
    // The keys of the registry are its reasons.
    const reason = name as keyof typeof publicErrors;
    const { status, body, headers } = failure(reason);
    const { code, message, data } = JSON.parse(body);
    expect([code, status, data.reason]).toEqual([publicErrors[reason].code, publicErrors[reason].status, reason]);
    for (const text of [message, data.todo]) expect(text).toMatch(/^[A-Z].*[^.]$/);
    expect(headers?.["Retry-After"]).toBe(status === 429 || status === 503 || status === 504 ? "1" : undefined);
  });
});
