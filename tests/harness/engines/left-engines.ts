/** A run for left-engines.test.ts: opens the engines that it is told, freezes some, says where they are, and waits to be ended. */
import { openMariadb } from "./mariadb.ts";
import { openPostgres } from "./postgres.ts";
import { openRabbitmq } from "./rabbitmq.ts";
import { openRedis } from "./redis.ts";

const openers = { mariadb: openMariadb, postgres: openPostgres, redis: openRedis, rabbitmq: openRabbitmq };
const [how = "", ...names] = process.argv.slice(2);
const engines = await Promise.all(names.map((name) => openers[name as keyof typeof openers]()));
// Each of a frozen engine's processes stays where it is when its parent dies.
if (how === "frozen") await Promise.all(engines.map((engine) => engine.freeze()));
process.stdout.write(`${JSON.stringify(engines.map(({ folder }) => folder))}\n`);
if (how === "throw") throw new Error("on purpose");
await new Promise(() => setInterval(() => undefined, 60_000));
