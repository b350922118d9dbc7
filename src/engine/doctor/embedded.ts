/** What doctor looks at in embedded mode: a disk that every yes waits for, and a store that one server has for itself. */
import type { DiskFacts } from "../../ports/machine-facts.ts";
import type { StoreFacts } from "../../ports/store-facts.ts";
import { diskChecks } from "./checks-disk.ts";
import { storeChecks } from "./checks-store.ts";
import { examination, type Examination } from "./examine.ts";
import { machineExaminations, type MachineProbes, type MachineSettings } from "./machine.ts";

export interface EmbeddedProbes extends MachineProbes {
  diskFacts(path: string): Promise<DiskFacts>;
  storeFacts(dataDir: string, options: { readonly full: boolean }): StoreFacts;
}

export type EmbeddedSettings = MachineSettings & {
  /** Look through the whole database, however large. */
  readonly full: boolean;
};

export function embeddedExaminations(probes: EmbeddedProbes, settings: EmbeddedSettings): readonly Examination[] {
  const { dataDir, full } = settings;
  const { before, after } = machineExaminations(probes, settings);
  const store = async () => ({ store: probes.storeFacts(dataDir, { full }), wallMs: (await probes.watchClock()()).wallMs });
  return [
    ...before,
    examination("the disk", () => probes.diskFacts(dataDir), diskChecks),
    examination("the store", store, storeChecks),
    ...after,
  ];
}
