/**
 * Every `*.test.ts` of the tree belongs to exactly one suite, found by its place: a new test file cannot be forgotten.
 * The quick suite needs little time and nothing but this process; the others try many cases, simulate many seeds, or start
 * servers and kill them.
 */
import { Glob } from "bun";
import { rootDir } from "./steps.ts";

export type Suite = { readonly name: string; readonly files: readonly string[] };

/** Those that only count, on a clock of their own: they run beside the others and give way to them. */
const patientFolders = ["properties", "simulation"];
export const isPatient = ({ name }: Suite): boolean => patientFolders.includes(name);

/** Folders of tests/ that run outside the quick suite, in the order that finds a mistake soonest. */
const slowFolders = ["properties", "hostility", "verify", "harness", "engines", "simulation", "nemesis", "e2e", "browser", "deploy"];
const places = ["src", "scripts", "tests", "bench"];

export function suiteOf(file: string): string {
  const [place = "", folder = ""] = file.split("/");
  return place === "tests" && slowFolders.includes(folder) ? folder : "quick";
}

/** The suites that have files, quick first. */
export function findSuites(): Suite[] {
  const files = places.flatMap((place) => [...new Glob(`${place}/**/*.test.ts`).scanSync({ cwd: rootDir })]).toSorted();
  return ["quick", ...slowFolders]
    .map((name) => ({ name, files: files.filter((file) => suiteOf(file) === name) }))
    .filter((suite) => suite.files.length > 0);
}
