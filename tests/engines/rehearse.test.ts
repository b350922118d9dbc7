/** A rehearsal in a deployment whose store is a database server: what it is told of the store, verify is told, too. */
import { expect, test } from "bun:test";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { installationEnvironment } from "../harness/installation.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, ServerProcess } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";

describeWithEngine("mariadb", "a rehearsal in a deployment on a database server", (engine) => {
  test("[J4] verify judges its store by the configured database; one that cannot be reached costs no report", async () => {
    const env = installationEnvironment({ databaseUrl: await engine().database("rehearsed") });
    const server = await ServerProcess.start({ dataDir: tempFolder().path, env });
    const rehearse = async (store: Record<string, string>) => {
      const args = ["rehearse", "--url", server.url, "--rate", "150", "--duration", "3", "--stock", "40", "--lead", "1", "--json", "-"];
      const { code, out, err } = await runCommand(args, { env: { ...store, DOORBUSTER_API_KEY: apiKey }, withinMs: 90_000 });
      return { code, err, report: JSON.parse(out) };
    };
    const good = await rehearse(env);
    expect([good.code, good.report.problems, good.report.verify.verdict]).toEqual([0, [], expect.not.stringMatching("invalid")]);
    expect(good.report.verify.checks.length).toBeGreaterThan(5);

    const elsewhere = await rehearse({ ...env, DOORBUSTER_DATABASE_URL: "mysql://nobody:secret@127.0.0.1:9/none" });
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.report.accepted).toBeGreaterThan(0);
    expect(JSON.stringify(elsewhere.report.problems)).toContain("could not be checked");
    expect(JSON.stringify(elsewhere.report)).not.toContain("secret");
    expect(await server.stop()).toBe(0);
  }, 120_000);
});
