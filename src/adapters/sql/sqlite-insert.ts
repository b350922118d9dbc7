/** Inserts as SQLite wants them: prepared statements of few lengths, and what rows have in common bound once, before them. */
import { RowsStatement } from "./chunks.ts";
import type { InsertStatement } from "./insert-statement.ts";

const forms = new WeakMap<InsertStatement, RowsStatement>();

export function sqliteForm(statement: InsertStatement): RowsStatement {
  let form = forms.get(statement);
  if (form === undefined) forms.set(statement, (form = formOf(statement)));
  return form;
}

function formOf({ table, columns, columnNames, commonKinds, width }: InsertStatement): RowsStatement {
  const into = `INSERT INTO ${table} (${columnNames})`;
  const row = `(${Array(width).fill("?").join(", ")})`;
  if (columns.every(({ from }) => from === "row")) return new RowsStatement(`${into} VALUES :rows`, row);
  let own = 0;
  const chosen = columns.map((column) => {
    if (column.from === "sql") return column.text;
    // How SQLite names the columns of VALUES.
    return column.from === "common" ? `c${column.at}` : `column${++own}`;
  });
  const names = commonKinds.map((_, i) => `c${i}`).join(", ");
  const marks = commonKinds.map(() => "?").join(", ");
  return new RowsStatement(
    `${into} WITH common (${names}) AS (VALUES (${marks})) SELECT ${chosen.join(", ")} FROM common CROSS JOIN (VALUES :rows)`,
    row,
  );
}
