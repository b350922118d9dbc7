/** deploy/compose.yaml as docker-compose reads it, and the passwords that it wants. No engine is started. */
import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { rootDir } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { hasProgram, programPath } from "./proxies.ts";

afterEach(cleanUp);

const isHere = hasProgram("docker-compose");
if (!isHere)
  console.warn("docker-compose is not installed, so its schema is not asked: apt-get install --no-install-recommends docker-compose");

/** deploy/ beside nobody's .env. */
function copied(): string {
  const folder = join(tempFolder().path, "deploy");
  cpSync(join(rootDir, "deploy"), folder, { recursive: true, filter: (path) => !/\/(secrets|\.env)$/.test(path) });
  return folder;
}

function compose(folder: string, ...args: string[]) {
  const options = { cwd: folder, encoding: "utf8", timeout: 30_000, env: { PATH: programPath, HOME: folder } } as const;
  const { status, stdout, stderr } = spawnSync("docker-compose", ["-f", "compose.yaml", ...args], options);
  return { status, out: stdout, err: stderr };
}

describe.skipIf(!isHere)("[G9] docker-compose (apt-get install docker-compose)", () => {
  test("takes compose.yaml with the example's variables", () => {
    const folder = copied();
    cpSync(join(folder, ".env.example"), join(folder, ".env"));
    expect(compose(folder, "config", "-q")).toEqual({ status: 0, out: "", err: "" });
  }, 30_000);

  test("refuses it without passwords, and says which file is wanted", () => {
    const { status, err } = compose(copied(), "config", "-q");
    expect([status, err]).toEqual([
      1,
      expect.stringContaining("name the file with the password of MariaDB user doorbuster; see deploy/.env.example"),
    ]);
  }, 30_000);
});

test.skipIf(!hasProgram("openssl"))(
  "[G9] make-secrets.sh makes long random passwords that only the owner of the folder can reach, and keeps those there are",
  () => {
    const folder = copied();
    const run = () => spawnSync("sh", [join(folder, "make-secrets.sh")], { encoding: "utf8", timeout: 20_000, env: { PATH: programPath } });
    const read = () =>
      Object.fromEntries(readdirSync(join(folder, "secrets")).map((name) => [name, readFileSync(join(folder, "secrets", name), "utf8")]));
    expect(run().status).toBe(0);
    const made = read();
    expect(made).toEqual({
      "mariadb-password": expect.stringMatching(/^[0-9a-f]{64}\n$/),
      "mariadb-root-password": expect.stringMatching(/^[0-9a-f]{64}\n$/),
      "postgres-password": expect.stringMatching(/^[0-9a-f]{64}\n$/),
      "redis-password.conf": expect.stringMatching(/^requirepass [0-9a-f]{64}\n$/),
      "rabbitmq-password.conf": expect.stringMatching(/^default_pass = [0-9a-f]{64}\n$/),
    });
    expect(new Set(Object.values(made)).size).toBe(5);
    expect(statSync(join(folder, "secrets")).mode & 0o777).toBe(0o700);
    const again = run();
    expect([again.status, again.stdout.match(/is there already/g)?.length]).toEqual([0, 5]);
    expect(read()).toEqual(made);
  },
);
