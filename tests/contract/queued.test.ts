import { acceptanceContract } from "./acceptance.ts";
import { openQueuedFixture } from "./queued-fixture.ts";
import { queuedLacks } from "./queued-lacks.ts";

acceptanceContract("queued acceptance on models of ledger, cache and broker", { open: openQueuedFixture, lacks: queuedLacks });
