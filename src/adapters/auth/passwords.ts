/**
 * argon2id on threads of their own, one job at a time each, with a bounded line before them: a flood of log-ins costs a
 * sale neither the main thread's time nor its memory, and answers `busy` beyond the line.
 */
import { Worker } from "node:worker_threads";
import { WaitingLine, type WaitingLineOptions } from "../../lib/waiting-line.ts";
import type { HashAnswer, Passwords, VerifyAnswer } from "../../ports/passwords.ts";
import { argon2Cost, doWork, dummyHash, isOutdated, type Cost, type HashDone, type HashWork } from "./argon2-work.ts";

/** One thread hashes some 70 passwords a second on an idle core. Two would take a two-core machine from its sale. */
const threadsDefault = 1;
const hashWaitingMax = 50;
/** Sooner than the socket's own patience. */
const hashWaitMaxMs = 5_000;

export type PasswordsOptions = {
  readonly after: WaitingLineOptions["after"];
  readonly cost?: Cost | undefined;
  readonly threads?: number | undefined;
};

/** Does one job at a time. */
export interface HashThread {
  work(work: HashWork): Promise<HashDone>;
  close(): void;
}

export class ThreadedPasswords implements Passwords {
  readonly #cost: Cost;
  readonly #threads: readonly HashThread[];
  readonly #line: WaitingLine<HashThread>;

  constructor({ after, cost = argon2Cost, threads = threadsDefault }: PasswordsOptions, open: (cost: Cost) => HashThread = openThread) {
    this.#cost = cost;
    this.#threads = Array.from({ length: threads }, () => open(cost));
    this.#line = new WaitingLine(this.#threads, { waitingMax: hashWaitingMax, waitMaxMs: hashWaitMaxMs, after });
  }

  async hash(password: string): Promise<HashAnswer> {
    const done = await this.#do({ kind: "hash", password });
    return done === undefined ? { kind: "busy" } : { kind: "hash", hash: String(done) };
  }

  async verify(hash: string | undefined, password: string): Promise<VerifyAnswer> {
    const done = await this.#do({ kind: "verify", hash: hash ?? dummyHash(this.#cost), password });
    if (done === undefined) return { kind: "busy" };
    return done === true && hash !== undefined ? { kind: "right", outdated: isOutdated(hash, this.#cost) } : { kind: "wrong" };
  }

  close(): void {
    for (const thread of this.#threads) thread.close();
  }

  /** Undefined: the line is full. */
  async #do(work: HashWork): Promise<HashDone | undefined> {
    const thread = await this.#line.enter();
    if (thread === undefined) return undefined;
    try {
      return await thread.work(work);
    } finally {
      this.#line.leave(thread);
    }
  }
}

type Reply = { readonly done?: HashDone | undefined; readonly failure?: string | undefined };

/** A worker, started by its first job, and again after a death. */
function openThread(cost: Cost): HashThread {
  let worker: Worker | undefined;
  return {
    work: (work) =>
      new Promise((resolve, reject) => {
        const used = (worker ??= new Worker(new URL("./argon2-worker.ts", import.meta.url), { workerData: { cost } }));
        // An idle one keeps no process alive; a job that somebody waits for does not either, for its answer would go nowhere.
        used.unref();
        const settle = (finish: () => void, dead: boolean): void => {
          // One by one: Node's own listeners are among all, and without them a worker is deaf to its next job.
          used.off("message", onMessage).off("error", onError).off("exit", onExit);
          if (dead && worker === used) worker = undefined;
          finish();
        };
        const fail = (message: string, dead: boolean) => settle(() => reject(new Error(`Hash a password: ${message}`)), dead);
        const onMessage = ({ done, failure }: Reply) => {
          if (done === undefined) fail(failure ?? "no answer", false);
          else settle(() => resolve(done), false);
        };
        const onError = (error: unknown) => fail(String(error), true);
        const onExit = (code: number) => fail(`the thread ended with ${code}`, true);
        used.on("message", onMessage).on("error", onError).on("exit", onExit);
        used.postMessage(work);
      }),
    close() {
      void worker?.terminate();
      worker = undefined;
    },
  };
}

/** On the caller's thread, for commands and tests that have nothing else to do. */
export function inlinePasswords(cost: Cost = argon2Cost): Passwords {
  return new ThreadedPasswords({ after: () => () => {}, cost, threads: 1 }, () => ({
    work: async (work) => doWork(work, cost),
    close: () => {},
  }));
}
