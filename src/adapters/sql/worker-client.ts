/**
 * This thread's end of a worker: numbers requests and settles their answers. A worker that dies fails all its open calls
 * with `unknown` and is started again by the next one. So does a call whose time is up, though its worker may still do
 * it: a disk that stands still must not keep callers waiting, nor pile them up.
 */
import { Worker } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { WorkerFailure, type WireReply, type WorkerStart } from "./worker-protocol.ts";

type Call = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (failure: WorkerFailure) => void;
  /** By performance.now(). */
  readonly untilMs: number;
};

/** Calls without an answer; beyond it nothing is tried. */
const openCallsMax = 20_000;
const watchMs = 100;

export class WorkerClient {
  readonly #module: URL;
  readonly #start: WorkerStart;
  readonly #onDeath: () => void;
  readonly #calls = new Map<number, Call>();
  #worker: Worker | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #last = 0;
  #closed = false;

  /** `onDeath` runs before the open calls of a dead worker fail. */
  constructor(module: URL, start: WorkerStart, onDeath: () => void = () => undefined) {
    this.#module = module;
    this.#start = start;
    this.#onDeath = onDeath;
  }

  /** Rejects with WorkerFailure, at the latest after `timeoutMs`. The caller knows what its operation answers. */
  call<Value>(operation: string, payload: unknown, timeoutMs = Number.POSITIVE_INFINITY): Promise<Value> {
    if (this.#closed) return Promise.reject(new WorkerFailure({ code: "unavailable", message: "The store is closed" }));
    if (this.#calls.size >= openCallsMax)
      return Promise.reject(new WorkerFailure({ code: "unavailable", message: "Too many calls wait for the store" }));
    const worker = (this.#worker ??= this.#spawn());
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      // The caller said what its operation answers.
      this.#calls.set(number, { resolve: (value) => resolve(value as Value), reject, untilMs: performance.now() + timeoutMs });
      if (timeoutMs < Number.POSITIVE_INFINITY) this.#watch ??= setInterval(() => this.#failOverdue(), watchMs).unref();
      worker.postMessage(JSON.stringify([number, operation, payload]));
    });
  }

  /** Ends the worker; what is still open fails. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const worker = new Worker(this.#module, { workerData: this.#start });
    worker.on("message", (text: string) => this.#settle(text));
    worker.on("error", (error) => this.#died(worker, String(error)));
    worker.on("exit", (code) => this.#died(worker, `exit ${code}`));
    return worker;
  }

  #settle(text: string): void {
    // What serve-port.ts sends.
    const [number, value, failure] = JSON.parse(text) as WireReply;
    const call = this.#calls.get(number);
    assert(number <= this.#last, "an answer has had its call");
    // Its time was up.
    if (call === undefined) return;
    this.#calls.delete(number);
    if (failure === undefined) call.resolve(value);
    else call.reject(new WorkerFailure(failure));
  }

  #failOverdue(): void {
    const nowMs = performance.now();
    for (const [number, { reject, untilMs }] of this.#calls) {
      if (untilMs > nowMs) continue;
      this.#calls.delete(number);
      reject(new WorkerFailure({ code: "unknown", message: "The store did not answer in time" }));
    }
    if (this.#calls.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #died(worker: Worker, how: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#onDeath();
    const failure = new WorkerFailure({ code: "unknown", message: `The store's worker died (${how})` });
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(failure);
  }
}
