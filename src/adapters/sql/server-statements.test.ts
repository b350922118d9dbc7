import { describe, expect, test } from "bun:test";
import { InvariantBroken } from "../../lib/assert.ts";
import { ListStatement, stepwise } from "./chunks.ts";
import { mysql, postgres, sqlite, type Dialect } from "./dialect.ts";
import { InsertStatement } from "./insert-statement.ts";
import { arrayLiteral } from "./literals.ts";
import { bound, insertText as mysqlInsert } from "./mysql-driver.ts";
import { insertText as postgresInsert, numbered } from "./postgres-driver.ts";
import type { SqlReads, SqlValue } from "./sql-transaction.ts";

/** As mysql2 does it, as far as these texts go. */
const escape = (text: string) => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

describe("what MySQL is sent", () => {
  test.each([
    ["a text is quoted", "SELECT ?", ["a'b"], String.raw`SELECT 'a\'b'`],
    ["one that means nothing to it as it is", "SELECT ?", ["key-1.2"], "SELECT 'key-1.2'"],
    ["an id is digits", "SELECT #", ["914976501702108966"], "SELECT 914976501702108966"],
    ["marks in a value are no marks", "SELECT ?, #", ["# ? ##", "7"], "SELECT '# ? ##', 7"],
    ["ids are one parameter", "SELECT 1 WHERE a = # AND b IN (##)", ["7", "1,2,3"], "SELECT 1 WHERE a = 7 AND b IN (1,2,3)"],
    ["nothing is NULL", "SELECT ?, #", [null, null], "SELECT NULL, NULL"],
    ["hints to others are left out", "SELECT 1 FROM a WHERE b {+ 0} = #", ["7"], "SELECT 1 FROM a WHERE b = 7"],
  ] as [string, string, SqlValue[], string][])("%s", (_, sql, params, text) => {
    expect(bound(sql, params, escape)).toBe(text);
  });

  test.each(["1;DROP TABLE sale", "", "1,", ",1", "1,,2", "1, 2", "-1", "1e3"])("%p is not taken for ids", (ids) => {
    expect(() => bound("SELECT ##", [ids], escape)).toThrow(InvariantBroken);
  });
  test.each(["1 OR 1=1", "", "-1", "0x1"])("%p is not taken for an id", (id) => {
    expect(() => bound("SELECT #", [id], escape)).toThrow(InvariantBroken);
  });
});

const statement = new InsertStatement(
  "t",
  [
    { name: "sale", from: "common", at: 0 },
    { name: "id", from: "row", kind: "id" },
    { name: "state", from: "sql", text: "'new'" },
    { name: "key", from: "row", kind: "text" },
    { name: "again", from: "common", at: 0 },
  ],
  ["id"],
);

describe("rows", () => {
  test("go to MySQL as one text", () => {
    const rows = ["1", "a", "2", null];
    expect(mysqlInsert(statement, { rows, common: ["9"] }, escape)).toBe(
      "INSERT INTO t (sale, id, state, key, again) VALUES (9,1,'new','a',9),(9,2,'new',NULL,9)",
    );
  });
  test("go to PostgreSQL as arrays", () => {
    expect(postgresInsert(statement)).toContain(
      "SELECT CAST($1 AS bigint), r1, 'new', r2, CAST($1 AS bigint) FROM unnest(CAST($2 AS bigint[]), CAST($3 AS text[]))",
    );
  });
  test("have what is alike in all of them but once there", () => {
    expect(postgresInsert(statement, 0b10)).toEndWith(
      "r1, 'new', CAST($3 AS text), CAST($1 AS bigint) FROM unnest(CAST($2 AS bigint[])) AS added (r1)",
    );
    expect(postgresInsert(statement, 0b11)).toEndWith(
      "SELECT CAST($1 AS bigint), CAST($2 AS bigint), 'new', CAST($3 AS text), CAST($1 AS bigint)",
    );
  });
  test.each([
    [["1", "2"], "{1,2}"],
    [[1, null, 2], "{1,NULL,2}"],
    [["NULL", "a,b", ""], '{"NULL","a,b",""}'],
    [['a"b', "c\\d", "{}"], String.raw`{"a\"b","c\\d","{}"}`],
  ] as [SqlValue[], string][])("%p is an array", (values, literal) => {
    expect(arrayLiteral(values)).toBe(literal);
  });
  test("an array may be a column of the rows", () => {
    expect(arrayLiteral(["1", "a", "2", "b"], { from: 1, step: 2 })).toBe('{"a","b"}');
  });
});

/** What a connection of the dialect is asked. */
async function asked(dialect: Dialect, list: ListStatement, items: readonly SqlValue[]): Promise<{ sql: string; params: SqlValue[] }[]> {
  const seen: { sql: string; params: SqlValue[] }[] = [];
  const query: SqlReads["query"] = (sql, params) => {
    seen.push({ sql: dialect.words(sql).replaceAll(/\s+/g, " "), params: [...params] });
    return [];
  };
  await list.query({ dialect, query }, ["7"], items);
  return seen;
}

describe("a list", () => {
  const byId = new ListStatement("SELECT a FROM t WHERE s {+ 0} = # AND id IN :list");
  const ids = Array.from({ length: 300 }, (_, i) => String(i + 1));

  test("has a few lengths in SQLite", async () => {
    const statements = await asked(sqlite, byId, ids);
    expect(statements.map(({ params }) => params.length)).toEqual([257, 65]);
    expect(statements[0]?.sql).toStartWith("SELECT a FROM t WHERE s = ? AND id IN (?, ?");
  });
  test("is one parameter of the servers, however long", async () => {
    expect(await asked(mysql, byId, ids)).toEqual([{ sql: "SELECT a FROM t WHERE s = # AND id IN (##)", params: ["7", ids.join(",")] }]);
    const [statement, ...others] = await asked(postgres, byId, ids);
    expect(statement).toEqual({ sql: "SELECT a FROM t WHERE s + 0 = # AND id = ANY (?)", params: ["7", `{${ids.join(",")}}`] });
    expect(others).toEqual([]);
  });
  test("of nothing asks nobody", async () => {
    for (const dialect of [sqlite, mysql, postgres]) expect(await asked(dialect, byId, [])).toEqual([]);
  });
  test("leaves PostgreSQL no choice where each item is a step in an index", async () => {
    const [statement] = await asked(postgres, stepwise({ columns: "a", from: "t", by: "s", each: "b" }), ["1", "2"]);
    expect(numbered(statement?.sql ?? "")).toBe(
      "SELECT found.* FROM (SELECT CAST($1 AS BIGINT) AS common, unnest(CAST($2 AS BIGINT[])) AS item) AS wanted " +
        "CROSS JOIN LATERAL (SELECT a FROM t WHERE s = wanted.common AND b = wanted.item OFFSET 0) AS found",
    );
  });
});
