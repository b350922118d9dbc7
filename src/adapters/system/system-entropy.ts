import { randomBytes } from "node:crypto";
import type { Entropy } from "../../ports/entropy.ts";

/** Chance from the machine. `random` is for jitter and counters; what must not be guessed comes from the system's generator. */
export class SystemEntropy implements Entropy {
  random(): number {
    return Math.random();
  }

  secret(size: number): string {
    return randomBytes(size).toString("base64url");
  }
}
