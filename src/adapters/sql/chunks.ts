/**
 * Many rows in few statements. Statement texts come in a few fixed lengths, so each is prepared once: rows to write are
 * cut into those lengths, rows and lists to read by are filled up to the next one.
 */
import type { Dialect } from "./dialect.ts";
import { arrayLiteral } from "./literals.ts";
import type { SqlReads, SqlTransaction, SqlValue } from "./sql-transaction.ts";

const rowSizes = [64, 16, 4, 1] as const;
const rowsMax = rowSizes[0];
const listSizes = [1, 4, 16, 64, 256] as const;
const listMax = 256;

/**
 * A statement over rows of values: `text` holds `:rows` where `VALUES` wants them, and no parameters after them; `row` is
 * one of them. What many rows have in common is better bound once, before them: binding a value costs more than storing it.
 */
export class RowsStatement {
  readonly width: number;
  readonly #texts = new Map<number, string>();

  constructor(text: string, row: string) {
    this.width = row.split("?").length - 1;
    for (const size of rowSizes) this.#texts.set(size, text.replace(":rows", Array(size).fill(row).join(", ")));
  }

  /** Writes the rows whose parameters stand in `params` one after another; how many rows that met. `common` comes before each lot. */
  async execute(tx: SqlTransaction, params: readonly SqlValue[], common: readonly SqlValue[] = []): Promise<number> {
    let at = 0;
    let matched = 0;
    for (const size of rowSizes) {
      const length = size * this.width;
      const text = this.#texts.get(size) ?? "";
      for (; params.length - at >= length; at += length) {
        const lot = at === 0 && params.length === length ? params : params.slice(at, at + length);
        matched += await tx.execute(text, common.length === 0 ? lot : common.concat(lot));
      }
    }
    return matched;
  }

  /** Reads by the rows in `params`; rows of nulls, which must find nothing, fill up the last statement. */
  async query<Row>(tx: SqlReads, params: readonly SqlValue[]): Promise<readonly Row[]> {
    const found: Row[] = [];
    const lengthMax = rowsMax * this.width;
    for (let at = 0; at < params.length; at += lengthMax) {
      const part = params.slice(at, at + lengthMax);
      const size = rowSizes.findLast((rows) => rows * this.width >= part.length) ?? rowsMax;
      while (part.length < size * this.width) part.push(null);
      for (const row of await tx.query<Row>(this.#texts.get(size) ?? "", part)) found.push(row);
    }
    return found;
  }
}

/** A statement that ends in a list: `text` holds `IN :list` where the list stands, after all other parameters. */
export class ListStatement {
  readonly #texts = new Map<number, string>();
  /** With one parameter for the list, where the dialect has such; of texts MySQL has none. */
  readonly #whole: Readonly<Record<Dialect["lists"], string | undefined>>;

  /** `array`: the same in other words, for PostgreSQL, where the list is `CAST(? AS BIGINT[])`. */
  constructor(text: string, { of = "ids", array }: { of?: "ids" | "texts"; array?: string | undefined } = {}) {
    const mark = of === "ids" ? "#" : "?";
    for (const size of listSizes) this.#texts.set(size, text.replace(":list", `(${Array(size).fill(mark).join(", ")})`));
    this.#whole = {
      marks: undefined,
      array: array ?? text.replace("IN :list", "= ANY (?)"),
      text: of === "ids" ? text.replace(":list", "(##)") : undefined,
    };
  }

  async query<Row>(tx: SqlReads, params: readonly SqlValue[], list: readonly SqlValue[]): Promise<readonly Row[]> {
    if (list.length === 0) return [];
    const { lists } = tx.dialect;
    const whole = this.#whole[lists];
    if (whole !== undefined) return tx.query<Row>(whole, params.concat(wholeOf(lists, list)));
    if (list.length > listMax) {
      const first = await this.query<Row>(tx, params, list.slice(0, listMax));
      return [...first, ...(await this.query<Row>(tx, params, list.slice(listMax)))];
    }
    return tx.query<Row>(this.#textFor(list.length), this.#fill(params, list));
  }

  async execute(tx: SqlTransaction, params: readonly SqlValue[], list: readonly SqlValue[]): Promise<number> {
    if (list.length === 0) return 0;
    const { lists } = tx.dialect;
    const whole = this.#whole[lists];
    if (whole !== undefined) return tx.execute(whole, params.concat(wholeOf(lists, list)));
    let matched = 0;
    for (let at = 0; at < list.length; at += listMax) {
      const part = list.slice(at, at + listMax);
      matched += await tx.execute(this.#textFor(part.length), this.#fill(params, part));
    }
    return matched;
  }

  #textFor(length: number): string {
    return this.#texts.get(sizeFor(length)) ?? "";
  }

  #fill(params: readonly SqlValue[], list: readonly SqlValue[]): SqlValue[] {
    const filled = params.concat(list);
    const last = list.at(-1) ?? null;
    for (let missing = sizeFor(list.length) - list.length; missing > 0; missing--) filled.push(last);
    return filled;
  }
}

/**
 * Rows with `by` in common and an item of a list as their `each`, one step in the index of the two for each item. PostgreSQL
 * is left no choice: its statistics do not know the sale that began a minute ago, and by them it would read the whole of it.
 */
export function stepwise({ columns, from, by, each, of = "ids" }: Steps): ListStatement {
  const [mark, type] = of === "ids" ? ["#", "BIGINT"] : ["?", "TEXT"];
  return new ListStatement(`SELECT ${columns} FROM ${from} WHERE ${by} = ${mark} AND ${each} IN :list`, {
    of,
    array: `SELECT found.* FROM (SELECT CAST(${mark} AS ${type}) AS common, unnest(CAST(? AS ${type}[])) AS item) AS wanted
      CROSS JOIN LATERAL (SELECT ${columns} FROM ${from} WHERE ${by} = wanted.common AND ${each} = wanted.item OFFSET 0) AS found`,
  });
}

type Steps = {
  readonly columns: string;
  readonly from: string;
  readonly by: string;
  readonly each: string;
  /** What `by` and `each` are. No item may stand in a list twice. */
  readonly of?: "ids" | "texts" | undefined;
};

const sizeFor = (length: number): number => listSizes.find((size) => size >= length) ?? listMax;
const wholeOf = (lists: Dialect["lists"], list: readonly SqlValue[]): string => (lists === "array" ? arrayLiteral(list) : list.join(","));
