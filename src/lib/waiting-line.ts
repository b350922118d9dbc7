/**
 * A fixed number of seats and a line of bounded length for them. Who finds the line full, or has stood in it for too long,
 * is told at once and has taken nobody's place.
 *
 * Invariant: a seat is held by at most one at a time; nobody waits while a seat is free.
 */
export type WaitingLineOptions = {
  readonly waitingMax: number;
  readonly waitMaxMs: number;
  /** Calls back once after so many ms, unless cancelled. */
  readonly after: (ms: number, run: () => void) => () => void;
};

export class WaitingLine<Seat> {
  readonly #free: Seat[];
  readonly #waiting = new Set<(seat: Seat) => void>();
  readonly #options: WaitingLineOptions;

  constructor(seats: readonly Seat[], options: WaitingLineOptions) {
    this.#free = [...seats];
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** A seat, to be given back with `leave`, or undefined for none. */
  async enter(): Promise<Seat | undefined> {
    const seat = this.#free.pop();
    if (seat !== undefined) return seat;
    const { waitingMax, waitMaxMs, after } = this.#options;
    if (this.#waiting.size >= waitingMax) return undefined;
    return new Promise((resolve) => {
      const take = (freed: Seat): void => {
        cancel();
        resolve(freed);
      };
      const cancel = after(waitMaxMs, () => {
        this.#waiting.delete(take);
        resolve(undefined);
      });
      this.#waiting.add(take);
    });
  }

  leave(seat: Seat): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#free.push(seat);
      return;
    }
    this.#waiting.delete(first);
    first(seat);
  }
}
