import { auditRowsOf } from "../../src/adapters/memory/audit-source.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { GoodRun, type Evidence } from "./good-run.ts";

/** A good run over the memory store. */
export async function memoryRun(seed: number, waves: number): Promise<Evidence> {
  const store = new MemoryStore();
  const traces = await new GoodRun(seed, { ledger: store, catalogue: store, records: store }).run(waves);
  return { ...traces, rows: auditRowsOf(store.tables) };
}
