/**
 * Numbered databases on a Redis that is not ours. Only empty ones are taken, and a key in database 0 claims each, so that
 * parallel runs do not meet; it expires for those who die.
 */
import { RedisClient } from "bun";
import { urlOf } from "./database-names.ts";

/** What Redis has unless it is told otherwise. */
const databasesMax = 16;
const claimSeconds = 3_600;

export class RedisDatabases {
  readonly #url: string;
  readonly #claimed: number[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async database(name: string): Promise<string> {
    for (let number = 1; number < databasesMax; number++) if (await this.#claim(number, name)) return urlOf(this.#url, String(number));
    throw new Error(`no database of the Redis is free for "${name}": each of 1 to ${databasesMax - 1} holds keys, or is another run's`);
  }

  async dropAll(): Promise<void> {
    for (const number of this.#claimed.splice(0)) {
      await this.#ask(number, ["FLUSHDB"]);
      await this.#ask(0, ["DEL", claimOf(number)]);
    }
  }

  async #claim(number: number, name: string): Promise<boolean> {
    if ((await this.#ask(0, ["SET", claimOf(number), name, "NX", "EX", String(claimSeconds)])) !== "OK") return false;
    if (Number(await this.#ask(number, ["DBSIZE"])) > 0) {
      await this.#ask(0, ["DEL", claimOf(number)]);
      return false;
    }
    this.#claimed.push(number);
    return true;
  }

  async #ask(number: number, [command = "", ...args]: readonly string[]): Promise<unknown> {
    const client = new RedisClient(urlOf(this.#url, String(number)), { connectionTimeout: 5_000, autoReconnect: false });
    try {
      const answer: unknown = await client.send(command, args);
      return answer;
    } finally {
      client.close();
    }
  }
}

const claimOf = (number: number): string => `doorbuster-tests:database:${number}`;
