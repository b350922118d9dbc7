/** What is said of a transaction by what the server says of one of its statements. */
import { describe, expect, test } from "bun:test";
import { InvariantBroken } from "../../lib/assert.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { mysql as dialect } from "./dialect.ts";
import { mysqlErrorKind } from "./mysql-errors.ts";
import { postgresErrorKind } from "./postgres-errors.ts";
import { ServerDatabase, triesMax } from "./server-database.ts";
import { ServerError, type ServerConnection, type ServerErrorKind } from "./server-driver.ts";

const nothing = async () => undefined;

/** A server whose statements all fail so. */
function failing(error: Error) {
  let runs = 0;
  const query = async () => {
    runs += 1;
    throw error;
  };
  // Nothing else is asked of it.
  const connection = { dialect, query, begin: nothing, commit: nothing, rollback: nothing, release: () => {}, destroy: () => {} };
  const driver = { dialect, name: "planted", connect: async () => connection as unknown as ServerConnection, close: nothing };
  const database = new ServerDatabase(driver, { random: () => 0, sleep: nothing });
  const ask = (db: { query: ServerConnection["query"] }) => Promise.resolve(db.query("SELECT 1 AS one", []));
  return { transact: () => database.transact(ask), write: () => database.write(ask), read: () => database.read(ask), runs: () => runs };
}

const saidBy = {
  mysql: (errno: number) => mysqlErrorKind(Object.assign(new Error("said"), { errno, sqlState: "HY000" })),
  postgres: (code: string) => postgresErrorKind(Object.assign(new Error("said"), { code })),
};
const as = (kind: ServerErrorKind) => failing(new ServerError(kind, "said"));
const mysqlTrouble = [1142, 1143, 1146, 1054, 1064, 1030, 1206, 1290, 1040, 1194, 1213, 1205, 3100, 60_000];
const postgresTrouble = ["42501", "42P01", "42703", "0A000", "25P02", "40001", "XX000", "XX002", "F0000", "57P01", "3F000", "55006"];
const mysqlOfLines = [1048, 1062, 1264, 1265, 1292, 1366, 1406, 1452, 1690, 3819, 4025];
const postgresOfLines = ["23505", "23514", "23502", "23503", "22003", "22001", "22021"];

describe("trouble of the database blames no line", () => {
  const kinds = [
    ...mysqlTrouble.map((each) => [each, saidBy.mysql(each)]),
    ...postgresTrouble.map((each) => [each, saidBy.postgres(each)]),
  ];
  // Made of the two lists above.
  test.each(kinds as [string | number, ServerErrorKind][])("[QL7] %p is unavailable, for a batch, a write and a read", async (_, kind) => {
    expect(await as(kind).transact()).toMatchObject({ kind: "failed", failure: "unavailable" });
    for (const run of [as(kind).write, as(kind).read])
      expect(await run().catch((error: unknown) => error)).toBeInstanceOf(StoreUnavailable);
  });
});

describe("what the server says of values is of a line", () => {
  const kinds = [
    ...mysqlOfLines.map((each) => [each, saidBy.mysql(each)]),
    ...postgresOfLines.map((each) => [each, saidBy.postgres(each)]),
  ];
  // Made of the two lists above.
  test.each(kinds as [string | number, ServerErrorKind][])("[QL7] %p is a bad line", async (_, kind) => {
    const { transact, runs } = as(kind);
    expect(await transact()).toMatchObject({ kind: "failed", failure: "bad_line" });
    // A key that was there may have been written by one that ran at the same time.
    expect(runs()).toBe(kind === "duplicate" ? triesMax : 1);
  });

  test("[QL7] so is what an assertion of ours finds, which no read hides", async () => {
    const broken = failing(new InvariantBroken("held is below zero"));
    expect(await broken.transact()).toMatchObject({ kind: "failed", failure: "bad_line" });
    expect(await broken.read().catch((error: unknown) => error)).toBeInstanceOf(InvariantBroken);
  });
});
