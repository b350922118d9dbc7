import { auditRowsOf, MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { MemoryStore, type CommitSteps, type Snapshot } from "../../src/adapters/memory/memory-store.ts";
import type { LedgerBatch, StockLedger } from "../../src/ports/stock-ledger.ts";
import { turns } from "../kit/manual-time.ts";
import { openDirectFixture, type DirectSetup, type OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";

/** A bug for a control: in the commit, in its sync, between engine and ledger, or in the engine's bounds. */
export type Plant = Pick<DirectSetup, "around" | "options"> & {
  readonly steps?: Partial<CommitSteps> | undefined;
  readonly skipSync?: boolean | undefined;
};

/** Direct acceptance on the memory store, with a disk that keeps what was synced. */
export function openMemoryFixture({ steps, skipSync = false, around, options }: Plant = {}): Promise<Fixture> {
  let disk: Snapshot | undefined;
  const open = async (): Promise<OpenStore> => {
    const store = new MemoryStore({ steps });
    if (disk !== undefined) store.restore(disk);
    let dead = false;
    const sync = () => {
      if (!dead) disk = store.snapshot();
    };
    const ledger: StockLedger = {
      batchesAcrossSales: store.batchesAcrossSales,
      async commit(batch: LedgerBatch) {
        const result = await store.commit(batch);
        await turns(1);
        if (!skipSync) sync();
        return result;
      },
    };
    return {
      ledger,
      catalogue: store,
      records: store,
      audit: async () => new MemoryAuditSource(auditRowsOf(store.tables)),
      end: async () => sync(),
      kill: async () => {
        dead = true;
      },
    };
  };
  return openDirectFixture({ open, dispose: async () => undefined, around, options });
}
