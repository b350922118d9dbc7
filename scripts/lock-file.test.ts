import { expect, test } from "bun:test";
import { completeLock, lockPath, sameLock, type LockFile } from "./lock-file.ts";

const lock: LockFile = {
  lockfileVersion: 3,
  packages: {
    "": { optionalDependencies: { "left-out": "1.0.0" } },
    "node_modules/better-sqlite3": { version: "13.2.0" },
    "node_modules/tool": {
      version: "2.0.0",
      dev: true,
      optionalDependencies: { "@tool/binding-linux-arm64-musl": "2.0.0", "@tool/win32-x64": "2.0.0" },
    },
    "node_modules/user/node_modules/tool": { version: "1.0.0", optionalDependencies: { "@tool/win32-x64": "1.0.0" } },
  },
};

test("platform packages that npm left out are added where their users look", () => {
  const { packages } = completeLock(lock);
  expect(packages["node_modules/@tool/binding-linux-arm64-musl"]).toEqual({
    version: "2.0.0",
    dev: true,
    cpu: ["arm64"],
    libc: ["musl"],
    os: ["linux"],
    optional: true,
  });
  expect(packages["node_modules/@tool/win32-x64"]).toMatchObject({ version: "2.0.0", os: ["win32"], cpu: ["x64"] });
  expect(packages["node_modules/user/node_modules/@tool/win32-x64"]).toMatchObject({ version: "1.0.0" });
});

test("better-sqlite3 is not compiled again", () => expect(completeLock(lock).packages["node_modules/better-sqlite3"]?.gypfile).toBe(false));

test("a complete file stays as it is, an incomplete one does not", () => {
  const complete = completeLock(lock);
  expect(sameLock(complete, completeLock(complete))).toBe(true);
  expect(sameLock(lock, complete)).toBe(false);
});

test("package-lock.json is complete, so that npm ci takes it on every platform (npm run fix completes it)", async () => {
  const current: LockFile = await Bun.file(lockPath).json();
  const complete = completeLock(current);
  expect(
    Object.keys(complete.packages).filter(
      (path) => !sameLock({ packages: { e: current.packages[path] ?? {} } }, { packages: { e: complete.packages[path] ?? {} } }),
    ),
  ).toEqual([]);
});
