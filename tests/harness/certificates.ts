/** An authority of a test's own, and certificates that it signs for names of hosts; read by whatever user a server has. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./volumes.ts";

export type Signed = { readonly pem: string; readonly key: string };
export type Authority = { readonly ca: string; readonly signed: (name: string) => Signed };

export function certificates(): Authority {
  const { path } = tempFolder();
  const run = (program: string, ...args: readonly string[]) => {
    const { status, stderr } = spawnSync(program, args, { cwd: path, encoding: "utf8", timeout: 30_000 });
    if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${stderr}`);
  };
  const of = (name: string) => join(path, name);
  run(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=authority",
  );
  return {
    ca: of("ca.pem"),
    signed: (name) => {
      const files = { pem: of(`${name}.pem`), key: of(`${name}.key`) };
      if (existsSync(files.pem)) return files;
      run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", files.key, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      writeFileSync(of(`${name}.ext`), `subjectAltName=DNS:${name}`);
      const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`];
      run("openssl", "x509", "-req", "-in", `${name}.csr`, ...by, "-out", files.pem);
      run("chmod", "-R", "a+rX", path);
      return files;
    },
  };
}
