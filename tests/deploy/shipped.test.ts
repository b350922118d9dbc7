/** Operator's files as they are shipped, for the tests around replace them by their own. */
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { rootDir } from "../harness/server-process.ts";
import { installedProxies, programPath, testCertificate } from "./proxies.ts";

afterAll(cleanUp);

test.skipIf(!installedProxies.includes("haproxy"))(
  "[G9] haproxy takes its files as they are shipped, but for the certificate; the control, without its variables, does not",
  () => {
    const folder = join(rootDir, "deploy", "haproxy");
    const lines = readFileSync(join(folder, "doorbuster.env"), "utf8").matchAll(/^(PROXY_\w+)=(.*)$/gm);
    const env = Object.fromEntries([...lines].map(([, name = "", value = ""]) => [name, value]));
    const check = (variables: Readonly<Record<string, string>>) =>
      spawnSync("haproxy", ["-c", "-q", "-f", folder], { encoding: "utf8", timeout: 20_000, env: { PATH: programPath, ...variables } });
    const { status, stderr } = check({ ...env, PROXY_CERTIFICATE: testCertificate().both });
    expect([status, stderr.includes("ALERT") || stderr.includes("WARNING") ? stderr : ""]).toEqual([0, ""]);
    expect(check({}).status).toBe(1);
  },
);
