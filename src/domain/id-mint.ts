import { assert } from "../lib/assert.ts";

/**
 * Mints time-ordered 63-bit ids as decimal text.
 *
 *   | 41 bits: ms since 2020-01-01 | 22 bits: counter, restarts at a random point each millisecond |
 *
 * Invariant: each id is larger than the one before, also when the clock steps back or stands still. `floor` is the
 * largest id the store holds, so a restart with an earlier clock cannot mint an old id again.
 */
export const idEpochMs = 1_577_836_800_000;
const counterBits = 22n;
const counterMax = 2 ** 22 - 1;
/** The counter starts in the lower quarter, which leaves three million ids for one millisecond. */
const counterStartMax = 2 ** 20 - 1;
const timeMax = 2 ** 41 - 1;
/** Before it an id would have fewer digits than its lower part. */
const timeMin = 1_000;
const lowDigits = 9;
const lowPart = 10 ** lowDigits;

export class IdMint {
  #lastMs: number;
  #counter: number;
  /** The first id of `#baseMs`, cut into numbers that are exact. */
  #baseMs = -1;
  #high = 0;
  #low = 0;
  readonly #nowMs: () => number;
  readonly #random: () => number;

  constructor(options: { nowMs: () => number; random: () => number; floor?: string | undefined }) {
    this.#nowMs = options.nowMs;
    this.#random = options.random;
    const floor = BigInt(options.floor ?? "0");
    this.#lastMs = Number(floor >> counterBits);
    this.#counter = Number(floor & BigInt(counterMax));
  }

  mint(): string {
    const now = Math.floor(this.#nowMs()) - idEpochMs;
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#counter = Math.floor(this.#random() * (counterStartMax + 1));
    } else if (this.#counter === counterMax) {
      this.#lastMs += 1;
      this.#counter = 0;
    } else {
      this.#counter += 1;
    }
    assert(this.#lastMs > timeMin && this.#lastMs <= timeMax, "the clock is between 2020 and 2089");
    return this.#text();
  }

  /** The digits of time and counter. Big integers are slow, so they are used once per millisecond, and the counter is added by hand. */
  #text(): string {
    if (this.#baseMs !== this.#lastMs) {
      const base = BigInt(this.#lastMs) << counterBits;
      this.#baseMs = this.#lastMs;
      this.#high = Number(base / BigInt(lowPart));
      this.#low = Number(base % BigInt(lowPart));
    }
    const low = this.#low + this.#counter;
    const carry = low >= lowPart ? 1 : 0;
    return `${this.#high + carry}${String(low - carry * lowPart).padStart(lowDigits, "0")}`;
  }
}

/** When an id was minted, in ms since 1970. */
export function idMintedAtMs(id: string): number {
  return Number(BigInt(id) >> counterBits) + idEpochMs;
}
