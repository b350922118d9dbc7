/** What a database server still has after a crash or a power cut: a yes is a promise only if its commit was synced. */
import type { InnodbDurability, PostgresDurability, ServerSeen } from "../../ports/server-facts.ts";
import { ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { alterSystem, inMyCnfOnly, setGlobal } from "./server-fixes.ts";

const wholePages = "unless the file system writes pages whole (ZFS)";

/** A check of one of the two families of servers. */
const innodb = (id: string, why: string, judge: (facts: InnodbDurability) => Judgement | undefined): Check<ServerSeen> => ({
  id,
  why,
  judge: ({ durability }) => (durability.kind === "innodb" ? judge(durability) : undefined),
});
const postgres = (
  id: string,
  why: string,
  judge: (facts: PostgresDurability, seen: ServerSeen) => Judgement | undefined,
): Check<ServerSeen> => ({
  id,
  why,
  judge: (seen) => (seen.durability.kind === "postgres" ? judge(seen.durability, seen) : undefined),
});

export const durabilityChecks: readonly Check<ServerSeen>[] = [
  innodb("innodb-flush", "A yes is said when the commit has returned; it must be on disk by then", ({ flushAtCommit }) => {
    const name = "innodb_flush_log_at_trx_commit";
    const found = `${name} is ${flushAtCommit}`;
    if (flushAtCommit === "1") return ok(found);
    const lost = flushAtCommit === "0" ? "a crash of the server" : "a power cut";
    // MariaDB's 3 syncs more, not less.
    return flushAtCommit === "3" ? ok(found) : problem(`${found}: ${lost} loses the last second of purchases`, setGlobal(name, 1));
  }),
  innodb(
    "binary-log-sync",
    "With a binary log InnoDB leaves the sync of a commit to it, and after a power cut takes back what is not in it",
    ({ binaryLogSync }) => {
      if (binaryLogSync === undefined) return ok("no binary log is written");
      const found = `sync_binlog is ${binaryLogSync}`;
      return binaryLogSync === 1
        ? ok(found)
        : problem(`${found}: a power cut loses purchases that were promised`, setGlobal("sync_binlog", 1));
    },
  ),
  innodb(
    "innodb-doublewrite",
    "A power cut in the middle of a page leaves half of it, which only its second copy mends",
    ({ doublewrite }) => {
      if (doublewrite === undefined) return undefined;
      const found = `innodb_doublewrite is ${doublewrite}`;
      if (!/^(?:off|0|detect_only)$/i.test(doublewrite)) return ok(found);
      return warning(`${found}: a power cut may damage the database, ${wholePages}`, inMyCnfOnly("innodb_doublewrite", "ON"));
    },
  ),
  innodb("innodb-redo-log", "Commits are kept in the redo log until their pages are written", ({ redoLog }) => {
    if (redoLog === undefined) return undefined;
    return redoLog
      ? ok("it is written")
      : problem("it is switched off: a crash loses the database", "ALTER INSTANCE ENABLE INNODB REDO_LOG");
  }),
  innodb("innodb-flush-method", "A sync that is left out lasts only as long as the power", ({ flushMethod }) => {
    if (flushMethod === undefined) return undefined;
    const found = `innodb_flush_method is ${flushMethod}`;
    if (!/^(?:nosync|littlesync)$/i.test(flushMethod)) return ok(found);
    return problem(`${found}, which is made for trials only`, inMyCnfOnly("innodb_flush_method", "O_DIRECT"));
  }),
  postgres("postgres-fsync", "Without it nothing is ever synced, and a power cut leaves a database that cannot be read", ({ fsync }) =>
    fsync ? ok("fsync is on") : problem("fsync is off: a power cut loses the database", alterSystem("fsync", "on")),
  ),
  postgres("postgres-synchronous-commit", "A yes is said when the commit has returned; it must be on disk by then", synchronousCommit),
  postgres(
    "postgres-full-page-writes",
    "A power cut in the middle of a page leaves half of it, which only the whole page in the log mends",
    ({ fullPageWrites }) =>
      fullPageWrites
        ? ok("full_page_writes is on")
        : warning(`full_page_writes is off: a power cut may damage the database, ${wholePages}`, alterSystem("full_page_writes", "on")),
  ),
  postgres(
    "postgres-wal-sync",
    "Some ways to sync end in the memory of the disk, which a power cut empties",
    ({ walSyncMethod, platform }) => {
      const found = `wal_sync_method is ${walSyncMethod}`;
      if (platform === "other" || walSyncMethod === "fsync_writethrough") return ok(found);
      const where = platform === "darwin" ? "macOS" : "Windows";
      return warning(
        `${found}, which on ${where} does not reach beyond the disk's cache`,
        alterSystem("wal_sync_method", "fsync_writethrough"),
      );
    },
  ),
];

/** Our sessions ask for "on", whatever the server's default. */
function synchronousCommit({ synchronousCommit: { ours, byDefault } }: PostgresDurability, { address }: ServerSeen): Judgement {
  const onDatabase = `ALTER DATABASE "${address.database}" SET synchronous_commit = on`;
  if (ours === "off")
    return problem(
      "synchronous_commit is off in our sessions, though they ask for on: a proxy, or options in the address, stand against it",
      `${onDatabase}; and let the proxy pass startup options on (pgbouncer: take options out of ignore_startup_parameters)`,
    );
  if (byDefault === "off")
    return warning(
      `synchronous_commit is ${ours} in our sessions, but off by default: what others write there, by hand or from a backup, may be lost`,
      alterSystem("synchronous_commit", "on"),
    );
  return ok(`synchronous_commit is ${ours} in our sessions`);
}
