import { openServerAuditSource } from "../../src/adapters/sql/server-audit-source.ts";
import { openTestStore, type EmptyStores } from "../kit/server-database.ts";
import { openDirectFixture, type OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";

/** Direct acceptance on a database server. A crash ends the connections in the middle of whatever they do. */
export async function openServerFixture(stores: EmptyStores): Promise<Fixture> {
  let store = await stores.take();
  let isOver = false;
  const open = async (): Promise<OpenStore> => {
    if (isOver) store = await openTestStore(stores.url);
    isOver = false;
    const { ledger, catalogue, records, database } = store;
    return {
      ledger,
      catalogue,
      records,
      audit: () => openServerAuditSource(database),
      end: async () => {
        isOver = true;
        await store.close();
      },
      kill: async () => {
        isOver = true;
        await database.close();
      },
      leave: () => stores.giveBack(store),
    };
  };
  return openDirectFixture({ open, dispose: async () => undefined });
}
