/** The script that installs packages, with programs in place of Debian's that write down what they are asked. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "../volumes.ts";

const folder = tempFolder();
const [bin, state] = [join(folder.path, "bin"), join(folder.path, "state")];
const script = fileURLToPath(new URL("./install-packages.sh", import.meta.url));

function put(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\ncd ${state}\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** What is installed is a file of that name; two that run at once are found out by a folder. */
const aptGet = `
mkdir running || echo "met another" >> said
while case "$1" in -o) shift;; -qq) ;; *) false;; esac do shift; done
echo "$* $(tail -n 1 policy-rc.d)" >> said
[ "$1" = update ] || { shift 3; touch "$@"; }
rmdir running
`;

async function install(...packages: string[]): Promise<{ code: number; said: string[] }> {
  const env = { PATH: `${bin}:/usr/bin:/bin`, DOORBUSTER_TEST_STATE: state };
  const code = await Bun.spawn(["/bin/sh", script, ...packages], { env, stdout: "ignore", stderr: "ignore" }).exited;
  const said = existsSync(join(state, "said")) ? readFileSync(join(state, "said"), "utf8").trim().split("\n") : [];
  return { code, said };
}

describe.skipIf(process.platform !== "linux")("packages", () => {
  beforeEach(() => {
    rmSync(bin, { recursive: true, force: true });
    rmSync(state, { recursive: true, force: true });
    mkdirSync(bin);
    mkdirSync(state);
    put("dpkg-query", 'test -e "$3" && printf installed');
    put("apt-get", aptGet);
  });
  afterAll(() => folder.release());

  const installing = (names: string) => ["update exit 101", `install -y --no-install-recommends ${names} exit 101`];

  test("are installed in one go, under a policy that starts nothing and goes again", async () => {
    expect(await install("one", "two")).toEqual({ code: 0, said: installing("one two") });
    expect(existsSync(join(state, "policy-rc.d"))).toBe(false);
  });

  test("that are there are not asked for", async () => {
    writeFileSync(join(state, "one"), "");
    expect(await install("one", "two")).toEqual({ code: 0, said: installing("two") });
    expect(await install("one", "two")).toEqual({ code: 0, said: installing("two") });
  });

  test("are installed once by several runs at a time", async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => install("one", "two")));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect((await install("one")).said).toEqual(installing("one two"));
  });

  test("that cannot be had are an error, after which the policy is gone, too", async () => {
    put("apt-get", "exit 100");
    expect(await install("one")).toEqual({ code: 100, said: [] });
    expect(existsSync(join(state, "policy-rc.d"))).toBe(false);
  });

  test("leave a machine's own policy as it is", async () => {
    writeFileSync(join(state, "policy-rc.d"), "exit 104\n");
    expect((await install("one")).said[0]).toBe("update exit 104");
    expect(readFileSync(join(state, "policy-rc.d"), "utf8")).toBe("exit 104\n");
  });
});
