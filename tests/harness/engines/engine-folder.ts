/** Where an engine has its data: a folder of its own, which its user can enter, and which goes with this process at the latest. */
import { chownSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onCleanup } from "../cleanup.ts";
import { killIn } from "./processes.ts";
import { commandAs, programPath, runProgram, type User } from "./programs.ts";
import type { Volume } from "../volumes.ts";
import { watchFolder } from "./watchdog.ts";

/** The release ends whatever works in the folder before it removes it. */
export function engineFolder(engine: string, user: User | undefined, place?: string): Volume {
  const parent = realpathSync(place ?? defaultPlace(user));
  const closed = closedTo(user, parent);
  if (closed !== undefined) throw new Error(`"${closed}" lets ${user?.name} not through to ${engine}'s data; chmod 711 would`);
  const path = mkdtempSync(join(parent, `doorbuster-${engine}-`));
  watchFolder(path);
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  const release = onCleanup(path, () => {
    killIn(path);
    rmSync(path, { recursive: true, force: true });
  });
  return { path, release };
}

/** The temporary folder, unless it is in somebody's home: then the one that everybody can enter. */
const defaultPlace = (user: User | undefined): string => (closedTo(user, realpathSync(tmpdir())) === undefined ? tmpdir() : "/tmp");

/** The folder on the way to a path that its user cannot enter. */
function closedTo(user: User | undefined, path: string): string | undefined {
  if (user === undefined) return undefined;
  const { mode, uid } = statSync(path);
  const isOpen = (mode & (uid === user.uid ? 0o100 : 0o001)) !== 0;
  if (!isOpen) return path;
  return path === "/" ? undefined : closedTo(user, dirname(path));
}

const templates = new Map<string, string>();

/**
 * A copy of a data folder that was made once in this process: making one takes ten times as long as copying it. It is
 * copied with owners and times, by reference where the file system can.
 */
export async function copyTemplate(
  engine: string,
  { user, make, to }: { user: User | undefined; make: (folder: string) => Promise<void>; to: string },
): Promise<void> {
  const known = templates.get(engine);
  // A test that releases all that was registered removes it.
  const template = known !== undefined && existsSync(known) ? known : await makeTemplate(engine, user, make);
  await runProgram(commandAs(user, programPath("cp"), ["-a", "--reflink=auto", template, to]));
}

async function makeTemplate(engine: string, user: User | undefined, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = engineFolder(`${engine}-template`, user);
  const data = join(folder.path, "data");
  await make(data);
  templates.set(engine, data);
  return data;
}
