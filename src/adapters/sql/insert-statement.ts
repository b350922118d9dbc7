/**
 * Many rows into one table. Each database wants them in a form of its own: SQLite prepared statements of few lengths,
 * PostgreSQL arrays, MySQL one text. What the rows have in common is given once, for binding a value costs more than
 * storing it.
 */
export type ValueKind = "id" | "integer" | "text";
export type InsertColumn =
  /** The next of a row's own values. */
  | { readonly name: string; readonly from: "row"; readonly kind: ValueKind }
  /** The common value with this number. */
  | { readonly name: string; readonly from: "common"; readonly at: number }
  /** Always the same, in SQL. */
  | { readonly name: string; readonly from: "sql"; readonly text: string };

export class InsertStatement {
  readonly table: string;
  readonly columns: readonly InsertColumn[];
  /** Of the values that all rows share. */
  readonly commonKinds: readonly ValueKind[];
  /** Of each row's own. */
  readonly rowKinds: readonly ValueKind[];

  constructor(table: string, columns: readonly InsertColumn[], commonKinds: readonly ValueKind[] = []) {
    this.table = table;
    this.columns = columns;
    this.commonKinds = commonKinds;
    this.rowKinds = columns.flatMap((column) => (column.from === "row" ? [column.kind] : []));
  }

  get width(): number {
    return this.rowKinds.length;
  }

  get columnNames(): string {
    return this.columns.map(({ name }) => name).join(", ");
  }
}

/** A statement whose rows have nothing in common: names with the kinds of their values, in order. */
export function insertInto(table: string, kinds: Readonly<Record<string, ValueKind>>): InsertStatement {
  return new InsertStatement(
    table,
    Object.entries(kinds).map(([name, kind]) => ({ name, from: "row", kind })),
  );
}
