/** The contracts of what stands beside the ledger, on real database servers: accounts, exports, and sharing a store. */
import { afterAll, beforeAll, describe, setDefaultTimeout, test } from "bun:test";
import { accountCases, checkFirstShop } from "../contract/account-cases.ts";
import { exportsContract } from "../contract/exports.ts";
import { sharingContract } from "../contract/sharing.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { EmptyStores } from "../kit/server-database.ts";
import type { ServerStore } from "../../src/adapters/sql/server-store.ts";
import { openSharingFixture } from "./sharing-fixture.ts";

const openMaxMs = 60_000;
/** Beside other work a server is slow, and a test that runs out of time takes the server with it that all others need. */
setDefaultTimeout(180_000);

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `on ${name}`, (engine) => {
    let stores: EmptyStores;
    beforeAll(async () => {
      stores = new EmptyStores(await engine().database("ports"));
    }, openMaxMs);
    afterAll(() => stores.close(), openMaxMs);

    const onStore = async (run: (store: ServerStore) => Promise<void>) => {
      const store = await stores.take();
      try {
        await run(store);
      } finally {
        await stores.giveBack(store);
      }
    };

    describe("accounts", () => {
      for (const { rule, title, run } of accountCases) test(`[${rule}] ${title}`, () => onStore(({ accounts }) => run(accounts)));
      test("[AC15] the first shop takes over what was there before shops were kept", () => onStore(checkFirstShop));
    });

    let exported: ServerStore | undefined;
    exportsContract("the server's store", {
      open: async () => (exported = await stores.take()),
      close: async () => exported && stores.giveBack(exported),
    });

    sharingContract("processes that share the store", { open: () => openSharingFixture(stores) });
  });
