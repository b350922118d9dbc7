/**
 * Clusters in which every node takes writes. A row lock of one node keeps nobody out on another, and what one has committed
 * another may not show yet, but our decisions rest on both: such a cluster is refused, however it may settle its conflicts.
 */
import type { ServerCluster } from "../../ports/server-facts.ts";
import { isOn, numberOf, readStatus, readVariables } from "./mysql-values.ts";
import { ServerError, type ServerDriver } from "./server-driver.ts";
import type { SqlReads } from "./sql-transaction.ts";

const onlineMembers = `SELECT count(*) AS nodes FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'`;

/** The cluster that the server is a node of; undefined for one that stands alone, or follows another. */
export async function readCluster(db: SqlReads): Promise<ServerCluster | undefined> {
  if (db.dialect.name !== "mysql") return undefined;
  const variables = await readVariables(db, ["wsrep_on", "group_replication_single_primary_mode"]);
  if (isOn(variables, "wsrep_on") === true) {
    const nodes = numberOf(await readStatus(db, ["wsrep_cluster_size"]), "wsrep_cluster_size");
    return { kind: "Galera", nodes, severalWrite: nodes === undefined || nodes > 1 };
  }
  // With one primary the others are read only, which they say themselves.
  if (isOn(variables, "group_replication_single_primary_mode") !== false) return undefined;
  const nodes = await membersOf(db);
  return nodes === 0 ? undefined : { kind: "group replication", nodes, severalWrite: nodes === undefined || nodes > 1 };
}

async function membersOf(db: SqlReads): Promise<number | undefined> {
  try {
    const [row] = await db.query<{ nodes: number }>(onlineMembers, []);
    return row?.nodes;
  } catch (error) {
    // Not every user may look there.
    if (error instanceof ServerError && error.kind === "defect") return undefined;
    throw error;
  }
}

export class SeveralWriters extends Error {
  override readonly name = "SeveralWriters";
  readonly code = "several_writers";
  constructor(name: string, { kind, nodes }: ServerCluster) {
    super(
      `Open the database "${name}": it is a cluster (${kind}) of ${nodes ?? "several"} nodes that all take writes, where a lock of one keeps nobody out on another; use a server that alone takes writes, with a replica for its fall`,
    );
  }
}

/** Throws SeveralWriters or ServerError. */
export async function assertOneWriter(driver: ServerDriver): Promise<void> {
  const connection = await driver.connect("read");
  try {
    const cluster = await readCluster(connection);
    if (cluster?.severalWrite === true) throw new SeveralWriters(driver.name, cluster);
    connection.release();
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
