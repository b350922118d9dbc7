/** Databases of their own for tests that share a server: made on demand, empty, and named so that no other run has the name. */
import { SQL } from "bun";
import { bounded } from "../wait.ts";
import { freshName, urlOf } from "./database-names.ts";

export type Rows = readonly Readonly<Record<string, unknown>>[];

const answerMaxMs = 20_000;

/** One statement on a connection of its own. */
export async function runSql(url: string, statement: string, { withinMs = answerMaxMs }: { withinMs?: number } = {}): Promise<Rows> {
  const sql = new SQL(url, { max: 1, connectionTimeout: Math.ceil(withinMs / 1_000) });
  try {
    // The driver types rows as the caller says; a row is an object by column.
    return (await bounded("an answer to SQL", withinMs, sql.unsafe(statement))) as Rows;
  } finally {
    await sql.close({ timeout: 0 });
  }
}

export class SqlDatabases {
  readonly #url: string;
  readonly #adminUrl: string;
  readonly #create: (database: string) => readonly string[];
  readonly #made: string[] = [];

  /** On the server of `url`; `create` gives the statements that make a database and hand it to the url's user. */
  constructor(
    url: string,
    { adminUrl = url, create = defaultCreate }: { adminUrl?: string; create?: (database: string) => readonly string[] } = {},
  ) {
    this.#url = url;
    this.#adminUrl = adminUrl;
    this.#create = create;
  }

  /** The url of a new, empty database. */
  async database(name: string): Promise<string> {
    const database = freshName(name);
    for (const statement of this.#create(database)) await runSql(this.#adminUrl, statement);
    this.#made.push(database);
    return urlOf(this.#url, database);
  }

  async dropAll(): Promise<void> {
    for (const database of this.#made.splice(0)) await runSql(this.#adminUrl, `DROP DATABASE ${database}`);
  }
}

const defaultCreate = (database: string): readonly string[] => [`CREATE DATABASE ${database}`];
