import { expect, test } from "bun:test";
import { plainLineMinMs, ProgressLine, redrawMinMs } from "./progress.ts";

function world({ isTerminal, columns, long }: { isTerminal: boolean; columns?: number; long?: boolean }) {
  const time = { ms: 0 };
  const written = { out: "", err: "" };
  const console = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    isTerminal,
    columns: () => columns,
  };
  return { time, written, progress: new ProgressLine(console, { long, monotonicMs: () => time.ms }) };
}

test("[H7] without a terminal progress is whole lines, at a bounded rate, on standard error only", () => {
  const { time, written, progress } = world({ isTerminal: false });
  for (let row = 0; row <= 100; row++) {
    progress.show({ what: "Reading orders", done: row * 1000, total: 100_000, unit: "rows" });
    time.ms += plainLineMinMs / 25;
  }
  progress.end();
  expect(written.out).toBe("");
  expect(written.err).not.toContain("\u001B");
  expect(written.err).not.toContain("\r");
  expect(written.err.split("\n")).toEqual([
    "Reading orders  █████░░░░░░░░░░░░░░░   25 %  25,000 of 100,000 rows",
    "Reading orders  ██████████░░░░░░░░░░   50 %  50,000 of 100,000 rows",
    "Reading orders  ███████████████░░░░░   75 %  75,000 of 100,000 rows",
    "Reading orders  ████████████████████  100 %  100,000 of 100,000 rows",
    "",
  ]);
});

test("[H7] on a terminal one line rewrites itself, no more than ten times a second, and is gone at the end", () => {
  const { time, written, progress } = world({ isTerminal: true });
  for (let ms = 0; ms < 10 * redrawMinMs; ms++) {
    time.ms = ms;
    progress.show({ what: "Reading", done: ms, unit: "rows" });
  }
  progress.end();
  const drawn = written.err.split("\r\u001B[2K");
  expect(drawn.slice(1, 4)).toEqual(["Reading  0 rows", "Reading  100 rows", "Reading  200 rows"]);
  expect(drawn).toHaveLength(1 + 10 + 1);
  expect(drawn.at(-1)).toBe("");
  expect(written.err).not.toContain("\n");
});

test("a line never wraps, whatever the terminal's width", () => {
  const narrow = world({ isTerminal: true, columns: 12 });
  narrow.progress.show("0123456789abcdef");
  expect(narrow.written.err).toBe("\r\u001B[2K0123456789…");
  const unknown = world({ isTerminal: true, columns: 0 });
  unknown.progress.show("x".repeat(100));
  expect(unknown.written.err).toBe(`\r\u001B[2K${"x".repeat(78)}…`);
});

test("quick work says nothing, a line that says nothing new is not repeated, and ending without a line writes nothing", () => {
  const { time, written, progress } = world({ isTerminal: false });
  progress.end();
  progress.show("Reading nothing for long");
  time.ms += plainLineMinMs;
  progress.show("Reading");
  time.ms += plainLineMinMs;
  progress.show("Reading");
  progress.end();
  progress.end();
  expect(written.err).toBe("Reading\n");
});

test("more than the total is not more than all", () => {
  const { time, written, progress } = world({ isTerminal: false });
  time.ms = plainLineMinMs;
  progress.show({ what: "Reading", done: 12, total: 10, note: "seed 1" });
  expect(written.err).toBe("Reading  ████████████████████  100 %  12 of 10  seed 1\n");
});

test("work that is known to be long says so at once, also without a terminal", () => {
  const { written, progress } = world({ isTerminal: false, long: true });
  progress.show("Storming");
  progress.show("Storming on");
  expect(written.err).toBe("Storming\n");
});
