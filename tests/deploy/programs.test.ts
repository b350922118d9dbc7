/** What this suite needs beside the product. Where something is missing its tests do not run, and this says so; in CI it fails. */
import { expect, test } from "bun:test";
import { hasProgram } from "./proxies.ts";

const inCi = process.env["CI"] === "true";

/** Program and Debian package. docker-compose only reads a file here; its schema is a second look. */
const needed = [
  { program: "nginx", debian: "nginx" },
  { program: "haproxy", debian: "haproxy" },
  { program: "openssl", debian: "openssl" },
];

for (const { program, debian } of needed) {
  const isHere = hasProgram(program);
  const command = `apt-get install --no-install-recommends ${debian}`;
  if (!isHere) console.warn(`${program} is not installed, so nothing behind it is tested: ${command}`);
  test.skipIf(!isHere && !inCi)(`${program} is here (${command})`, () => expect(isHere).toBe(true));
}
