/**
 * Small writes by the writer's thread that are not the sale's. The thread takes one thing after another and each commit is
 * a sync of the disk, so a crowd that signs in or goes on with its sessions would stand before every batch of purchases.
 * Hence one call at a time: what comes meanwhile goes into the next one together, in one transaction.
 *
 * Must stay true: a purchase waits for one of these calls at most, and nobody waits behind a call that has failed.
 */
import { assert } from "../../lib/assert.ts";
import { WorkerFailure } from "./worker-protocol.ts";

/** Writes in one transaction; a purchase may wait for that many. */
export const groupMax = 100;
/** Writes that wait; beyond it nothing is tried. */
export const groupedWaitingMax = 1_000;

/** The name of a write and its payload. */
export type SmallWrite = readonly [name: string, payload: unknown];
type Send = (operation: string, payload: unknown) => Promise<unknown>;
type Waiting = { readonly write: SmallWrite; readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };

export class GroupedWrites {
  readonly #send: Send;
  #waiting: Waiting[] = [];
  #sending = false;

  /** `send` rejects with WorkerFailure. */
  constructor(send: Send) {
    this.#send = send;
  }

  write(name: string, payload: unknown): Promise<unknown> {
    if (this.#waiting.length >= groupedWaitingMax)
      return Promise.reject(new WorkerFailure({ code: "unavailable", message: "Too many writes wait for the store" }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write: [name, payload], resolve, reject });
      if (!this.#sending) void this.#sendWaiting();
    });
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupMax);
      if (await this.#done(group)) continue;
      const left = this.#waiting;
      this.#waiting = [];
      for (const { reject } of left) reject(new WorkerFailure({ code: "unavailable", message: "The store failed the writes before" }));
    }
    this.#sending = false;
  }

  /** Whether the store took them, or at least answered. */
  async #done(group: readonly Waiting[]): Promise<boolean> {
    const [first] = group;
    try {
      if (group.length === 1 && first !== undefined) {
        first.resolve(await this.#send(...first.write));
        return true;
      }
      // What the thread answers is a list with as many answers as there were writes.
      const answers = (await this.#send(
        "together",
        group.map(({ write }) => write),
      )) as readonly unknown[];
      assert(answers.length === group.length, "every write of a group gets its answer");
      for (const [i, { resolve }] of group.entries()) resolve(answers[i]);
      return true;
    } catch (error) {
      const isDefect = error instanceof WorkerFailure && error.code === "defect";
      if (isDefect && group.length > 1) return this.#oneByOne(group);
      for (const { reject } of group) reject(error);
      return isDefect;
    }
  }

  /** One of them cannot be written and took back the others, who are not to pay for it. */
  async #oneByOne(group: readonly Waiting[]): Promise<boolean> {
    let answered = true;
    for (const one of group) answered = (await this.#done([one])) && answered;
    return answered;
  }
}
