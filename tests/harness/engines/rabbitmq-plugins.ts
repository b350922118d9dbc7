/**
 * The part of RabbitMQ's installation that a broker needs. Erlang looks for each of some nine hundred modules in every
 * folder of its path, and the package has seventy folders of plugins: with those that matter a start takes half the time.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Started by name, not as somebody's dependency. */
const roots = ["rabbit", "rabbitmq_prelaunch"];

/** Links the applications of a broker with these plugins, and what they need, into a folder of their own. */
export function linkPlugins({ from, to, named }: { from: string; to: string; named: readonly string[] }): void {
  const folders = new Map(readdirSync(from).map((folder) => [folder.replace(/-[^-]*$/, ""), folder]));
  const needed = new Set<string>();
  const need = (application: string): void => {
    const folder = folders.get(application);
    // What is not here is Erlang's own, or missing: then the broker says so.
    if (folder === undefined || needed.has(folder)) return;
    needed.add(folder);
    dependenciesIn(readFileSync(join(from, folder, "ebin", `${application}.app`), "utf8")).forEach(need);
  };
  [...roots, ...named].forEach(need);
  mkdirSync(to);
  for (const folder of needed) symlinkSync(join(from, folder), join(to, folder));
}

/** The application's file is an Erlang term: {applications, [kernel, stdlib, …]}. */
export function dependenciesIn(applicationFile: string): string[] {
  const list = /\{applications,\s*\[([^\]]*)\]/.exec(applicationFile)?.[1] ?? "";
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
