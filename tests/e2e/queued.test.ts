/** The API of queued mode, as a stranger meets it: a cache decides, a broker carries, and each database settles once. */
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { allCases, coreCases } from "./all-cases.ts";
import { useInstallation } from "./server-under-test.ts";

for (const [name, runtime, cases] of [
  ["mariadb", "bun", allCases],
  ["postgres", "node", coreCases],
] as const)
  describeWithEngine(name, `queued mode on ${name}, on ${runtime}`, (database) =>
    describeWithEngine("redis", "with a Redis", (redis) =>
      describeWithEngine("rabbitmq", "and a RabbitMQ", (rabbitmq) => {
        cases(
          useInstallation(runtime, "queued", async () => ({
            databaseUrl: await database().database("e2e_queued"),
            queue: { redisUrl: await redis().database("e2e"), brokerUrl: await rabbitmq().database("e2e") },
          })),
        );
      }),
    ),
  );
