import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { bufferedMax, LineSink, type WriteTo } from "./line-sink.ts";

const folder = mkdtempSync(join(tmpdir(), "doorbuster-log-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const freshPath = () => join(folder, `${++count}.log`);
const read = (path: string) => readFileSync(path, "utf8");
const toFile = (path: string, rotateBytes = 0, keep = 3) => ({ kind: "file", path, rotateBytes, keep }) as const;
const failure = (code: string) => Object.assign(new Error(code), { code });

test("lines arrive in order, behind what the file held", async () => {
  const path = freshPath();
  const sink = new LineSink(toFile(path));
  for (let i = 0; i < 1000; i++) sink.write(`line ${i}\n`);
  await sink.flush();
  const again = new LineSink(toFile(path));
  again.write("more\n");
  await again.flush();
  expect(read(path)).toBe(`${Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join("")}more\n`);
});

test("[LG7] a file rolls over before it grows beyond its size; so many older ones are kept, and no line is torn", async () => {
  const path = freshPath();
  const sink = new LineSink(toFile(path, 1_000, 2));
  for (let i = 0; i < 100; i++) {
    sink.write(`${String(i).padStart(99, "0")}\n`);
    await sink.flush();
  }
  expect(read(path).split("\n").filter(Boolean).map(Number)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  expect(read(`${path}.1`).length).toBe(1_000);
  expect(Number(read(`${path}.2`).slice(0, 99))).toBe(70);
  expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(path)).length).toBe(3);
  expect(sink.counts).toEqual({ dropped: 0, failed: 0, rotated: 9 });
});

test("[LG7] with nothing to keep, the old file goes", async () => {
  const path = freshPath();
  const sink = new LineSink(toFile(path, 10, 0));
  for (const line of ["first\n", "second\n"]) {
    sink.write(line);
    await sink.flush();
  }
  expect(read(path)).toBe("second\n");
  expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(`${path}.`))).toEqual([]);
});

test("[LG7] whatever the sizes, what is kept is the end of what was written, line by line", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 50, max: 500 }),
      async (sizes, max) => {
        const path = freshPath();
        const sink = new LineSink(toFile(path, max, 2));
        const lines = sizes.map((size, i) => `${i}:${"x".repeat(size)}\n`);
        for (const [i, line] of lines.entries()) {
          sink.write(line);
          if (i % 3 === 0) await sink.flush();
        }
        await sink.flush();
        const kept = [`${path}.2`, `${path}.1`, path].map((name) =>
          readdirSync(folder).includes(name.slice(folder.length + 1)) ? read(name) : "",
        );
        expect(lines.join("").endsWith(kept.join(""))).toBe(true);
        expect(kept.join("").endsWith(lines.at(-1) ?? "")).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

test("[LG7] opened anew by its name after it was moved away", async () => {
  const path = freshPath();
  const sink = new LineSink(toFile(path));
  sink.write("before\n");
  await sink.flush();
  renameSync(path, `${path}.moved`);
  sink.write("still the old one\n");
  await sink.flush();
  sink.reopen();
  sink.write("after\n");
  await sink.flush();
  expect([read(`${path}.moved`), read(path)]).toEqual(["before\nstill the old one\n", "after\n"]);
});

test("[LG8] what cannot be written is counted, never thrown, and the next line begins on its own", async () => {
  const path = freshPath();
  const script = [3, failure("ENOSPC"), failure("ENOSPC")];
  const disk: WriteTo = async (fd, bytes) => {
    const step = script.shift() ?? bytes.length;
    if (typeof step !== "number") throw step;
    return writeSync(fd, bytes, 0, step);
  };
  const sink = new LineSink(toFile(path), disk);
  for (const line of ["torn in the middle\n", "lost\n", "whole again\n"]) {
    sink.write(line);
    await sink.flush();
  }
  expect(read(path)).toBe("tor\nwhole again\n");
  expect(sink.counts.failed).toBe(2);
});

test("[LG8] a reader that has stopped costs lines beyond the buffer, no memory and no waiting", async () => {
  let go: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (go = resolve));
  let got = 0;
  const sink = new LineSink({ kind: "descriptor", fd: 1 }, async (_, bytes) => {
    await stopped;
    got += bytes.length;
    return bytes.length;
  });
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 5_000; i++) {
    sink.write(line);
    // The first chunk is under way while the others come.
    if (i === 0) await Promise.resolve();
  }
  go();
  await sink.flush();
  expect(sink.counts.dropped).toBe(5_000 - got / 1024);
  expect(got).toBeGreaterThanOrEqual(bufferedMax);
  expect(got).toBeLessThanOrEqual(bufferedMax + line.length);
});

test("[LG8] a descriptor that is busy gets the same bytes again", async () => {
  const got: string[] = [];
  const script = [failure("EAGAIN"), failure("EAGAIN")];
  const sink = new LineSink({ kind: "descriptor", fd: 1 }, async (_, bytes) => {
    const step = script.shift();
    if (step !== undefined) throw step;
    got.push(bytes.toString());
    return bytes.length;
  });
  sink.write("patient\n");
  await sink.flush();
  expect([got, sink.counts.failed]).toEqual([["patient\n"], 0]);
});

test("[LG9] the last flush writes all that waits, also what was under way", () => {
  const path = freshPath();
  const sink = new LineSink(toFile(path), () => new Promise(() => undefined));
  sink.write("one\n");
  sink.write("two\n");
  sink.flushSync();
  expect(read(path)).toBe("one\ntwo\n");
});

test("a file that cannot be opened is told at the start", () => {
  expect(() => new LineSink(toFile(join(folder, "missing", "a.log")))).toThrow("ENOENT");
});

test("[LG8] the descriptor was closed under us: counted, not thrown", async () => {
  const path = freshPath();
  const fd = openSync(path, "a");
  const sink = new LineSink({ kind: "descriptor", fd });
  closeSync(fd);
  sink.write("nowhere\n");
  await sink.flush();
  sink.flushSync();
  expect(sink.counts.failed).toBe(1);
});
