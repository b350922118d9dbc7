import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../volumes.ts";
import { dependenciesIn, linkPlugins } from "./rabbitmq-plugins.ts";

test.each([
  [
    '{application, rabbit, [{vsn, "3"},\n {applications, [kernel,stdlib,\n  ra, rabbit_common]},\n {env, [a]}]}.',
    ["kernel", "stdlib", "ra", "rabbit_common"],
  ],
  ["{application, lonely, [{applications,[]}]}.", []],
  ["{application, odd, []}.", []],
])("dependencies are read from %j", (text, expected) => expect(dependenciesIn(text)).toEqual(expected));

test("what a broker and its plugins need is linked, in circles too, and nothing else", () => {
  const folder = tempFolder();
  const from = join(folder.path, "plugins");
  const application = (name: string, needs: string) => {
    mkdirSync(join(from, `${name}-1.2.3`, "ebin"), { recursive: true });
    writeFileSync(join(from, `${name}-1.2.3`, "ebin", `${name}.app`), `{application, ${name}, [{applications, [${needs}]}]}.`);
  };
  application("rabbit", "kernel, ra");
  application("rabbitmq_prelaunch", "rabbit");
  application("ra", "rabbit");
  application("rabbitmq_shovel", "amqp_client");
  application("amqp_client", "kernel");
  application("rabbitmq_mqtt", "kernel");
  const linked = (to: string, named: string[]) => (
    linkPlugins({ from, to: join(folder.path, to), named }),
    readdirSync(join(folder.path, to)).toSorted()
  );
  expect(linked("bare", [])).toEqual(["ra-1.2.3", "rabbit-1.2.3", "rabbitmq_prelaunch-1.2.3"]);
  expect(linked("more", ["rabbitmq_shovel"])).toEqual([
    "amqp_client-1.2.3",
    "ra-1.2.3",
    "rabbit-1.2.3",
    "rabbitmq_prelaunch-1.2.3",
    "rabbitmq_shovel-1.2.3",
  ]);
  folder.release();
});
