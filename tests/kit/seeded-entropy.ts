/** Chance that repeats itself: the same seed gives the same numbers. */
import type { Entropy } from "../../src/ports/entropy.ts";

export class SeededEntropy implements Entropy {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32: 32 bits of state, enough for tests. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  secret(size: number): string {
    const bytes = Uint8Array.from({ length: size }, () => Math.floor(this.random() * 256));
    return Buffer.from(bytes).toString("base64url");
  }
}
