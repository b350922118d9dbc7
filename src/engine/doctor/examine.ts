/**
 * Runs the examinations one after the other: measurements of the disk and the clock must not disturb each other. An
 * examination that fails or takes too long is a warning of its own and stops none of the others: doctor is for machines
 * on which things are broken.
 */
import type { Tasks } from "../../ports/tasks.ts";
import { judgeAll, worstOf, type Check, type Finding, type Level } from "./finding.ts";

export type Examination = { readonly name: string; readonly run: () => Promise<readonly Finding[]> };

export type Diagnosis = {
  readonly verdict: Level;
  readonly counts: Readonly<Record<Level, number>>;
  readonly findings: readonly Finding[];
};

export const examinationMaxMs = 30_000;

/** Facts from one source, and the checks that judge them. */
export function examination<Facts>(name: string, look: () => Promise<Facts>, checks: readonly Check<Facts>[]): Examination {
  return { name, run: async () => judgeAll(checks, await look()) };
}

export type ExamineOptions = {
  readonly tasks: Tasks;
  readonly onExamination?: ((name: string, done: number, total: number) => void) | undefined;
};

export async function examine(examinations: readonly Examination[], { tasks, onExamination }: ExamineOptions): Promise<Diagnosis> {
  const findings: Finding[] = [];
  for (const [done, { name, run }] of examinations.entries()) {
    onExamination?.(name, done, examinations.length);
    findings.push(...(await bounded(run, tasks).catch((error: unknown) => [notLookedAt(name, error)])));
  }
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  return { verdict: worstOf(findings), counts: { ok: count("ok"), warning: count("warning"), problem: count("problem") }, findings };
}

async function bounded<Result>(run: () => Promise<Result>, tasks: Tasks): Promise<Result> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = tasks.after(examinationMaxMs, () => reject(new Error(`no answer within ${examinationMaxMs / 1000} s`)));
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    cancel();
  }
}

function notLookedAt(name: string, error: unknown): Finding {
  return {
    id: "not-looked-at",
    level: "warning",
    found: `${name} could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
    why: "What was not looked at may be what is wrong",
    fix: "Run doctor as the user that runs the server, on the machine it runs on",
  };
}
