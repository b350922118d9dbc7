/**
 * package-lock.json as `npm ci` needs it everywhere. npm leaves two things out when it writes the file:
 *
 * - platform packages that the registry in use did not have; `npm ci` then refuses the whole file. Their name says what
 *   they are for, and whoever needs one fetches it.
 * - `gypfile: false` of better-sqlite3, which brings its binaries along; without it npm compiles it again (a minute, and
 *   a compiler that a bare machine lacks).
 */
import { join } from "node:path";
import { rootDir } from "./steps.ts";

export type LockEntry = {
  readonly version?: string;
  readonly dev?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly gypfile?: false;
  readonly [field: string]: unknown;
};
export type LockFile = { readonly packages: Readonly<Record<string, LockEntry>>; readonly [field: string]: unknown };

export const lockPath = join(rootDir, "package-lock.json");
const prebuilt = ["node_modules/better-sqlite3"];

/** "@x/binding-linux-arm64-musl" is for linux, arm64, musl. */
function platformOf(name: string): Pick<LockEntry, string> {
  const [os = "", cpu = "", libc = ""] = (name.split("/")[1] ?? name).replace(/^binding-/, "").split("-");
  const libcOf = libc.startsWith("musl") ? ["musl"] : ["glibc"];
  return { cpu: [cpu], ...(os === "linux" && libc !== "" ? { libc: libcOf } : {}), os: [os], optional: true };
}

/** The lock file with what npm left out; equal to its input when nothing is missing. */
export function completeLock(lock: LockFile): LockFile {
  const packages: Record<string, LockEntry> = { ...lock.packages };
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === "") continue;
    const folder = path.slice(0, path.lastIndexOf("node_modules/"));
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const places = [`${folder}node_modules/${name}`, `node_modules/${name}`];
      if (packages[places[0] ?? ""] !== undefined || packages[places[1] ?? ""]?.version === version) continue;
      const { dev, engines } = entry;
      packages[places[0] ?? ""] = { version, ...(dev && { dev }), ...platformOf(name), ...(engines && { engines }) };
    }
  }
  for (const path of prebuilt) if (packages[path] !== undefined) packages[path] = { ...packages[path], gypfile: false };
  const paths = Object.keys(packages).toSorted((a, b) => (a < b ? -1 : 1));
  return { ...lock, packages: Object.fromEntries(paths.map((path) => [path, packages[path] ?? {}])) };
}

/** Whether two lock files say the same, whatever the order of their keys. */
export function sameLock(a: LockFile, b: LockFile): boolean {
  return Bun.deepEquals(a, b);
}
