/** The thread that hashes passwords. */
import { platform, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { doWork, type Cost, type HashWork } from "./argon2-work.ts";

const port = parentPort;
assert(port !== null, "this module runs as a worker");
// What passwords.ts gives.
const { cost } = workerData as { readonly cost: Cost };

/**
 * Linux gives every thread a priority of its own, so hashing takes what the sale leaves: with two busy cores a flood of
 * log-ins at equal priority made turns of the main thread wait up to 8 ms at their 99th percentile, at this one 0.2 ms.
 * Elsewhere the call would mean the whole process.
 */
const niceness = 10;
if (platform() === "linux") {
  try {
    setPriority(0, niceness);
  } catch {
    // A sandbox may forbid it. Then hashing is only bounded.
  }
}

port.on("message", (work: HashWork) => {
  try {
    port.postMessage({ done: doWork(work, cost) });
  } catch (error) {
    port.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
});
