/** The least of values[from..to], both included, in logarithmic time: a segment tree in one array. */
export class RangeMinimum {
  readonly #size: number;
  readonly #tree: Float64Array;

  constructor(size: number, valueAt: (index: number) => number) {
    this.#size = size;
    this.#tree = new Float64Array(size * 2);
    for (let i = 0; i < size; i++) this.#tree[size + i] = valueAt(i);
    for (let i = size - 1; i > 0; i--) this.#tree[i] = Math.min(this.#tree[2 * i] ?? 0, this.#tree[2 * i + 1] ?? 0);
  }

  /** Infinity for an empty range. */
  between(from: number, to: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (let low = from + this.#size, high = to + this.#size + 1; low < high; low >>= 1, high >>= 1) {
      if ((low & 1) === 1) least = Math.min(least, this.#tree[low++] ?? least);
      if ((high & 1) === 1) least = Math.min(least, this.#tree[--high] ?? least);
    }
    return least;
  }
}
