/** Whether the database server that processes share lets us in, and how far it is. */
import type { RefusalReason, ServerAddress, ServerFacts, ServerRefusal } from "../../ports/server-facts.ts";
import { problem, type Check } from "./finding.ts";
import { roundTripJudgement } from "./round-trip.ts";

export const reachChecks: readonly Check<ServerFacts>[] = [
  {
    id: "database-server",
    why: "It decides every purchase; each batch asks it several times in turn, while others wait for the same sale",
    judge(facts) {
      if (facts.kind === "refused") return problem(`${facts.address.name}: ${refusals[facts.reason]} (${facts.said})`, letUsIn(facts));
      return roundTripJudgement(facts.address, facts.roundTrip);
    },
  },
];

export const refusals: Readonly<Record<RefusalReason, string>> = {
  "no-such-host": "nobody knows this host",
  unreachable: "nobody listens there",
  silent: "it does not answer",
  "not-ready": "it is starting or stopping",
  full: "it takes no more connections",
  "not-let-in": "it does not let this user in",
  "no-database": "there is no such database, or this user may not enter it",
  transport: "the two do not agree about encryption",
  other: "it could not be spoken to",
};

function letUsIn({ address, reason }: ServerRefusal): string {
  const { family, host, port, user, database } = address;
  const isMysql = family === "mysql";
  switch (reason) {
    case "no-such-host":
      return `Correct the host in DOORBUSTER_DATABASE_URL; this asks for it: getent hosts ${host}`;
    case "unreachable":
      return `Start the server, and let it listen there (${isMysql ? "bind-address in my.cnf" : "listen_addresses in postgresql.conf"}); this tries it: nc -vz ${host} ${port}`;
    case "silent":
      return `See whether it hangs or a firewall is between: nc -vz ${host} ${port}, then the server's log`;
    case "not-ready":
      return "Wait until it has started, and ask again; its log says what it is at";
    case "full":
      return isMysql
        ? "SET GLOBAL max_connections = 500; and in my.cnf under [mysqld]: max_connections = 500"
        : "In postgresql.conf: max_connections = 500, then restart the server; or end what holds them: pg_stat_activity";
    case "not-let-in":
      return isMysql
        ? `Correct user and password in DOORBUSTER_DATABASE_URL, or: CREATE USER '${user}'@'%' IDENTIFIED BY '…'; GRANT ALL ON \`${database}\`.* TO '${user}'@'%'`
        : `Correct user and password in DOORBUSTER_DATABASE_URL, or: ALTER ROLE "${user}" LOGIN PASSWORD '…', and in pg_hba.conf: host "${database}" "${user}" samenet scram-sha-256`;
    case "no-database":
      return createDatabase(address);
    case "transport":
      return isMysql
        ? "Give the server ssl_cert and ssl_key in my.cnf and this process its CA (NODE_EXTRA_CA_CERTS), or change ssl-mode in DOORBUSTER_DATABASE_URL"
        : "Set ssl = on in postgresql.conf and give this process the CA (sslrootcert in DOORBUSTER_DATABASE_URL), or change sslmode there";
    case "other":
      return `See whether the server of DOORBUSTER_DATABASE_URL is a ${isMysql ? "MariaDB or MySQL" : "PostgreSQL"}, and read its log`;
    default:
      return reason satisfies never;
  }
}

const createDatabase = ({ family, user, database }: ServerAddress): string =>
  family === "mysql"
    ? `CREATE DATABASE \`${database}\`; GRANT ALL ON \`${database}\`.* TO '${user}'@'%'`
    : `CREATE DATABASE "${database}" OWNER "${user}" ENCODING 'UTF8' TEMPLATE template0, or: GRANT ALL ON DATABASE "${database}" TO "${user}"`;
