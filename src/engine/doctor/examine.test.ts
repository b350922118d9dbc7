import { expect, test } from "bun:test";
import { ManualTime } from "../../../tests/kit/manual-time.ts";
import { examination, examinationMaxMs, examine, type Examination } from "./examine.ts";
import { ok, problem, warning, type Check } from "./finding.ts";

const why = "Because the test says so";
const size: Check<number> = { id: "size", why, judge: (n) => (n > 2 ? problem("too large", "rm", { value: n }) : ok("small")) };
const both: Check<number> = { id: "both", why, judge: () => [ok("one"), warning("two", "mend two")] };
const silent: Check<number> = { id: "silent", why, judge: () => undefined };

test("findings come in the order of the examinations, with their check's name and reason, and are counted", async () => {
  const seen: string[] = [];
  const list = [examination("first", async () => 3, [size, silent]), examination("second", async () => 1, [size, both])];
  const diagnosis = await examine(list, { tasks: new ManualTime(0), onExamination: (...said) => seen.push(said.join(" ")) });
  expect(diagnosis).toEqual({
    verdict: "problem",
    counts: { ok: 2, warning: 1, problem: 1 },
    findings: [
      { id: "size", level: "problem", found: "too large", value: 3, fix: "rm", why },
      { id: "size", level: "ok", found: "small", why },
      { id: "both", level: "ok", found: "one", why },
      { id: "both", level: "warning", found: "two", fix: "mend two", why },
    ],
  });
  expect(seen).toEqual(["first 0 2", "second 1 2"]);
});

test("the verdict is the worst of them", async () => {
  const verdict = async (...checks: Check<number>[]) =>
    (await examine([examination("one", async () => 1, checks)], { tasks: new ManualTime(0) })).verdict;
  expect(await verdict(size)).toBe("ok");
  expect(await verdict(size, both)).toBe("warning");
});

test("an examination that fails is a warning and stops none of the others", async () => {
  const broken: Examination = { name: "the moon", run: () => Promise.reject(new Error("EACCES")) };
  const { findings, verdict } = await examine([broken, examination("one", async () => 1, [size])], { tasks: new ManualTime(0) });
  expect(findings.map(({ id, level, found }) => [id, level, found])).toEqual([
    ["not-looked-at", "warning", "the moon could not be looked at: EACCES"],
    ["size", "ok", "small"],
  ]);
  expect(verdict).toBe("warning");
});

test("an examination that never ends is given up, and leaves no timer", async () => {
  const time = new ManualTime(0);
  const stuck: Examination = { name: "a frozen disk", run: () => new Promise(() => {}) };
  const running = examine([stuck, examination("one", async () => 1, [size])], { tasks: time });
  await time.advance(examinationMaxMs);
  const { findings } = await running;
  expect(findings.map(({ found }) => found)).toEqual(["a frozen disk could not be looked at: no answer within 30 s", "small"]);
  expect(time.timers).toBe(0);
});
