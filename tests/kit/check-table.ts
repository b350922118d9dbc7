/** Findings of doctor as tables: facts that are just good enough, and facts that are not, with what is said of them. */
import { describe, expect, test } from "bun:test";
import { judgeAll, type Check, type Level } from "../../src/engine/doctor/finding.ts";

/** id, facts that differ from the good ones, level (or none: nothing to judge), a part of what is said. */
export type Row<Facts> = readonly [id: string, change: Partial<Facts>, level: Level | "none", part: string];

export function checkTables() {
  const covered = new Map<string, Set<Level | "none">>();

  function table<Facts extends object>(name: string, checks: readonly Check<Facts>[], good: Facts, rows: readonly Row<Facts>[]) {
    describe(name, () => {
      test("good facts are all ok", () => {
        expect(judgeAll(checks, good).filter(({ level }) => level !== "ok")).toEqual([]);
      });
      test.each(rows.map((row) => [row[0], row[2], row[3], row] as const))("[H7] %s: %s, %s", (id, level, part, row) => {
        const findings = judgeAll(checks, { ...good, ...row[1] }).filter((finding) => finding.id === id);
        if (level === "none") return expect(findings).toEqual([]);
        expect(findings[0]).toMatchObject({ id, level });
        expect(findings[0]?.found).toContain(part);
        expect(findings[0]?.why).toMatch(/^[A-Z].{20,}[^.]$/);
        if (level === "ok") expect(findings[0]?.fix).toBeUndefined();
        else expect(findings[0]?.fix).toMatch(/^[^\n]{6,}$/);
      });
    });
    for (const { id } of checks) {
      const levels = covered.get(id) ?? new Set();
      for (const row of rows) if (row[0] === id) levels.add(row[2]);
      covered.set(id, levels);
    }
  }

  /** Stands behind the tables. `neverBad`: what is only told. */
  function allCovered(neverBad: readonly string[] = []) {
    test("every check has a row for what it finds good, and one for what it does not, if there is such a thing", () => {
      for (const [id, levels] of covered) {
        expect([id, levels.has("ok")]).toEqual([id, true]);
        if (!neverBad.includes(id)) expect([id, levels.has("warning") || levels.has("problem")]).toEqual([id, true]);
      }
    });
  }

  return { table, allCovered };
}
