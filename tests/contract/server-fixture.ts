import { openServerAuditSource } from "../../src/adapters/sql/server-audit-source.ts";
import { emptyStore, openTestStore } from "../kit/server-database.ts";
import { openDirectFixture, type OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";

/** Direct acceptance on a database server. A crash ends the connections in the middle of whatever they do. */
export async function openServerFixture(url: string): Promise<Fixture> {
  const first = await openTestStore(url);
  await emptyStore(first.database);
  await first.close();
  const open = async (): Promise<OpenStore> => {
    const store = await openTestStore(url);
    const { ledger, catalogue, records, database } = store;
    return {
      ledger,
      catalogue,
      records,
      audit: () => openServerAuditSource(database),
      end: () => store.close(),
      kill: () => database.close(),
    };
  };
  return openDirectFixture({ open, dispose: async () => undefined });
}
