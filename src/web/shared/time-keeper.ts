/**
 * The server's time for a page: asked for at the start, whenever the machine may have slept or been away, and once more
 * before an instant that matters if it is not known well, for a page that is being loaded is a bad judge of round trips.
 */
import type { Told } from "./api.ts";
import { askForTime, ServerClock } from "./server-clock.ts";

/** The monotonic clock stands still in some browsers' sleep; the wall's goes on. More apart than this means a sleep. */
const sleepMs = 2_000;

/** What is known as well as this is asked for no more. */
const goodBoundMs = 25;
/** The last question is put at some moment within this time before the instant: not by a whole crowd at once. */
const aheadMs = { least: 4_000, most: 40_000 } as const;

type Deps = { readonly monotonicMs: () => number; readonly random: () => number };

export class TimeKeeper {
  readonly clock: ServerClock;
  readonly #monotonicMs: () => number;
  readonly #aheadMs: number;
  #nearedMs: number | undefined;
  readonly #call: (path: string) => Promise<Told<{ server_time_ms: number }>>;
  readonly #onTime: () => void;
  #apartMs = Date.now() - performance.now();
  #asking: Promise<void> | undefined;

  constructor(
    call: (path: string) => Promise<Told<{ server_time_ms: number }>>,
    onTime: () => void,
    { monotonicMs, random }: Deps = { monotonicMs: () => performance.now(), random: Math.random },
  ) {
    this.clock = new ServerClock(monotonicMs);
    this.#monotonicMs = monotonicMs;
    this.#aheadMs = aheadMs.least + random() * (aheadMs.most - aheadMs.least);
    this.#call = call;
    this.#onTime = onTime;
  }

  ask(): Promise<void> {
    return (this.#asking ??= this.#askOnce().finally(() => (this.#asking = undefined)));
  }

  /** Called each second: notices a sleep, or a wall clock that was set, which looks the same and costs one question. */
  watch(): void {
    const apartMs = Date.now() - performance.now();
    if (Math.abs(apartMs - this.#apartMs) < sleepMs) return;
    this.#apartMs = apartMs;
    this.wake();
  }

  /** Called each second while something is to happen at that time of the server. */
  near(atMs: number): void {
    const nowMs = this.clock.nowMs();
    if (nowMs === undefined || this.#nearedMs === atMs || this.clock.boundMs <= goodBoundMs) return;
    const leftMs = atMs - nowMs;
    if (leftMs > this.#aheadMs || leftMs <= 0) return;
    this.#nearedMs = atMs;
    void this.ask();
  }

  wake(): void {
    this.clock.forget();
    void this.ask();
  }

  async #askOnce(): Promise<void> {
    const ask = async () => {
      const told = await this.#call("/api/v1/time");
      if (told.kind !== "done") throw new Error("The server did not tell the time");
      return told.data.server_time_ms;
    };
    if (await askForTime(this.clock, ask, this.#monotonicMs)) this.#onTime();
  }
}
