/**
 * A process of its own that ends what this one leaves: it reads folders from a pipe, and when the pipe ends, as it does
 * with this process however that ends, it kills every process that works in one of them and removes the folders. A
 * handler would not: kill -9 runs none. Nor would the kernel's PR_SET_PDEATHSIG: an engine loses it with its user, and its
 * children never have it, which live on when they are frozen.
 */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { programPath } from "./programs.ts";

const script = `
while IFS= read -r folder; do set -- "$@" "$folder"; done
for signal in STOP STOP KILL KILL KILL; do
  for folder in "$@"; do
    find /proc -maxdepth 2 -name cwd \\( -lname "$folder" -o -lname "$folder/*" \\) 2>/dev/null | while IFS=/ read -r _ _ pid _; do
      kill -s "$signal" "$pid" 2>/dev/null
    done
  done
done
for folder in "$@"; do rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }; done
`;

let pipe: NodeJS.WritableStream | undefined;

/** To be called before anything starts in the folder, or is written there. */
export function watchFolder(folder: string): void {
  if (/[\n*?[\]\\]/.test(folder)) throw new Error(`"${folder}" cannot be watched: find would read it as a pattern`);
  pipe ??= startWatchdog();
  pipe.write(`${folder}\n`);
}

function startWatchdog(): NodeJS.WritableStream {
  // A session of its own: what ends this process's group must not end it. Nor must this process's end: with --no-orphans
  // Bun has the kernel kill each of its children then.
  const args = ["--pdeathsig=clear", "--", "/bin/sh", "-c", script];
  const child = spawn(programPath("setpriv"), args, { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  // Node gives a socket for a pipe; it must not keep this process from ending.
  (child.stdin as Partial<Socket>).unref?.();
  return child.stdin;
}
