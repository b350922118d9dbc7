/** Any number of processes on one database server, which decides; each keeps marks of sold-out sales for a moment. */
import { hostname } from "node:os";
import { measureClock } from "../adapters/sql/server-clock.ts";
import { assertOneWritingServer, openServerStore } from "../adapters/sql/server-store.ts";
import type { Config } from "../config/options.ts";
import { assert } from "../lib/assert.ts";
import type { QueueTerms } from "../adapters/sql/scope-rows.ts";
import type { OpenedStore, SharedStore } from "./opened-store.ts";

/** How long this process refuses from a copy of a sale that it held under its lock. */
export const markLeaseMs = 250;
/** How long nobody new is accepted after somebody cleared a mark: see SharedBoard.leaseMs. */
export const reopenDelayMs = 600;
/** A sale that begins sooner is not refused from memory as not begun: see SharedBoard.edgeMs. */
export const startEdgeMs = 600;
/** Of the time that a statement may take, the part for which it may wait for a lock. */
const lockShare = 0.8;
/** Of the connections that the operator allows, the part that reads. */
const readShare = 0.4;

export type SharedOpenedStore = OpenedStore & { readonly shared: SharedStore };

export type ProcessFacts = {
  readonly version: string;
  /** A digest of what all processes must have alike. */
  readonly secrets: string;
};

/** `queue`: where a cache decides, and this database settles. */
export async function openSql(config: Config, { version, secrets }: ProcessFacts, queue?: QueueTerms): Promise<SharedOpenedStore> {
  const { databaseUrl: url, databaseConnections, answerTimeoutMs, roles } = config;
  assert(url !== undefined, "a shared store has an address");
  // Before anything is changed there.
  await assertOneWritingServer(url);
  const readsMax = Math.max(1, Math.floor(databaseConnections * readShare));
  const store = await openServerStore({
    url,
    limits: {
      readsMax,
      writesMax: databaseConnections - readsMax,
      statementTimeoutMs: answerTimeoutMs,
      // The server shall end a statement that waits for a lock before its connection is given up, which would leave it waiting.
      lockTimeoutMs: Math.floor(answerTimeoutMs * lockShare),
    },
    // Where a cache decides, marks are the cache's, and so is the wait for their end.
    ledger: queue === undefined ? { reopenDelayMs } : { reopenDelayMs: 0, queue },
    process: { name: `${hostname()} ${process.pid}`, roles, version, secrets },
  });
  const { leases, changeFeed, membership, database } = store;
  let offsetMs = 0;
  const measure = async () => {
    ({ offsetMs } = await measureClock(database, { ownMs: () => performance.now() }));
  };
  try {
    await measure();
    // Before anything is read: what is remembered from now on is kept up with.
    await changeFeed.next();
  } catch (error) {
    await store.close();
    throw error;
  }
  return { ...store, shared: { leases, changeFeed, membership, database, offsetMs: () => offsetMs, measureClock: measure } };
}
