/** The contract of acceptance on real database servers: direct, and with a cache before the ledger. */
import { afterAll, beforeAll } from "bun:test";
import { acceptanceContract } from "../contract/acceptance.ts";
import { openServerQueuedFixture } from "../contract/queued-fixture.ts";
import { queuedLacks } from "../contract/queued-lacks.ts";
import { openServerQueueLedger } from "../contract/queue-ledger-fixtures.ts";
import { queueLedgerContract } from "../contract/queue-ledger.ts";
import { openServerFixture } from "../contract/server-fixture.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { EmptyStores } from "../kit/server-database.ts";

const openMaxMs = 60_000;

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `on ${name}`, (engine) => {
    let stores: EmptyStores;
    beforeAll(async () => {
      stores = new EmptyStores(await engine().database("contract"));
    }, openMaxMs);
    afterAll(() => stores.close(), openMaxMs);
    acceptanceContract("direct acceptance", { open: () => openServerFixture(stores) });
    acceptanceContract("queued acceptance", { open: () => openServerQueuedFixture(stores), lacks: queuedLacks });
    queueLedgerContract("the server's store", { open: () => openServerQueueLedger(stores) });
  });
