/**
 * `npm run conformance`: schemathesis against a real server with something in its shop, as everybody who may ask
 * (identities.ts). Every operation of the description, every check, every phase; no failure is allowed.
 *
 *   npm run conformance -- --seconds 60 --seed 7 --as shop
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { configOf } from "./config.ts";
import { adminPassword, headersOf, identities, type Identity } from "./identities.ts";
import { schemathesis } from "./python.ts";
import { stocked } from "./stocked.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    as: { type: "string" },
    only: { type: "string" },
    examples: { type: "string" },
  },
});
const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));

/** As an operator would run it: nothing is open to anybody that is not in production. */
const productionEnvironment = {
  DOORBUSTER_ENV: "production",
  DOORBUSTER_TOKEN_SECRET: "conformance-token-secret-0123456789abcdef",
};

const found = await schemathesis();
if ("missing" in found) {
  console.log(`SKIPPED: conformance was not checked, since ${found.missing}.`);
  process.exit(process.env["CI"] === undefined ? 0 : 1);
}

const folder = tempFolder().path;
const dataDir = join(folder, "data");
const server = await ServerProcess.start({ dataDir, env: { ...productionEnvironment, DOORBUSTER_ADMIN_PASSWORD: adminPassword } });
const failed: string[] = [];
try {
  const shop = new Shop(() => server.url);
  const stock = await stocked(shop);
  const foreign = await operationsOfAccounts();
  for (const identity of identities(shop)) {
    if (flags.as !== undefined && flags.as !== identity.name) continue;
    console.log(`\nAs ${identity.name} (seed ${seed}, ${flags.seconds} s):`);
    const config = join(folder, "schemathesis.toml");
    const hooks = join(import.meta.dirname, "hooks.py");
    writeFileSync(config, configOf({ stock, hooks, foreign: identity.hasNoAccount === true ? foreign : [] }));
    const headers = await identity.headers();
    await prove(identity, headers);
    if ((await run(found.program, config, identity, headers)) !== 0) failed.push(`as ${identity.name}`);
    if (identity.only === undefined) await prove(identity, headers);
    if (server.child.exitCode !== null) failed.push(`the server ended with ${server.child.exitCode}`);
  }
  if ((await server.stop(60_000)) !== 0) failed.push("the server did not stop as it should");
  const { problems } = await verifyStore(dataDir);
  failed.push(...problems.map((problem) => `verify: ${JSON.stringify(problem)}`));
  failed.push(...server.log.filter((line) => /"level":(?:50|60|"error")/.test(line)).slice(0, 5));
} finally {
  cleanUp();
}
console.log(failed.length === 0 ? "conformance: 0 failures" : `conformance failed (seed ${seed}):\n${failed.join("\n")}`);
process.exit(failed.length === 0 ? 0 : 1);

/** That it is still who it was. */
async function prove({ name, proof }: Identity, headers: readonly string[]): Promise<void> {
  const answer = await new Shop(() => server.url).get(proof, { anonymous: true, headers: headersOf(headers) });
  if (answer.status !== 200) failed.push(`${name} is not who it was: ${proof} answered ${answer.status} ${answer.text}`);
}

/** Operations that take an access token and nothing else. */
async function operationsOfAccounts(): Promise<string[]> {
  const { data: _, text } = await new Shop(() => server.url).get("/openapi.json");
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, { operationId: string; security: unknown }>> };
  return Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ security }) => JSON.stringify(security) === '[{"Bearer":[]}]')
    .map(({ operationId }) => operationId);
}

async function run(program: string, config: string, { spared, sparedTag, only }: Identity, headers: readonly string[]): Promise<number> {
  const choices = {
    checks: "all",
    mode: "all",
    phases: "examples,coverage,fuzzing,stateful",
    seed: String(seed),
    "max-time": flags.seconds,
    "max-examples": flags.examples,
    warnings: "off",
    // Two would share an interpreter, whose parser of Python does not like that.
    workers: "1",
    "include-operation-id-regex": flags.only ?? only,
    "exclude-operation-id-regex": spared,
    "exclude-tag": sparedTag,
  };
  const given = Object.entries(choices).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  const child = Bun.spawn(
    [
      program,
      `--config-file=${config}`,
      "run",
      `${server.url}/openapi.json`,
      "--continue-on-failure",
      ...given,
      ...headers.map((header) => `--header=${header}`),
    ],
    { cwd: folder, stdin: "ignore", stdout: "inherit", stderr: "inherit", env: { ...process.env, NO_COLOR: "1" } },
  );
  return child.exited;
}
