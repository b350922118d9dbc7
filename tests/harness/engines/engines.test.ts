/**
 * What every engine of our own promises to the tests that use it. Each is spoken to by its command-line client, or over a
 * socket of our own: whoever uses the engines later has clients of other makes.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { pause, waitFor } from "../wait.ts";
import { AmqpSocket } from "./amqp-socket.ts";
import { engineNames, type EngineName } from "./availability.ts";
import { describeWithOwnEngine } from "./describe-with-engine.ts";
import type { EngineProcess } from "./engine-process.ts";
import { sayHello } from "./hello.ts";
import { openMariadb } from "./mariadb.ts";
import { accepts } from "./ports.ts";
import { openPostgres } from "./postgres.ts";
import { isStopped, processesIn } from "./processes.ts";
import { programPath, runProgram } from "./programs.ts";
import { openRabbitmq } from "./rabbitmq.ts";
import { openRedis } from "./redis.ts";

type Store = EngineProcess & { database(name: string): Promise<string> };
type Case = {
  readonly open: () => Promise<Store>;
  /** Durable when it returns. */
  readonly write: (url: string, word: string) => Promise<void>;
  /** How many words are there. */
  readonly count: (url: string) => Promise<number>;
};

const mariadb = (url: string, statement: string) => {
  const { port, username, password, pathname } = new URL(url);
  const login = ["--no-defaults", "--host=127.0.0.1", `--port=${port}`, `--user=${username}`, "--batch", "--skip-column-names"];
  const args = [...login, `--execute=${statement}`, pathname.slice(1)];
  return runProgram({ program: programPath("mariadb"), args }, { env: { MYSQL_PWD: password } });
};
const psql = (url: string, statement: string) => runProgram({ program: programPath("psql"), args: [url, "-qAtX", "-c", statement] });
const redis = (url: string, ...args: string[]) => {
  const { port, password, pathname } = new URL(url);
  const login = ["-p", port, "-n", pathname.slice(1), "-e"];
  return runProgram({ program: programPath("redis-cli"), args: [...login, ...args] }, { env: { REDISCLI_AUTH: password } });
};
const table = "CREATE TABLE IF NOT EXISTS words (word varchar(40) PRIMARY KEY)";

const cases: Readonly<Record<EngineName, Case>> = {
  mariadb: {
    open: openMariadb,
    write: async (url, word) => void (await mariadb(url, `${table}; INSERT INTO words VALUES ('${word}')`)),
    count: async (url) => Number(await mariadb(url, `${table}; SELECT count(*) FROM words`)),
  },
  postgres: {
    open: openPostgres,
    write: async (url, word) => void (await psql(url, `SET client_min_messages = error; ${table}; INSERT INTO words VALUES ('${word}')`)),
    count: async (url) => Number(await psql(url, `SET client_min_messages = error; ${table}; SELECT count(*) FROM words`)),
  },
  redis: {
    open: openRedis,
    write: async (url, word) => void (await redis(url, "SET", word, "1")),
    count: async (url) => Number(await redis(url, "DBSIZE")),
  },
  rabbitmq: {
    open: openRabbitmq,
    write: async (url, word) => {
      using amqp = await AmqpSocket.open(url);
      await amqp.declare("words");
      await amqp.publish("words", word);
    },
    count: async (url) => {
      using amqp = await AmqpSocket.open(url);
      const held = await amqp.declare("words");
      return held;
    },
  },
};

/** How long a live engine would need for an answer, many times over. */
const silentMs = 300;
const slow = { timeout: 90_000 };

describe.each(engineNames)("%s", (name) => {
  const { open, write, count } = cases[name];
  describeWithOwnEngine(name, "an engine of our own", () => {
    let engine: Store;
    beforeAll(async () => void (engine = await open()), 90_000);
    afterAll(() => engine.close(), 30_000);

    test("answers a client", async () => {
      await write(engine.url, "hello");
      expect(await count(engine.url)).toBe(1);
      expect(processesIn(engine.folder)).toContain(engine.pid);
    });

    test(
      "gives empty databases that do not meet",
      async () => {
        const [one, two] = await Promise.all([engine.database("words"), engine.database("words")]);
        await write(one, "one");
        expect([await count(one), await count(two)]).toEqual([1, 0]);
      },
      slow,
    );

    test(
      "has after kill -9 and a start what it confirmed before, on the same port",
      async () => {
        const [before, pid] = [await count(engine.url), engine.pid];
        await write(engine.url, "durable");
        await engine.kill();
        expect([processesIn(engine.folder), engine.isUp, engine.pid, await accepts(engine.port)]).toEqual([[], false, 0, false]);
        await engine.start();
        expect(engine.pid).not.toBe(pid);
        expect(await count(engine.url)).toBe(before + 1);
      },
      slow,
    );

    test(
      "is silent while it is frozen, and answers what was asked meanwhile",
      async () => {
        const control = await sayHello(name, engine.port);
        await waitFor("an answer before the frost", control.isAnswered);
        await engine.freeze();
        expect(processesIn(engine.folder).filter((pid) => !isStopped(pid))).toEqual([]);
        const hello = await sayHello(name, engine.port);
        // Nothing tells that nothing comes but time.
        await pause(silentMs);
        expect(hello.isAnswered()).toBe(false);
        engine.thaw();
        await waitFor("an answer after the frost", hello.isAnswered);
      },
      slow,
    );

    test(
      "does not meet a second one, which leaves no process and no folder",
      async () => {
        const before = await count(engine.url);
        const second = await open();
        expect(second.port).not.toBe(engine.port);
        await write(second.url, "second");
        expect([await count(engine.url), await count(second.url)]).toEqual([before, 1]);
        await second.close();
        expect([processesIn(second.folder), existsSync(second.folder), await accepts(second.port)]).toEqual([[], false, false]);
        await write(engine.url, "still there");
        expect(await count(engine.url)).toBe(before + 1);
      },
      slow,
    );

    test(
      "stops as an operator stops it, and comes back",
      async () => {
        const before = await count(engine.url);
        await engine.stop();
        expect(processesIn(engine.folder)).toEqual([]);
        await engine.start();
        expect(await count(engine.url)).toBe(before);
      },
      slow,
    );
  });
});
