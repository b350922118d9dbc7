/**
 * Many rows in few statements. Statement texts come in a few fixed lengths, so each is prepared once: inserts are cut
 * into those lengths, lists are filled up to the next one by repeating their last value.
 */
import type { SqlTransaction, SqlValue } from "./sql-transaction.ts";

const insertSizes = [16, 4, 1] as const;
const listSizes = [1, 4, 16, 64, 256] as const;
const listMax = 256;

/** `INSERT INTO table (columns) VALUES row, row, …`; `row` has `width` parameters. */
export class Insert {
  readonly width: number;
  readonly #texts = new Map<number, string>();

  constructor(head: string, row: string) {
    this.width = row.split("?").length - 1;
    for (const size of insertSizes) this.#texts.set(size, `${head} VALUES ${Array(size).fill(row).join(", ")}`);
  }

  /** Inserts the rows whose parameters stand in `params` one after another. */
  async run(tx: SqlTransaction, params: readonly SqlValue[]): Promise<void> {
    let at = 0;
    for (const size of insertSizes) {
      const length = size * this.width;
      const text = this.#texts.get(size) ?? "";
      for (; params.length - at >= length; at += length) {
        await tx.execute(text, at === 0 && params.length === length ? params : params.slice(at, at + length));
      }
    }
  }
}

/** A statement that ends in a list: `text` holds `:list` where the list stands, after all other parameters. */
export class ListStatement {
  readonly #texts = new Map<number, string>();

  constructor(text: string) {
    for (const size of listSizes) this.#texts.set(size, text.replace(":list", `(${Array(size).fill("?").join(", ")})`));
  }

  async query<Row>(tx: SqlTransaction, params: readonly SqlValue[], list: readonly SqlValue[]): Promise<readonly Row[]> {
    if (list.length > listMax) {
      const first = await this.query<Row>(tx, params, list.slice(0, listMax));
      return [...first, ...(await this.query<Row>(tx, params, list.slice(listMax)))];
    }
    return list.length === 0 ? [] : tx.query<Row>(this.#textFor(list.length), this.#fill(params, list));
  }

  async execute(tx: SqlTransaction, params: readonly SqlValue[], list: readonly SqlValue[]): Promise<number> {
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

const sizeFor = (length: number): number => listSizes.find((size) => size >= length) ?? listMax;
