/** What our sessions on the database server really get, for something between may drop what they ask for. */
import type { ServerCharacters, ServerSeen } from "../../ports/server-facts.ts";
import { bytesText, countText, millisecondsText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { setGlobal } from "./server-fixes.ts";

/** The largest batch of the largest rows, with room. */
export const packetBytesWanted = 16 * 1_048_576;
/** Statements of ours are given up by then. */
export const lockWaitMaxMs = 5_000;

const isMysql = ({ address }: ServerSeen) => address.family === "mysql";

export const sessionChecks: readonly Check<ServerSeen>[] = [
  {
    id: "database-isolation",
    why: "Decisions rest on rows as they are once the lock is held, not as they were before",
    judge(facts) {
      const { level, snapshot } = facts.isolation;
      if (level !== "READ COMMITTED")
        return warning(
          `our sessions ask for READ COMMITTED and get ${level}: a proxy, or options in the address, stand against it`,
          isMysql(facts)
            ? "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED; and in my.cnf under [mysqld]: transaction-isolation = READ-COMMITTED"
            : `ALTER DATABASE "${facts.address.database}" SET default_transaction_isolation = 'read committed'`,
        );
      if (snapshot === true)
        return warning(
          "READ COMMITTED with innodb_snapshot_isolation: a lock on a row that has changed meanwhile may fail, and its transaction is run again",
          setGlobal("innodb_snapshot_isolation", "OFF"),
        );
      return ok(level);
    },
  },
  {
    id: "database-lock-wait",
    why: "A statement that waits for a lock for longer than its caller leaves the server working for nobody",
    judge(facts) {
      const { waitMs } = facts.locks;
      const measured = { value: waitMs, unit: "ms" };
      if (waitMs > 0 && waitMs <= lockWaitMaxMs) return ok(`our sessions wait ${millisecondsText(waitMs)} for a lock`, measured);
      return warning(
        `our sessions wait ${waitMs === 0 ? "for ever" : millisecondsText(waitMs)} for a lock, though they ask for less`,
        isMysql(facts)
          ? setGlobal("innodb_lock_wait_timeout", 4)
          : `ALTER DATABASE "${facts.address.database}" SET lock_timeout = '4s'; and let the proxy pass startup parameters on`,
        measured,
      );
    },
  },
  {
    id: "database-characters",
    why: "Names are in any script, and two keys that differ in one letter are two keys",
    judge: (facts) => charactersJudgement(facts.characters, facts),
  },
  {
    id: "database-packets",
    why: "A batch is one statement; one that is too large is refused, and tried again in pieces",
    judge({ packetBytesMax: bytes }) {
      if (bytes === undefined) return undefined;
      const measured = { value: bytes, unit: "bytes" };
      const found = `statements of up to ${bytesText(bytes)} are taken`;
      if (bytes >= packetBytesWanted) return ok(found, measured);
      return warning(`${found}, ${bytesText(packetBytesWanted)} are wanted`, setGlobal("max_allowed_packet", packetBytesWanted), measured);
    },
  },
  {
    id: "database-transport",
    why: "Password, orders and names of buyers travel on it; whoever is on the way reads them, or plays the server",
    judge(facts) {
      const { isLocal, cipher, isVerified } = facts.transport;
      const fix = isMysql(facts)
        ? "Append ?ssl-mode=VERIFY_IDENTITY to DOORBUSTER_DATABASE_URL; the server needs ssl_cert and ssl_key in my.cnf, this process its CA (NODE_EXTRA_CA_CERTS)"
        : "Append ?sslmode=verify-full to DOORBUSTER_DATABASE_URL, with &sslrootcert= for a CA of your own; the server needs ssl = on in postgresql.conf";
      if (isLocal) return ok(cipher === undefined ? "within this machine" : `within this machine, encrypted (${cipher})`);
      if (cipher === undefined) return warning(`not encrypted, to ${facts.address.host}`, fix);
      if (!isVerified) return warning(`encrypted (${cipher}), but nobody looks at the server's certificate`, fix);
      return ok(`encrypted (${cipher}), and the server's certificate is looked at`);
    },
  },
];

function charactersJudgement({ wanted, found, collation, otherTables }: ServerCharacters, facts: ServerSeen): Judgement[] {
  const wrong = Object.entries(found).filter(([, value]) => value.toLowerCase() !== wanted.toLowerCase());
  const judged: Judgement[] = [];
  if (wrong.length > 0)
    judged.push(
      problem(
        `${wrong.map(([name, value]) => `${name} is ${value}`).join(", ")}; ${wanted} is needed`,
        isMysql(facts)
          ? "Remove skip-character-set-client-handshake and init_connect from my.cnf, then restart the server"
          : `CREATE DATABASE "${facts.address.database}_utf8" ENCODING 'UTF8' TEMPLATE template0, move the data there, and name it in DOORBUSTER_DATABASE_URL`,
      ),
    );
  if (collation?.isThere === false)
    judged.push(problem(`there is no collation ${collation.wanted}`, "Update the server: MariaDB from 10.6, or MySQL from 8.0.17"));
  if (collation !== undefined && otherTables.length > 0)
    judged.push(
      problem(
        `${countText(otherTables.length)} of our tables have another collation than ${collation.wanted}: ${otherTables.join(", ")}`,
        otherTables.map((table) => `ALTER TABLE ${table} CONVERT TO CHARACTER SET ${wanted} COLLATE ${collation.wanted}`).join("; "),
      ),
    );
  return judged.length > 0 ? judged : [ok(collation === undefined ? wanted : `${wanted}, ${collation.wanted}`)];
}
