import { acceptanceContract } from "./acceptance.ts";
import { openQueuedFixture } from "./queued-fixture.ts";

const models = "the models end with the test: the simulation restarts them";
const queue = "a take waits for no commit here: the queue's own tests hold its parts up";
const apart = "takes are decided by the cache, all else by the ledger: they share no commit";
acceptanceContract("queued acceptance on models of ledger, cache and broker", {
  open: openQueuedFixture,
  lacks: { crash: models, restart: models, hold: queue, fail: queue, poison: queue, one_commit: apart },
});
