/**
 * Carries what the cache accepted to the broker: an entry of the outbox is published until the broker has confirmed it, and
 * then leaves the outbox. Whoever asks for an entry that is on its way already waits for the same confirm.
 */
import type { Scope } from "../../domain/scope.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Journal } from "../../ports/journal.ts";
import type { OutboxEntry, StockCache } from "../../ports/stock-cache.ts";
import type { Tasks } from "../../ports/tasks.ts";

export type CarrierDeps = {
  readonly journal: Journal;
  readonly cache: Pick<StockCache, "journaled">;
  readonly tasks: Pick<Tasks, "sleep" | "soon">;
};

export class Carrier {
  readonly #deps: CarrierDeps;
  readonly #carried = new Map<string, Promise<boolean>>();
  /** Entries that are confirmed and still in the outbox, by scope and epoch. */
  #confirmed = new Map<string, { readonly scope: Scope; readonly entries: string[] }>();
  #isClosed = false;
  readonly counts = { published: 0, republished: 0, left: 0 };

  constructor(deps: CarrierDeps) {
    this.#deps = deps;
  }

  /** Entries on their way. */
  get carried(): number {
    return this.#carried.size;
  }

  /** True when the broker has it; false only when this process stops before it knows. */
  carry(scope: Scope, entry: OutboxEntry): Promise<boolean> {
    const name = `${scope.id} ${scope.epoch} ${entry.id}`;
    let carried = this.#carried.get(name);
    if (carried === undefined) {
      carried = this.#publish(scope, entry).finally(() => this.#carried.delete(name));
      this.#carried.set(name, carried);
    }
    return carried;
  }

  /** After a drain: what is not confirmed is left to the relay. */
  close(): void {
    this.#isClosed = true;
  }

  async #publish(scope: Scope, entry: OutboxEntry): Promise<boolean> {
    const { journal, tasks } = this.#deps;
    this.counts.published += 1;
    for (let attempt = 0; !(await journal.publish(scope.partition, entry.text)); attempt++) {
      if (this.#isClosed) return false;
      this.counts.republished += 1;
      await tasks.sleep(backoffMs(attempt, { baseMs: 20, ceilingMs: 1_000 }));
    }
    this.#leaveOutbox(scope, entry.id);
    return true;
  }

  /** What is confirmed in one turn leaves in one call. If that fails the relay finds it, and its lines settle as repeats. */
  #leaveOutbox(scope: Scope, entry: string): void {
    if (this.#confirmed.size === 0) this.#deps.tasks.soon(() => this.#flush());
    const name = `${scope.id} ${scope.epoch}`;
    const waiting = this.#confirmed.get(name);
    if (waiting === undefined) this.#confirmed.set(name, { scope, entries: [entry] });
    else waiting.entries.push(entry);
  }

  #flush(): void {
    const confirmed = this.#confirmed;
    this.#confirmed = new Map();
    for (const { scope, entries } of confirmed.values()) {
      this.counts.left += entries.length;
      void this.#deps.cache.journaled({ scopeId: scope.id, epoch: scope.epoch, entries });
    }
  }
}
