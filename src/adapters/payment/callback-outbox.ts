/**
 * Callbacks on their way to the shop: each is sent until the shop acknowledges it, a bounded number at a time. Some are
 * sent several times on purpose, at once and later, as providers do.
 */
import { backoffMs } from "../../lib/backoff.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { CancelTask, Tasks } from "../../ports/tasks.ts";

export type OutgoingCallback = { readonly id: string; readonly body: string };
/** True when the shop acknowledged it (2xx). Never rejects. */
export type CallbackSender = (callback: OutgoingCallback) => Promise<boolean>;

export const sendsMax = 64;
const retry = { baseMs: 200, ceilingMs: 10_000 };
/** After so many tries nobody is in a hurry any more. */
const patientAfter = 30;
const patientMs = 300_000;
const laterCopyMs = 400;

type Book = { readonly isDelivered: (id: string) => boolean; readonly onDelivered: (id: string) => Promise<unknown> };

export class CallbackOutbox {
  readonly #deps: { readonly tasks: Tasks; readonly entropy: Entropy; readonly send: CallbackSender };
  readonly #book: Book;
  readonly #timers = new Set<CancelTask>();
  readonly #queue: { readonly callback: OutgoingCallback; readonly tries: number }[] = [];
  readonly #sending = new Set<Promise<void>>();
  #closed = false;

  constructor(deps: { readonly tasks: Tasks; readonly entropy: Entropy; readonly send: CallbackSender }, book: Book) {
    this.#deps = deps;
    this.#book = book;
  }

  get unfinished(): number {
    return this.#timers.size + this.#queue.length + this.#sending.size;
  }

  /** Sends a callback unless the shop has it; of several copies all but the last go out together. */
  add(callback: OutgoingCallback, copies: number): void {
    if (this.#book.isDelivered(callback.id)) return;
    for (let copy = 1; copy < copies; copy++) this.#queue.push({ callback, tries: 0 });
    if (copies > 1) this.#after(laterCopyMs, () => this.#push(callback, 0));
    else this.#queue.push({ callback, tries: 0 });
    this.#pump();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#queue.length = 0;
    await Promise.all(this.#sending);
  }

  #push(callback: OutgoingCallback, tries: number): void {
    this.#queue.push({ callback, tries });
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#sending.size < sendsMax) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      const sending = this.#send(next.callback, next.tries).finally(() => {
        this.#sending.delete(sending);
        this.#pump();
      });
      this.#sending.add(sending);
    }
  }

  async #send(callback: OutgoingCallback, tries: number): Promise<void> {
    const { id } = callback;
    // A first sending is a copy and goes out in any case; further tries are needed only until one got through.
    if (tries > 0 && this.#book.isDelivered(id)) return;
    if (await this.#deps.send(callback)) {
      if (!this.#book.isDelivered(id)) await this.#book.onDelivered(id);
      return;
    }
    const waitMs = tries < patientAfter ? backoffMs(tries, retry) : patientMs;
    this.#after(waitMs * (0.5 + this.#deps.entropy.random() / 2), () => this.#push(callback, tries + 1));
  }

  #after(ms: number, run: () => void): void {
    if (this.#closed) return;
    const cancel = this.#deps.tasks.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}
