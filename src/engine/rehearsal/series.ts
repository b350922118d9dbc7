/**
 * What happened in each second, for charts and for comparing two runs. Seconds count from the opening, so those before it
 * are negative. An attempt and its latency belong to the second in which the buyer meant to ask (a shop that stalls is
 * seen where it hurt), an answer to the second in which it came.
 */
import { Histogram, type HistogramData } from "./histogram.ts";

export type Counts = Readonly<Record<string, number>>;
export type SecondData = {
  readonly second: number;
  readonly attempts: number;
  readonly accepted: number;
  readonly replayed: number;
  readonly refused: Counts;
  readonly not_tried: Counts;
  /** Lost or unreadable answers and failures of the server, by how. */
  readonly errors: Counts;
  /** Attempts that the client could not send in time. */
  readonly not_sent: number;
  readonly polls: number;
  /** Of purchase answers, from when they were due; absent where none was measured. */
  readonly latency?: HistogramData | undefined;
};

export const secondsMax = 3_600;

type Row = {
  attempts: number;
  accepted: number;
  replayed: number;
  readonly refused: Map<string, number>;
  readonly notTried: Map<string, number>;
  readonly errors: Map<string, number>;
  notSent: number;
  polls: number;
  readonly latency: Histogram;
};

export class Series {
  readonly #openingMs: number;
  readonly #rows = new Map<number, Row>();

  /** `openingMs` on the clock that times are given by. */
  constructor(openingMs: number) {
    this.#openingMs = openingMs;
  }

  /** The row of a moment; undefined beyond the longest run that is kept. */
  at(ms: number): Row | undefined {
    const second = Math.floor((ms - this.#openingMs) / 1000);
    const known = this.#rows.get(second);
    if (known !== undefined) return known;
    if (Math.abs(second) > secondsMax) return undefined;
    const row: Row = {
      attempts: 0,
      accepted: 0,
      replayed: 0,
      refused: new Map(),
      notTried: new Map(),
      errors: new Map(),
      notSent: 0,
      polls: 0,
      latency: new Histogram(),
    };
    this.#rows.set(second, row);
    return row;
  }

  /** Every second from the first to the last in which something happened, the quiet ones between them included. */
  data(): SecondData[] {
    const seconds = [...this.#rows.keys()].toSorted((a, b) => a - b);
    const [first = 0] = seconds;
    const last = seconds.at(-1) ?? -1;
    return Array.from({ length: last - first + 1 }, (_, i) => dataOf(first + i, this.#rows.get(first + i)));
  }
}

const nothing = { attempts: 0, accepted: 0, replayed: 0, refused: {}, not_tried: {}, errors: {}, not_sent: 0, polls: 0 };

function dataOf(second: number, row: Row | undefined): SecondData {
  if (row === undefined) return { second, ...nothing };
  const { attempts, accepted, replayed, refused, notTried, errors, notSent, polls, latency } = row;
  return {
    second,
    attempts,
    accepted,
    replayed,
    refused: Object.fromEntries(refused),
    not_tried: Object.fromEntries(notTried),
    errors: Object.fromEntries(errors),
    not_sent: notSent,
    polls,
    ...(latency.count === 0 ? {} : { latency: latency.data() }),
  };
}
