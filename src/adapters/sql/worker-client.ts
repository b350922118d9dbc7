/**
 * This thread's end of a worker: numbers requests and settles their answers. A worker that dies fails all its open calls
 * with `unknown` and is started again by the next one.
 */
import { Worker } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { WorkerFailure, type WireReply, type WorkerStart } from "./worker-protocol.ts";

type Call = { readonly resolve: (value: unknown) => void; readonly reject: (failure: WorkerFailure) => void };

export class WorkerClient {
  readonly #module: URL;
  readonly #start: WorkerStart;
  readonly #onDeath: () => void;
  readonly #calls = new Map<number, Call>();
  #worker: Worker | undefined;
  #last = 0;
  #closed = false;

  /** `onDeath` runs before the open calls of a dead worker fail. */
  constructor(module: URL, start: WorkerStart, onDeath: () => void = () => undefined) {
    this.#module = module;
    this.#start = start;
    this.#onDeath = onDeath;
  }

  /** Rejects with WorkerFailure. The caller knows what its operation answers. */
  call<Value>(operation: string, payload: unknown): Promise<Value> {
    if (this.#closed) return Promise.reject(new WorkerFailure({ code: "unavailable", message: "The store is closed" }));
    const worker = (this.#worker ??= this.#spawn());
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      // The caller said what its operation answers.
      this.#calls.set(number, { resolve: (value) => resolve(value as Value), reject });
      worker.postMessage(JSON.stringify([number, operation, payload]));
    });
  }

  /** Ends the worker; what is still open fails. */
  async close(): Promise<void> {
    this.#closed = true;
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
    assert(call !== undefined, "an answer has its call");
    this.#calls.delete(number);
    if (failure === undefined) call.resolve(value);
    else call.reject(new WorkerFailure(failure));
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
