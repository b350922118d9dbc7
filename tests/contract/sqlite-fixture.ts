import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditSource } from "../../src/adapters/sql/audit-source.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import { openDirectFixture, type OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";

/** Direct acceptance on the SQLite store. A crash opens a copy of the files as they lay at that moment. */
export async function openSqliteFixture(): Promise<Fixture> {
  const base = await mkdtemp(join(tmpdir(), "doorbuster-contract-"));
  let life = 0;
  const open = async (): Promise<OpenStore> => {
    const dataDir = join(base, String(life));
    const store = await openSqliteStore({ dataDir });
    return {
      ledger: store.ledger,
      catalogue: store.catalogue,
      records: store.records,
      audit: async () => openAuditSource(dataDir),
      end: () => store.close(),
      kill: async () => {
        life += 1;
        await cp(dataDir, join(base, String(life)), { recursive: true, filter: (path) => !path.endsWith("-shm") });
        await store.close();
      },
    };
  };
  return openDirectFixture({ open, dispose: () => rm(base, { recursive: true, force: true }) });
}
