/**
 * Lines that are appended and never changed, in the store that several processes share: the journal of the simulated
 * payment provider. A line whose commit is not known may be found twice; whoever reads takes the second for a repeat.
 */
import { insertInto } from "./insert-statement.ts";
import type { ServerDatabase } from "./server-database.ts";

const insertLine = insertInto("provider_line", { line: "text" });
const linesAfter = `SELECT seq, line FROM provider_line WHERE seq > ? ORDER BY seq LIMIT 1000`;
/** A line may show itself after one with a larger number: so far back it is looked for again. */
const overlap = 100;

type LineRow = { readonly seq: number; readonly line: string };

export class ServerLines {
  readonly #database: ServerDatabase;
  #last = 0;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  read(): Promise<readonly string[]> {
    return this.#readAfter(0);
  }

  readNew(): Promise<readonly string[]> {
    return this.#readAfter(Math.max(0, this.#last - overlap));
  }

  async append(line: string): Promise<void> {
    await this.#database.write((tx) => Promise.resolve(tx.insert(insertLine, [line])));
  }

  async close(): Promise<void> {
    // Its connections are the store's.
  }

  async #readAfter(seq: number): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let after = seq; ;) {
      const rows = await this.#database.reads.query<LineRow>(linesAfter, [after]);
      for (const row of rows) lines.push(row.line);
      after = rows.at(-1)?.seq ?? after;
      this.#last = Math.max(this.#last, after);
      if (rows.length < 1000) return lines;
    }
  }
}
