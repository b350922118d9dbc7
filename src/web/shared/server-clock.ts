/**
 * The server's time, as well as it can be known from outside. Each question to the server gives a sample: it was
 * answered somewhere between sending and receiving, so the shortest round trip says most, and half of it bounds the error.
 *
 *   sent ──────────► server's time ──────────► received        offset = server's − middle, error ≤ half the trip
 *
 * Must stay true: it runs on a monotonic clock, so what the client's own clock says, or is set to meanwhile, means
 * nothing. A monotonic clock may stand still while the machine sleeps; whoever wakes asks anew.
 */
export type ClockSample = {
  /** By the monotonic clock. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** By the server, in ms since 1970, cut off to whole ones. */
  readonly serverMs: number;
};

/** Clocks drift: a sample that is older than this counts no more when there is a newer one. */
const sampleAgeMaxMs = 10 * 60_000;
/** What is cut off the server's time, on average. */
const cutOffMs = 0.5;

export class ServerClock {
  readonly #monotonicMs: () => number;
  #best: { readonly offsetMs: number; readonly boundMs: number; readonly atMs: number } | undefined;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  add({ sentMs, receivedMs, serverMs }: ClockSample): void {
    const tripMs = receivedMs - sentMs;
    if (!(tripMs >= 0) || !Number.isFinite(serverMs)) return;
    const sample = { offsetMs: serverMs + cutOffMs - (sentMs + receivedMs) / 2, boundMs: tripMs / 2 + cutOffMs, atMs: receivedMs };
    const best = this.#best;
    if (best === undefined || sample.boundMs <= best.boundMs || receivedMs - best.atMs > sampleAgeMaxMs) this.#best = sample;
  }

  /** What was known is known no more: the machine may have slept. The old reading stands until the next sample. */
  forget(): void {
    if (this.#best !== undefined) this.#best = { ...this.#best, boundMs: Number.POSITIVE_INFINITY };
  }

  /** The server's time, or undefined before the first sample. */
  nowMs(): number | undefined {
    return this.#best === undefined ? undefined : this.#best.offsetMs + this.#monotonicMs();
  }

  /** How far off `nowMs` may be at most. */
  get boundMs(): number {
    return this.#best?.boundMs ?? Number.POSITIVE_INFINITY;
  }
}

type AskTime = () => Promise<number>;
const samplesPerRound = 3;

/** Takes a few samples, so that one slow answer does not decide. Resolves whether there is any. */
export async function askForTime(clock: ServerClock, ask: AskTime, monotonicMs: () => number, samples = samplesPerRound): Promise<boolean> {
  let answered = false;
  for (let asked = 0; asked < samples; asked++) {
    const sentMs = monotonicMs();
    try {
      const serverMs = await ask();
      clock.add({ sentMs, receivedMs: monotonicMs(), serverMs });
      answered = true;
    } catch {
      return answered;
    }
  }
  return answered;
}
