import { auditRowsOf, MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { MemoryStore, type CommitSteps, type Snapshot } from "../../src/adapters/memory/memory-store.ts";
import type { LedgerBatch, StockLedger } from "../../src/ports/stock-ledger.ts";
import { turns } from "../kit/manual-time.ts";
import { openDirectFixture, type OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";

/** Direct acceptance on the memory store, with a disk that keeps what was synced. `steps` plants a bug. */
export function openMemoryFixture(steps?: Partial<CommitSteps>): Promise<Fixture> {
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
        sync();
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
  return openDirectFixture({ open, dispose: async () => undefined });
}
