/** The processes that share a database: who lives, whether they fit together, and whether there is room for them. */
import { utcText } from "../../lib/utc-text.ts";
import type { ProcessSeen, ServerSeen } from "../../ports/server-facts.ts";
import { countText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { alterSystemAndRestart, setGlobal } from "./server-fixes.ts";

/** What was seen, beside what this process would be. */
export type ProcessesAt = {
  readonly seen: ServerSeen;
  /** Connections that one process may open. */
  readonly connections: number;
  /** As processes tell it of theirs; undefined while this one's are still to be made. */
  readonly secrets: string | undefined;
};

/** So many are told one by one. */
const toldMax = 20;

export const processesChecks: readonly Check<ProcessesAt>[] = [
  {
    id: "processes",
    why: "Requests are answered by processes with the role api; those with the role worker expire, settle and refund",
    judge({ seen: { processes } }) {
      if (processes === undefined) return undefined;
      const measured = { value: processes.length, unit: "processes" };
      if (processes.length === 0) return ok("none lives", measured);
      const found = `${countText(processes.length)} ${processes.length === 1 ? "lives" : "live"}`;
      const summary = processes.some(({ roles }) => roles.split(" ").includes("worker"))
        ? ok(found, measured)
        : warning(`${found}, and none is a worker: unpaid orders keep their units, and no refund goes out`, "doorbuster worker", measured);
      const told = processes.slice(0, toldMax).map((each) => ok(lineOf(each)));
      return [summary, ...told, ...(processes.length > toldMax ? [ok(`and ${countText(processes.length - toldMax)} more`)] : [])];
    },
  },
  {
    id: "process-versions",
    why: "Two versions go on beside each other while they are replaced, one after the other, and not for longer",
    judge({ seen: { processes = [] } }) {
      if (processes.length === 0) return undefined;
      const versions = [...Map.groupBy(processes, ({ version }) => version)];
      const found = versions.map(([version, those]) => `${version} (${those.length})`).join(", ");
      return versions.length === 1 ? ok(found) : warning(`they differ: ${found}`, "Update and restart the older ones");
    },
  },
  {
    id: "process-secrets",
    why: "A token that one process signs is refused by one with another secret, and a second factor cannot be read there",
    judge({ seen: { processes = [] }, secrets }) {
      if (processes.length === 0) return undefined;
      const kinds = Map.groupBy(processes, (each) => each.secrets);
      const fix = "Set DOORBUSTER_TOKEN_SECRET and DOORBUSTER_ACCOUNT_SECRET (or their …_FILE) alike in all processes, then restart them";
      if (kinds.size > 1) {
        const groups = [...kinds.values()].map((those) => those.map(({ name }) => `"${name}"`).join(", "));
        return warning(`they differ: ${groups.join(" against ")}`, fix);
      }
      if (secrets !== undefined && !kinds.has(secrets))
        return warning("all processes have the same, but this configuration has others", fix);
      return ok("all processes have the same");
    },
  },
  {
    id: "database-connections",
    why: "A process that finds no connection free answers 503; beyond the limit not even an operator gets in",
    judge: connectionsJudgement,
  },
];

const lineOf = ({ number, name, roles, version, startedAtMs }: ProcessSeen) =>
  `number ${number}: "${name}", ${roles.replaceAll(" ", " and ")}, version ${version}, since ${utcText(startedAtMs)}`;

function connectionsJudgement({ seen, connections }: ProcessesAt): Judgement {
  const { max, userMax = Number.POSITIVE_INFINITY, inUse } = seen.connections;
  const room = Math.min(max, userMax);
  const living = Math.max(1, seen.processes?.length ?? 0);
  const wanted = living * connections;
  const measured = { value: room, unit: "connections" };
  const whose = userMax < max ? "this user may have" : "the server takes";
  const found = `${whose} ${countText(room)} (${countText(inUse)} in use on the server), ${living === 1 ? "one process" : `${countText(living)} processes`} may open ${countText(wanted)}`;
  const fix = roomFor(wanted + connections, seen);
  if (wanted > room) return problem(found, fix, measured);
  // A rolling update has one more for a while.
  if (wanted + connections > room) return warning(`${found}, and there is no room for one more`, fix, measured);
  return ok(found, measured);
}

function roomFor(
  wanted: number,
  { address: { family, database }, rights: { account }, connections: { max, userMax } }: ServerSeen,
): string {
  const fewer = "or lower DOORBUSTER_DATABASE_CONNECTIONS";
  const isMysql = family === "mysql";
  if (userMax !== undefined && userMax < Math.min(max, wanted))
    return isMysql
      ? `ALTER USER ${account} WITH MAX_USER_CONNECTIONS 0; ${setGlobal("max_user_connections", 0)}; ${fewer}`
      : `ALTER ROLE ${account} CONNECTION LIMIT -1; ALTER DATABASE "${database}" CONNECTION LIMIT -1; ${fewer}`;
  const enough = Math.ceil((wanted + 20) / 50) * 50;
  return `${isMysql ? setGlobal("max_connections", enough) : alterSystemAndRestart("max_connections", enough)}; ${fewer}`;
}
