/** One hash or one comparison, on whatever thread it is called. */
import { hashSync, parseOptions, verifySync } from "@node-rs/argon2";

export type Cost = { readonly memoryKib: number; readonly passes: number };
export type HashWork =
  | { readonly kind: "hash"; readonly password: string }
  | { readonly kind: "verify"; readonly hash: string; readonly password: string };
export type HashDone = string | boolean;

/** OWASP's least: 19 MiB, two passes, one lane. */
export const argon2Cost: Cost = { memoryKib: 19_456, passes: 2 };

// argon2id; the package's enum cannot be imported by a single file.
const algorithm = 2;

export function doWork(work: HashWork, { memoryKib, passes }: Cost): HashDone {
  if (work.kind === "verify") return verifySync(work.hash, work.password);
  return hashSync(work.password, { algorithm, memoryCost: memoryKib, timeCost: passes, parallelism: 1 });
}

/** Whether a hash was made with less work than is asked for. */
export function isOutdated(hash: string, { memoryKib, passes }: Cost): boolean {
  const made = parseOptions(hash);
  return made.algorithm !== algorithm || made.memoryCost < memoryKib || made.timeCost < passes;
}

/** What nobody's password makes, at the same cost: comparing with it takes as long as with a true one. */
export function dummyHash({ memoryKib, passes }: Cost): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${"A".repeat(22)}$${"A".repeat(43)}`;
}
