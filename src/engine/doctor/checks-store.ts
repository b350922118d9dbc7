/** The embedded store: the library that keeps it, its pages, its schema, and whether a server is at it. */
import type { DatabaseFacts, StoreFacts } from "../../ports/store-facts.ts";
import { bytesText, ok, problem, warning, type Check } from "./finding.ts";
import { isOlder } from "./older-version.ts";

/** The store's facts and the wall clock at that time. */
export type StoreAt = { readonly store: StoreFacts; readonly wallMs: number };

/** A log this long was kept from being emptied: each read of it grows slower, and so does the next start. */
export const logBytesWanted = 256_000_000;
/** Further behind, and the server's clock says so at the start and does not follow. */
export const behindStoreMaxMs = 2_000;

const database = ({ store }: StoreAt): DatabaseFacts | undefined => (store.database.kind === "read" ? store.database : undefined);

export const storeChecks: readonly Check<StoreAt>[] = [
  {
    id: "sqlite-version",
    why: "Versions before 3.51.3 may corrupt a database whose log is emptied while it is read",
    judge({ store: { sqliteVersion, sqliteVersionMin } }) {
      if (isOlder(sqliteVersion, sqliteVersionMin))
        return problem(`SQLite ${sqliteVersion}, at least ${sqliteVersionMin} is needed`, "npm ci");
      return ok(`SQLite ${sqliteVersion}`);
    },
  },
  {
    id: "data-folder-lock",
    why: "One server at a time may have the folder; a second one does not start",
    judge({ store: { lock } }) {
      return ok(lock.held ? `a server has the folder (process ${lock.holder ?? "unknown"})` : "no server has the folder");
    },
  },
  {
    id: "database",
    why: "It is the record of every sale, order and payment",
    judge({ store: { database: found } }) {
      if (found.kind === "absent") return ok("no database yet; the first start makes it");
      if (found.kind === "unreadable")
        return problem(
          `it cannot be opened: ${found.problem}`,
          "Run doctor as the user that runs the server, or restore a backup of the folder",
        );
      return ok(`${bytesText(found.bytes)} in "${found.path}"`, { value: found.bytes, unit: "bytes" });
    },
  },
  {
    id: "schema",
    why: "A program reads and writes one schema only, and none goes back to an older one",
    judge(facts) {
      const found = database(facts);
      if (found === undefined) return undefined;
      const { schema, schemaKnown } = found;
      const measured = { value: schema };
      if (schema > schemaKnown)
        return problem(
          `the database has schema ${schema}, this program knows up to ${schemaKnown}`,
          "Start the newer program, or restore the backup made before the update",
          measured,
        );
      if (schema < schemaKnown)
        return warning(
          `the database has schema ${schema}, this program's is ${schemaKnown}`,
          "npx doorbuster migrate (a starting server does the same)",
          measured,
        );
      return ok(`schema ${schema}, as this program's`, measured);
    },
  },
  {
    id: "integrity",
    why: "Damaged pages come from failing disks or copies made while a server was writing",
    judge(facts) {
      const damage = database(facts)?.damage;
      if (damage === undefined) return undefined;
      if (damage === "skipped") return ok("not checked, for the database is large; doctor --full checks it");
      const [first] = damage;
      if (first === undefined) return ok("SQLite's quick check found nothing");
      return problem(
        `${damage.length} remarks of SQLite's quick check, first: ${first}`,
        "Stop the server, copy the folder aside, restore a backup and compare: npx doorbuster verify",
        {
          value: damage.length,
          unit: "remarks",
        },
      );
    },
  },
  {
    id: "write-ahead-log",
    why: "The log is emptied when no reader needs it; a long one slows reads and the next start",
    judge(facts) {
      const found = database(facts);
      if (found === undefined) return undefined;
      const { logBytes } = found;
      const measured = { value: logBytes, unit: "bytes" };
      if (logBytes <= logBytesWanted) return ok(bytesText(logBytes), measured);
      return warning(
        `${bytesText(logBytes)}`,
        "End what reads the database for long, such as a forgotten sqlite3 shell or verify",
        measured,
      );
    },
  },
  {
    id: "clock-behind-store",
    why: "Entries never go back in time, so a server whose clock is behind its store keeps its own, wrong time",
    judge(facts) {
      const lastAtMs = database(facts)?.lastAtMs;
      if (lastAtMs === undefined) return undefined;
      const behindMs = lastAtMs - facts.wallMs;
      const measured = { value: Math.max(0, behindMs), unit: "ms" };
      if (behindMs <= behindStoreMaxMs) return ok("the clock is not behind the newest commit", measured);
      return problem(
        `the clock is ${Math.round(behindMs / 1000)} s behind the newest commit`,
        "Correct the clock: sudo timedatectl set-ntp true",
        measured,
      );
    },
  },
];
