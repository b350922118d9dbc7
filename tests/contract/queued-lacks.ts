import type { Lacks } from "./fixture.ts";

const models = "the models end with the test: the simulation restarts them";
const queue = "a take waits for no commit here: the queue's own tests hold its parts up";
const apart = "takes are decided by the cache, all else by the ledger: they share no commit";

export const queuedLacks: Lacks = { crash: models, restart: models, hold: queue, fail: queue, poison: queue, one_commit: apart };
