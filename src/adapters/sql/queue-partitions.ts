/** The broker's partitions that sales of this database need: a process with fewer would leave their purchases unread. */
import type { ServerDatabase } from "./server-database.ts";
import { clockOf } from "./cut-scope.ts";
import { isWanted } from "./server-queue-ledger.ts";
import type { SqlReads } from "./sql-transaction.ts";

const largest = `SELECT max(queue_partition) AS largest FROM scope WHERE ${isWanted}`;

/** The largest of a sale that is not over; undefined where there is none. */
export async function partitionMaxOf(db: SqlReads): Promise<number | undefined> {
  const [row] = await db.query<{ largest: number | null }>(largest, [await clockOf(db)]);
  return row?.largest ?? undefined;
}

export class FewerPartitions extends Error {
  override readonly name = "FewerPartitions";
  readonly code = "fewer_partitions";
  constructor(configured: number, needed: number) {
    super(
      `Open the broker: sales of this database need ${needed} partitions, and ${configured} are configured, so purchases of some would not be read; set DOORBUSTER_BROKER_PARTITIONS to at least ${needed} in all processes`,
    );
  }
}

/** Throws FewerPartitions, or StoreUnavailable. */
export async function assertPartitionsEnough(database: ServerDatabase, configured: number): Promise<void> {
  const largestUsed = await database.read(partitionMaxOf);
  if (largestUsed !== undefined && largestUsed >= configured) throw new FewerPartitions(configured, largestUsed + 1);
}
