/** The database server that processes share: what it is, what our user may do there, and our tables in it. */
import type { ServerAddress, ServerProduct, ServerRights, ServerSeen } from "../../ports/server-facts.ts";
import { ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { isOlder } from "./older-version.ts";

export const versionsMin = {
  MariaDB: "10.6",
  /** The first with the collation by which our keys compare, and with constraints that it checks. */
  MySQL: "8.0.17",
  PostgreSQL: "13",
} as const;

export const serverChecks: readonly Check<ServerSeen>[] = [
  {
    id: "database-version",
    why: "Locks, constraints and collations differ between servers; each version is tested with those it names",
    judge: ({ product }) => versionJudgement(product),
  },
  {
    id: "database-rights",
    why: "Every start brings the tables up to date, and everything is kept in them",
    judge: ({ rights, address }) => rightsJudgement(rights, address),
  },
  {
    id: "database-schema",
    why: "A program works on a schema that leaves room for it, and none goes back to an older one",
    judge: ({ schema }) => schemaJudgement(schema),
  },
];

function versionJudgement({ name, version, text }: ServerProduct): Judgement {
  const tested = "MariaDB from 10.6, MySQL from 8.0.17 or PostgreSQL from 13";
  if (name === undefined) return warning(`${text}, which was never tested`, `Use ${tested}`);
  const found = `${name} ${version}`;
  return isOlder(version, versionsMin[name])
    ? problem(`${found}, at least ${versionsMin[name]} is needed`, `Update the server: ${tested}`)
    : ok(found);
}

function rightsJudgement(
  { account, place, lacking, closedTables, foreignTables }: ServerRights,
  { family, user }: ServerAddress,
): Judgement[] {
  if (place === undefined)
    return [
      problem(
        `${account} has no schema: its search path leads nowhere`,
        `CREATE SCHEMA AUTHORIZATION ${account}, or: ALTER ROLE ${account} RESET search_path`,
      ),
    ];
  const found: Judgement[] = [];
  if (lacking.length > 0)
    found.push(
      problem(
        `${account} lacks ${lacking.join(", ")} on ${place}`,
        family === "mysql" ? `GRANT ALL ON ${place} TO ${account}` : `GRANT ALL ON SCHEMA ${place} TO ${account}`,
      ),
    );
  if (closedTables.length > 0)
    found.push(
      problem(`${account} may not read and write ${closedTables.join(", ")}`, `GRANT ALL ON ALL TABLES IN SCHEMA ${place} TO ${account}`),
    );
  if (foreignTables.length > 0)
    found.push(
      warning(
        `${foreignTables.join(", ")}: of another owner, so a later version cannot alter them`,
        foreignTables.map((table) => `ALTER TABLE ${table} OWNER TO ${account}`).join("; "),
      ),
    );
  return found.length > 0 ? found : [ok(`${user} may make, read and write tables in ${place}`)];
}

function schemaJudgement(schema: ServerSeen["schema"]): Judgement {
  const migrate = "npx doorbuster migrate (a starting server does the same)";
  if (schema.kind === "absent") return warning("there are no tables of ours yet", migrate);
  if (schema.kind === "unreadable")
    return problem(
      `its table of migrations cannot be read (${schema.problem})`,
      "Let this user read it, or give Doorbuster a database of its own, for the table may be another program's",
    );
  const { newest, known, needed, missingTables } = schema;
  const measured = { value: newest };
  if (needed > known)
    return problem(
      `the database has schema ${newest}, on which only programs that know ${needed} may work; this one knows ${known}`,
      "Start the newer program, or restore the backup made before the update",
      measured,
    );
  if (missingTables.length > 0)
    return problem(
      `schema ${newest} without ${missingTables.join(", ")}`,
      "Stop all processes and restore a backup, then compare: npx doorbuster verify",
      measured,
    );
  if (newest < known) return warning(`the database has schema ${newest}, this program's is ${known}`, migrate, measured);
  if (newest > known)
    return warning(
      `the database has schema ${newest}, this program's is ${known}; it may go on beside it until all are updated`,
      "Update this program to the newest that works on the database",
      measured,
    );
  return ok(`schema ${newest}, as this program's`, measured);
}
