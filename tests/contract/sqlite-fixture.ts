import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReadOnly } from "../../src/adapters/sql/sqlite-connection.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import type { AuditSource, LedgerRow, Pages } from "../../src/ports/audit-source.ts";
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
      audit: async () => ledgerOf(dataDir),
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

/** The ledger alone: the contract reads no other table. */
function ledgerOf(dataDir: string): AuditSource {
  const database = openReadOnly(dataDir);
  async function* ledger(): Pages<LedgerRow> {
    const rows = database.prepare(
      `SELECT seq AS number, CAST(sale_id AS TEXT) AS saleId, CAST(source_id AS TEXT) AS sourceId, kind, units, buyer_limit AS "limit",
         at_ms AS atMs FROM ledger ORDER BY seq`,
    );
    // The columns are the fields of the row.
    yield (rows.all() as (LedgerRow & { limit: number | null })[]).map((row) => ({ ...row, limit: row.limit ?? undefined }));
  }
  return { ledger, close: async () => void database.close() } as unknown as AuditSource;
}
