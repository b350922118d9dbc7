/**
 * Pages kept as bytes for a while: a stampede on one page is one look at what it shows, however many come.
 *
 *   asked ─► kept and young? ─► yes: these bytes
 *                └ no ─► one look for all who ask ─► changed? ─► made anew, the last bytes meanwhile
 *                                └ cannot be read ─► the old bytes, for an hour
 *
 * Must stay true: a page holds nothing of anybody, and whoever has seen a page gets one as long as this process lives,
 * whatever the store does.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { pageBytes, type PageBytes } from "./page-bytes.ts";

/** What a look finds: a word that is another when the page is, and the page itself for when it is. */
export type Found = { readonly word: string; readonly html: () => Promise<string> };

/** A page that was looked at longer ago is shown only if a new one is not there soon. */
const soonForMs = 5_000;
const newWithinMs = 500;
/** How long an old page may stand in for one that cannot be made. */
const staleForMs = 3_600_000;
/** Pages kept. Beyond it the one that was made first goes. */
const keptMax = 400;

/** When it was looked at last, and when that has shown something; and what it has shown instead since. */
type Kept = { readonly word: string; readonly page: PageBytes; lookedAtMs: number; seenAtMs: number; problem?: unknown };
type Options = { readonly clock: Clock; readonly tasks: Pick<Tasks, "sleep">; readonly youngForMs: number };

export class KeptPages {
  readonly #options: Options;
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, Promise<PageBytes | undefined>>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Undefined if there is no such page. Throws what the look throws, if there is no old page either. */
  page(name: string, look: () => Promise<Found | undefined>): PageBytes | Promise<PageBytes | undefined> {
    const kept = this.#kept.get(name);
    const isYoung = kept !== undefined && this.#nowMs() - kept.lookedAtMs < this.#options.youngForMs;
    if (isYoung) return this.#isTooOld(kept) ? Promise.reject(kept.problem) : kept.page;
    let making = this.#making.get(name);
    if (making === undefined) {
      making = this.#look(name, look).finally(() => this.#making.delete(name));
      this.#making.set(name, making);
    }
    if (kept === undefined || this.#isTooOld(kept)) return making;
    making.catch(() => {});
    return this.#nowMs() - kept.lookedAtMs < soonForMs ? kept.page : this.#soon(making, kept.page);
  }

  /** The new page, or the old one if the store takes its time. */
  #soon(making: Promise<PageBytes | undefined>, old: PageBytes): Promise<PageBytes | undefined> {
    const late = new AbortController();
    const waited = this.#options.tasks.sleep(newWithinMs, late.signal).then(() => old);
    return Promise.race([making.catch(() => old), waited]).finally(() => late.abort());
  }

  async #look(name: string, look: () => Promise<Found | undefined>): Promise<PageBytes | undefined> {
    const kept = this.#kept.get(name);
    try {
      const found = await look();
      if (found === undefined) {
        this.#kept.delete(name);
        return undefined;
      }
      const nowMs = this.#nowMs();
      if (kept?.word === found.word) {
        kept.lookedAtMs = kept.seenAtMs = nowMs;
        return kept.page;
      }
      const page = await pageBytes(await found.html());
      return this.#keep(name, { word: found.word, page, lookedAtMs: nowMs, seenAtMs: nowMs });
    } catch (error) {
      // Also where that is told to nobody: a store that is away is asked no more often than one that answers.
      if (kept !== undefined) Object.assign(kept, { lookedAtMs: this.#nowMs(), problem: error });
      if (kept === undefined || this.#isTooOld(kept)) throw error;
      return kept.page;
    }
  }

  #isTooOld({ seenAtMs }: Kept): boolean {
    return this.#nowMs() - seenAtMs > staleForMs;
  }

  #keep(name: string, kept: Kept): PageBytes {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest);
    return kept.page;
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }
}
