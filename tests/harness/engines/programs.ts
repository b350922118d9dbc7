/** Finds the programs of Debian's packages and runs them: bounded, in an environment without the caller's settings. */
import { spawn } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onCleanup } from "../cleanup.ts";

/** Servers lie where only root's PATH leads; PostgreSQL's lie in a folder per version, of which the newest counts. */
function folders(): string[] {
  const ofPath = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...ofPath, "/usr/local/sbin", "/usr/sbin", "/sbin", ...postgresFolders()];
}

function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  try {
    const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, "bin"));
  } catch {
    return [];
  }
}

export function findProgram(name: string): string | undefined {
  return folders()
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function programPath(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`"${name}" is not installed`);
  return path;
}

/** Whom a program runs as: engines refuse root, or should not have it. Undefined for whoever we are. */
export type User = { readonly name: string; readonly uid: number; readonly gid: number };

export function userNamed(name: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`));
  const [, , uid, gid] = row?.split(":") ?? [];
  return uid === undefined || gid === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}

export type Command = { readonly program: string; readonly args: readonly string[] };

/** The command as another user: setpriv becomes the program, where su and runuser would stay as its parent. */
export function commandAs(user: User | undefined, program: string, args: readonly string[]): Command {
  if (user === undefined) return { program, args };
  const become = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups"];
  return { program: programPath("setpriv"), args: [...become, "--", program, ...args] };
}

/** Nothing of PGHOST, MYSQL_PWD and their like: only where programs are. */
export const bareEnvironment = (): Record<string, string> => ({ PATH: folders().join(":"), LANG: "C.UTF-8" });

export type Run = {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  readonly withinMs?: number | undefined;
};

/** What the program printed; an error with all it said if it fails or takes too long. */
export async function runProgram({ program, args }: Command, { cwd = "/", env = {}, input = "", withinMs = 30_000 }: Run = {}) {
  const child = spawn(program, [...args], { cwd, env: { ...bareEnvironment(), ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const release = onCleanup(program, () => void child.kill("SIGKILL"));
  const timer = setTimeout(() => void child.kill("SIGKILL"), withinMs);
  const collect = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString();
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? -1));
  });
  // It may end before it has read everything; its exit code says what that means.
  child.stdin.once("error", () => undefined);
  child.stdin.end(input);
  try {
    const [out, err, code] = await Promise.all([collect(child.stdout), collect(child.stderr), ended]);
    if (code === 0) return out;
    throw new Error(
      `${program} ${args.join(" ")} ended with ${code < 0 ? `a signal, or after ${withinMs} ms` : code}: ${err}${out}`.trim(),
    );
  } finally {
    clearTimeout(timer);
    release();
  }
}
