/** A bug that nobody waits for: on either runtime the process says so in its log, and ends. */
import { afterAll, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded } from "../harness/wait.ts";

afterAll(cleanUp);

test.each<Runtime>(["bun", "node"])(
  "[G9] on %s a promise that is rejected with nobody listening ends the process with an error, in the log's own words",
  async (runtime) => {
    const entry = ["tests/harness/failing-server.ts", "serve"];
    const server = await ServerProcess.start({ dataDir: tempFolder().path, runtime, entry });
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    server.child.kill("SIGUSR2");
    expect(await bounded("the end of the process", 20_000, server.exited)).toBe(1);
    const told = server.log.filter((line) => line.includes("planted"));
    expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([{ msg: "the process crashed" }]);
  },
  60_000,
);
