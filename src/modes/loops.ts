/** The loops of a process: what its roles ask for, and what it does for living on a store with others. */
import { outcomesKeptMs, purgeAtCut } from "../adapters/sql/purge-at-cut.ts";
import { changeLogKeptMs, purgeChangeLog } from "../adapters/sql/server-change-feed.ts";
import type { AccessFollower } from "../engine/accounts/follow-access.ts";
import type { Log } from "../ports/log.ts";
import type { PaymentProvider } from "../ports/payment-provider.ts";
import { followTickMs, runAccessFollower } from "../worker/access-follower.ts";
import { changesTickMs, runChangeFollower } from "../worker/change-follower.ts";
import type { LoopOptions } from "../worker/loop.ts";
import { pollTickMs, runPaymentPoller } from "../worker/payment-poller.ts";
import { refundTickMs, runRefunder } from "../worker/refunder.ts";
import {
  feedTickMs,
  openTickMs,
  readPartitions,
  reconcileTickMs,
  relayTickMs,
  runCacheSweeper,
  runFeeder,
  runOpener,
  runReconciler,
  runRelay,
  runScopeFollower,
  scopesTickMs,
  sweepCacheTickMs,
} from "../worker/queue-workers.ts";
import { runSettler, settleTickMs } from "../worker/settler.ts";
import {
  clockTickMs,
  housekeepTickMs,
  membershipTickMs,
  purgedMax,
  runClockFollower,
  runHousekeeper,
  runMembership,
} from "../worker/sharing.ts";
import { runSweeper, sweepTickMs } from "../worker/sweeper.ts";
import type { Engine } from "./engine.ts";
import type { SharedStore } from "./opened-store.ts";

export type WorkerParts = {
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  readonly follower: AccessFollower;
  readonly roles: readonly string[];
};

/** Loops that live as long as the server. One that ends by a bug takes the process with it: better restarted than half alive. */
export function startWorkers(engine: Engine, parts: WorkerParts, log: Log): () => Promise<void> {
  const controller = new AbortController();
  const { shared } = engine.store;
  const loop = (name: string, tickMs: number): LoopOptions => ({
    tasks: engine.tasks,
    signal: controller.signal,
    tickMs,
    onUnavailable: (error) => log.warn("the store did not answer", { worker: name, code: error.code, message: error.message }),
  });
  /** Of all processes one does it. */
  const singleton = (name: string, tickMs: number): LoopOptions => ({
    ...loop(name, tickMs),
    lease: shared && { leases: shared.leases, name },
  });
  const deps = { ...engine, providers: parts.providers };
  const running = [runAccessFollower(parts.follower, loop("access follower", followTickMs))];
  if (parts.roles.includes("worker"))
    running.push(
      runSweeper(engine, singleton("sweeper", sweepTickMs)),
      runSettler(engine, singleton("settler", settleTickMs)),
      runRefunder(deps, singleton("refunder", refundTickMs)),
      runPaymentPoller(deps, singleton("payment poller", pollTickMs)),
    );
  if (shared !== undefined) running.push(...startSharing(engine, shared, { loop, singleton, roles: parts.roles }));
  running.push(...startQueue(engine, { loop, singleton, roles: parts.roles }, controller.signal));
  for (const worker of running)
    worker.catch((error: unknown) => {
      log.error("a worker failed", { error: error instanceof Error ? error.stack : String(error) });
      process.exit(1);
    });
  return async () => {
    controller.abort();
    await Promise.allSettled(running);
  };
}

type Loops = { readonly [Kind in "loop" | "singleton"]: (name: string, tickMs: number) => LoopOptions } & {
  readonly roles: readonly string[];
};

/** What a process does for living on a store with others. */
function startSharing(engine: Engine, shared: SharedStore, { loop, singleton, roles }: Loops): Promise<void>[] {
  const running = [
    runMembership(shared.membership, loop("membership", membershipTickMs)),
    runClockFollower(shared.measureClock, loop("clock follower", clockTickMs)),
  ];
  const { changeFeed, database } = shared;
  if (roles.includes("api")) running.push(runChangeFollower({ ...engine, changeFeed }, loop("change follower", changesTickMs)));
  if (roles.includes("worker")) {
    const purge = async () => {
      const nowMs = Math.floor(engine.clock.nowMs());
      const changes = await purgeChangeLog(database, { beforeMs: nowMs - changeLogKeptMs, countMax: purgedMax });
      return Math.max(changes, await purgeAtCut(database, { beforeMs: nowMs - outcomesKeptMs, countMax: purgedMax }));
    };
    running.push(runHousekeeper(purge, singleton("housekeeper", housekeepTickMs)));
  }
  return running;
}

/** What a process does where a cache decides: its roles' part of carrying, settling and opening. */
function startQueue(engine: Engine, { loop, singleton, roles }: Loops, signal: AbortSignal): Promise<void>[] {
  const { queuedParts: parts } = engine;
  const { queue } = engine.store;
  if (parts === undefined || queue === undefined) return [];
  const running = [runScopeFollower(parts, loop("scope follower", scopesTickMs))];
  if (!roles.includes("worker")) return running;
  const deps = { ...queue, ...parts };
  return [
    ...running,
    readPartitions(parts, queue, signal),
    runOpener(parts, queue, singleton("opener", openTickMs)),
    runFeeder(parts, singleton("feeder", feedTickMs)),
    runRelay(deps, singleton("relay", relayTickMs)),
    runReconciler(parts, singleton("reconciler", reconcileTickMs)),
    runCacheSweeper(queue, singleton("cache sweeper", sweepCacheTickMs)),
  ];
}
