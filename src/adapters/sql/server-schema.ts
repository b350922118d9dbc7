/**
 * Tables of a database server, said once for MySQL and PostgreSQL. A column is written in these words:
 *
 *   BIGINT, INTEGER      numbers               TEXT(n)   a text of at most n characters
 *   NUMBER               counts up by itself   LONGTEXT  a long one
 *
 * Texts compare by their code points, and blanks at their end count: two keys that differ are two keys.
 */
export type ServerFlavour = { readonly dialect: "postgres" } | { readonly dialect: "mysql"; readonly collation: MysqlCollation };

/** They name the collation differently that this needs. */
export type MysqlCollation = "utf8mb4_nopad_bin" | "utf8mb4_0900_bin";
export const mysqlCollation = (version: string): MysqlCollation => (/mariadb/i.test(version) ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin");

export type Index = {
  readonly name: string;
  readonly on: string;
  readonly unique?: true | undefined;
  /** PostgreSQL keeps only these rows in it; MySQL cannot, so there the columns of `mysqlOn` find them. */
  readonly where?: string | undefined;
  readonly mysqlOn?: string | undefined;
};

export type Table = {
  readonly name: string;
  /** Columns and constraints. */
  readonly rows: readonly string[];
  readonly indexes?: readonly Index[] | undefined;
  /** For MySQL alone: what a partial unique index is elsewhere. */
  readonly mysqlRows?: readonly string[] | undefined;
};

/** Statements that make the table; safe to repeat, for MySQL commits each of them by itself. */
export function createTable(table: Table, flavour: ServerFlavour): string[] {
  const { name, rows, indexes = [], mysqlRows = [] } = table;
  if (flavour.dialect === "mysql") {
    const keys = indexes
      .filter(({ mysqlOn }) => mysqlOn !== "")
      .map(({ name: index, on, unique, mysqlOn = on }) => `${unique ? "UNIQUE " : ""}KEY ${index} (${mysqlOn})`);
    const body = [...rows, ...mysqlRows, ...keys].map(mysqlWords).join(",\n  ");
    return [`CREATE TABLE IF NOT EXISTS ${name} (\n  ${body}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${flavour.collation}`];
  }
  const create = `CREATE TABLE IF NOT EXISTS ${name} (\n  ${rows.map(postgresWords).join(",\n  ")}\n)`;
  return [
    create,
    ...indexes.map(
      ({ name: index, on, unique, where }) =>
        `CREATE ${unique ? "UNIQUE " : ""}INDEX IF NOT EXISTS ${index} ON ${name} (${on})${where === undefined ? "" : ` WHERE ${where}`}`,
    ),
  ];
}

const mysqlWords = (row: string): string =>
  row
    .replaceAll("NUMBER", "BIGINT NOT NULL AUTO_INCREMENT")
    .replaceAll("LONGTEXT", "MEDIUMTEXT")
    .replaceAll(/\bTEXT\((\d+)\)/g, "VARCHAR($1)");
const postgresWords = (row: string): string =>
  row
    .replaceAll("NUMBER", "BIGINT GENERATED ALWAYS AS IDENTITY")
    .replaceAll("LONGTEXT", 'TEXT COLLATE "C"')
    .replaceAll(/\bTEXT\(\d+\)/g, 'TEXT COLLATE "C"');

/** Statements that add a column; safe to repeat. MySQL, other than MariaDB, has no word for that. */
export function addColumn({ table, column, is }: { table: string; column: string; is: string }, flavour: ServerFlavour): string[] {
  const words = flavour.dialect === "mysql" ? mysqlWords : postgresWords;
  const added = (condition: string) => `ALTER TABLE ${table} ADD COLUMN ${condition}${column} ${words(is)}`;
  if (flavour.dialect === "postgres" || flavour.collation === "utf8mb4_nopad_bin") return [added("IF NOT EXISTS ")];
  const isThere = `SELECT count(*) FROM information_schema.columns WHERE table_schema = database() AND table_name = '${table}' AND column_name = '${column}'`;
  return [
    `SET @doorbuster_step = IF((${isThere}) = 0, '${added("")}', 'DO 0')`,
    "PREPARE doorbuster_step FROM @doorbuster_step",
    "EXECUTE doorbuster_step",
    "DEALLOCATE PREPARE doorbuster_step",
  ];
}
