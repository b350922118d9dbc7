/** What several processes on one database server need of it: one place that decides, one clock, and locks. */
import type { ServerCluster, ServerSeen } from "../../ports/server-facts.ts";
import { millisecondsText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { clockJudgement } from "./round-trip.ts";
import { alterSystem, inMyCnfOnly, setGlobal } from "./server-fixes.ts";

const isMysql = ({ address }: ServerSeen) => address.family === "mysql";

export const sharingChecks: readonly Check<ServerSeen>[] = [
  {
    id: "database-writers",
    why: "A sale is decided under its row lock, which keeps out only those who lock on the same server",
    judge(facts) {
      if (facts.cluster !== undefined) return clusterJudgement(facts.cluster);
      return isMysql(facts) ? ok("one server takes writes") : undefined;
    },
  },
  {
    id: "database-read-only",
    why: "Nothing can be sold where nothing can be written, and what is written on a standby is lost",
    judge: (facts) => (facts.readOnly.length === 0 ? ok("it takes writes") : readOnlyJudgement(facts)),
  },
  {
    id: "database-sysdate",
    why: "The time of a decision is read when its lock is held; a statement that waited for it long must not see the time at which it began",
    judge(facts) {
      if (!isMysql(facts)) return undefined;
      if (!facts.clock.isFrozen) return ok("SYSDATE() goes on during a statement");
      return problem(
        "SYSDATE() stands still during a statement (sysdate-is-now)",
        "Remove sysdate-is-now from my.cnf and from the server's command line, then restart it",
      );
    },
  },
  {
    id: "database-deadlocks",
    why: "Of two transactions that wait for each other one must be ended at once, or both wait until their time is over",
    judge(facts) {
      const { deadlocksFound, deadlockAfterMs, waitMs } = facts.locks;
      if (!deadlocksFound) return warning("innodb_deadlock_detect is off", setGlobal("innodb_deadlock_detect", "ON"));
      if (waitMs > 0 && deadlockAfterMs >= waitMs)
        return warning(
          `deadlocks are looked for after ${millisecondsText(deadlockAfterMs)}, when our sessions have given up (${millisecondsText(waitMs)})`,
          alterSystem("deadlock_timeout", "1s"),
        );
      return ok(isMysql(facts) ? "they are found at once" : `they are looked for after ${millisecondsText(deadlockAfterMs)}`);
    },
  },
  {
    id: "database-clock",
    why: "Its clock opens sales and ends holds; countdowns and early refusals of this process follow it by what was measured",
    judge: ({ clock }) => clockJudgement(clock, "this machine's"),
  },
];

function readOnlyJudgement(facts: ServerSeen): Judgement {
  const named = "Name the primary in DOORBUSTER_DATABASE_URL";
  if (facts.readOnly.includes("recovery"))
    return problem("it is a standby (pg_is_in_recovery)", `${named}; or if that is gone for good, on this one: SELECT pg_promote()`);
  const change = isMysql(facts)
    ? facts.readOnly.map((name) => (name === "innodb_read_only" ? inMyCnfOnly(name, "OFF") : setGlobal(name, "OFF"))).join("; ")
    : `SET default_transaction_read_only = off; ALTER DATABASE "${facts.address.database}" SET default_transaction_read_only = off`;
  return problem(`${facts.readOnly.join(", ")}: on`, `${named}; or if this is the primary: ${change}`);
}

function clusterJudgement({ kind, nodes, severalWrite }: ServerCluster): Judgement {
  const isGalera = kind === "Galera";
  if (severalWrite)
    return problem(
      `a cluster (${kind}) of ${nodes ?? "several"} nodes that all take writes; a server of ours does not start on it`,
      isGalera
        ? "Use a MariaDB outside the cluster, with a replica for its fall: in my.cnf under [mysqld]: wsrep_on = OFF, then restart it"
        : "Let one node take writes: SELECT group_replication_switch_to_single_primary_mode(), and in my.cnf: group_replication_single_primary_mode = ON",
    );
  return warning(
    `a cluster (${kind}) of one node; with a second one no server of ours starts on it`,
    isGalera
      ? "In my.cnf under [mysqld]: wsrep_on = OFF, then restart the server"
      : "In my.cnf: group_replication_single_primary_mode = ON",
  );
}
