/**
 * So many per second and no more, with a count of those turned away. Turning one away is a comparison and a counter, so
 * that it may stand in the hottest path. Windows are counted from the first that asks, so a second that straddles two of
 * them may hold twice as many.
 */
export class SecondBudget {
  readonly #perSecondMax: number;
  #endsAtMs = Number.NEGATIVE_INFINITY;
  #left = 0;
  #leftOut = 0;

  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
  }

  /** How many were turned away since somebody last took the count. */
  get leftOut(): number {
    return this.#leftOut;
  }

  take(nowMs: number): boolean {
    if (nowMs >= this.#endsAtMs) {
      this.#endsAtMs = nowMs + 1000;
      this.#left = this.#perSecondMax;
    }
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    this.#leftOut += 1;
    return false;
  }

  takeLeftOut(): number {
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count;
  }
}
