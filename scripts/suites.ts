/**
 * Every `*.test.ts` of the tree belongs to exactly one suite, found by its place: a new test file cannot be forgotten.
 * The quick suite needs little time and nothing but this process; the others try many cases, simulate many seeds, or start
 * servers and kill them.
 */
import { Glob } from "bun";
import { rootDir } from "./steps.ts";

export type Suite = { readonly name: string; readonly files: readonly string[] };

/**
 * Suites that run beside the others, one after the other in each lane: most of the time of those with real processes is
 * waiting. The patient ones only count, on a clock of their own, and give way.
 */
const lanesBeside = [
  { folders: ["properties", "simulation"], isPatient: true },
  { folders: ["nemesis", "e2e", "browser"], isPatient: false },
];

export type Lane = { readonly suites: readonly Suite[]; readonly isPatient: boolean; readonly isFirst: boolean };

/** The first lane has what is in no other. */
export function lanesOf(suites: readonly Suite[]): Lane[] {
  const beside = lanesBeside.map(({ folders, isPatient }) => ({
    suites: suites.filter(({ name }) => folders.includes(name)),
    isPatient,
    isFirst: false,
  }));
  const first = suites.filter(({ name }) => !lanesBeside.some(({ folders }) => folders.includes(name)));
  return [{ suites: first, isPatient: false, isFirst: true }, ...beside];
}

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
