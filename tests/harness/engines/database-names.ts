/** Names of databases that tests make on demand, and the urls of these. */
import { randomBytes } from "node:crypto";

/** Readable in a list of databases, and unlike those of other files and runs. */
export function freshName(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) throw new Error(`"${name}" cannot name a database: use small letters, digits and _`);
  return `${name}_${randomBytes(6).toString("hex")}`;
}

/** The same server and user, another database. */
export function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
