import { assert } from "../lib/assert.ts";

/**
 * Mints time-ordered 63-bit ids as decimal text.
 *
 *   | 41 bits: ms since 2020-01-01 | 22 bits: counter, restarts at a random point each millisecond |
 *
 * Where several processes mint for one store, the counter's upper bits are the process's number, and it counts in the rest:
 *
 *   | 41 bits: ms | 10 bits: process | 12 bits: counter |
 *
 * Invariant: each id is larger than the one before, also when the clock steps back or stands still. `floor` is the
 * largest id the store holds, so a restart with an earlier clock cannot mint an old id again.
 */
export const idEpochMs = 1_577_836_800_000;
const counterBits = 22n;
const counterMax = 2 ** 22 - 1;
const timeMax = 2 ** 41 - 1;
/** Before it an id would have fewer digits than its lower part. */
const timeMin = 1_000;
const lowDigits = 9;
const lowPart = 10 ** lowDigits;

/** One of `2 ** bits` processes. */
export type MintingProcess = { readonly number: number; readonly bits: number };

export class IdMint {
  #lastMs: number;
  #counter: number;
  /** The counter's range, and up to where it may start: the lower quarter of it, which leaves room for one millisecond. */
  readonly #counterMin: number;
  readonly #counterMax: number;
  readonly #starts: number;
  /** The first id of `#baseMs`, cut into numbers that are exact. */
  #baseMs = -1;
  #high = 0;
  #low = 0;
  readonly #nowMs: () => number;
  readonly #random: () => number;

  constructor(options: { nowMs: () => number; random: () => number; floor?: string | undefined; process?: MintingProcess | undefined }) {
    this.#nowMs = options.nowMs;
    this.#random = options.random;
    const { number, bits } = options.process ?? { number: 0, bits: 0 };
    assert(number >= 0 && number < 2 ** bits, "a process has one of the numbers there are");
    const room = (counterMax + 1) / 2 ** bits;
    this.#counterMin = number * room;
    this.#counterMax = this.#counterMin + room - 1;
    this.#starts = room / 4;
    const floor = BigInt(options.floor ?? "0");
    this.#lastMs = Number(floor >> counterBits);
    // Others' counters say nothing of this one's.
    this.#counter = bits === 0 ? Number(floor & BigInt(counterMax)) : this.#counterMax;
  }

  mint(): string {
    const now = Math.floor(this.#nowMs()) - idEpochMs;
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#counter = this.#counterMin + Math.floor(this.#random() * this.#starts);
    } else if (this.#counter === this.#counterMax) {
      this.#lastMs += 1;
      this.#counter = this.#counterMin;
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

/** No id that was minted at this time, in ms since 1970, or later is smaller. */
export function idFloorAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - idEpochMs)) << counterBits);
}
