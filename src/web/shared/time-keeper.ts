/**
 * The server's time for a page: asked for at the start, whenever the machine may have slept or been away, and a few times
 * more before an instant that matters while it is not known well, for a page that is being loaded is a bad judge of trips.
 */
import type { Told } from "./api.ts";
import { askForTime, ServerClock } from "./server-clock.ts";

/** The monotonic clock stands still in some browsers' sleep; the wall's goes on. More apart than this means a sleep. */
const sleepMs = 2_000;

/** What is known as well as this is asked for no more. */
const goodBoundMs = 25;
/** The first of them comes at some moment within this time before the instant: not from a whole crowd at once. */
const aheadMs = { least: 4_000, most: 40_000 } as const;
/** Each is one question, at this share of that moment: what slows one of them down has passed at the next. */
const nearShares = [1, 0.6, 0.3];

type Deps = { readonly monotonicMs: () => number; readonly random: () => number };

export class TimeKeeper {
  readonly clock: ServerClock;
  readonly #monotonicMs: () => number;
  readonly #aheadMs: number;
  #near = { atMs: 0, asked: 0 };
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

  ask(samples?: number): Promise<void> {
    return (this.#asking ??= this.#askOnce(samples).finally(() => (this.#asking = undefined)));
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
    if (nowMs === undefined || this.clock.boundMs <= goodBoundMs) return;
    if (this.#near.atMs !== atMs) this.#near = { atMs, asked: 0 };
    const share = nearShares[this.#near.asked];
    const leftMs = atMs - nowMs;
    if (share === undefined || leftMs > this.#aheadMs * share || leftMs <= 0) return;
    this.#near.asked += 1;
    void this.ask(1);
  }

  wake(): void {
    this.clock.forget();
    void this.ask();
  }

  async #askOnce(samples: number | undefined): Promise<void> {
    const ask = async () => {
      const told = await this.#call("/api/v1/time");
      if (told.kind !== "done") throw new Error("The server did not tell the time");
      return told.data.server_time_ms;
    };
    if (await askForTime(this.clock, ask, this.#monotonicMs, samples)) this.#onTime();
  }
}
