/** The server's time for a page: asked for at the start, and whenever the machine may have slept or been away. */
import type { Told } from "./api.ts";
import { askForTime, ServerClock } from "./server-clock.ts";

/** The monotonic clock stands still in some browsers' sleep; the wall's goes on. More apart than this means a sleep. */
const sleepMs = 2_000;

export class TimeKeeper {
  readonly clock = new ServerClock(() => performance.now());
  readonly #call: (path: string) => Promise<Told<{ server_time_ms: number }>>;
  readonly #onTime: () => void;
  #apartMs = Date.now() - performance.now();
  #asking: Promise<void> | undefined;

  constructor(call: (path: string) => Promise<Told<{ server_time_ms: number }>>, onTime: () => void) {
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
    if (await askForTime(this.clock, ask, () => performance.now())) this.#onTime();
  }
}
