/** The modes and what doctor looks at in each. A new one is a row here, and a list of examinations in a file of its own. */
import { assert } from "../../lib/assert.ts";
import { embeddedExaminations, type EmbeddedProbes, type EmbeddedSettings } from "./embedded.ts";
import type { Examination } from "./examine.ts";
import { queuedExaminations, type QueuedProbes, type QueuedSettings } from "./queued.ts";
import { sqlExaminations } from "./sql.ts";

export type DoctorProbes = EmbeddedProbes & QueuedProbes;
export type DoctorSettings = EmbeddedSettings & QueuedSettings;

type List = (probes: DoctorProbes, settings: DoctorSettings) => readonly Examination[];
const lists = new Map<string, List>([
  ["embedded", embeddedExaminations],
  ["sql", sqlExaminations],
  ["queued", queuedExaminations],
]);

export function examinationsOf(mode: string, probes: DoctorProbes, settings: DoctorSettings): readonly Examination[] {
  const list = lists.get(mode);
  assert(list !== undefined, "every mode has its examinations");
  return list(probes, settings);
}
