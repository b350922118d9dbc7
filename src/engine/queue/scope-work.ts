/**
 * Work on scopes side by side: never two pieces for one scope, a few at once, and nobody waits for a slow one for long.
 * What was begun goes on when the waiting is over, and keeps its place until it has ended.
 */
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Tasks } from "../../ports/tasks.ts";

export type ScopeWorkOptions = {
  readonly tasks: Pick<Tasks, "after">;
  /** Pieces at once; unbounded where they only wait for others. */
  readonly atOnceMax?: number | undefined;
};

export class ScopeWork {
  readonly #tasks: Pick<Tasks, "after">;
  readonly #atOnceMax: number;
  readonly #running = new Set<ScopeId>();
  #ended = Promise.withResolvers<void>();
  /** What was thrown, a bug: whoever waits next throws it. */
  #thrown: { readonly error: unknown } | undefined;

  constructor({ tasks, atOnceMax = Infinity }: ScopeWorkOptions) {
    this.#tasks = tasks;
    this.#atOnceMax = atOnceMax;
  }

  isAt(scopeId: ScopeId): boolean {
    return this.#running.has(scopeId);
  }

  /** Begins it, if nothing is done for the scope and there is room. */
  begin(scopeId: ScopeId, run: () => Promise<unknown>): boolean {
    if (this.#running.has(scopeId) || this.#running.size >= this.#atOnceMax) return false;
    this.#running.add(scopeId);
    void this.#run(scopeId, run);
    return true;
  }

  /**
   * Begins work for one scope after the other as there is room, and waits for all of it, but no longer than so long. Those
   * for which it was begun; work of earlier rounds may be at the others.
   */
  async round<Of extends { readonly id: ScopeId }>(
    scopes: readonly Of[],
    run: (scope: Of) => Promise<unknown>,
    patienceMs: number,
  ): Promise<readonly Of[]> {
    const waiting = scopes.filter(({ id }) => !this.#running.has(id));
    const late = Promise.withResolvers<void>();
    let isLate = false;
    const cancel = this.#tasks.after(patienceMs, () => {
      isLate = true;
      late.resolve();
    });
    let next = 0;
    for (;;) {
      for (let scope = waiting[next]; scope !== undefined; scope = waiting[++next]) {
        const of = scope;
        if (!this.begin(of.id, () => run(of))) break;
      }
      if (isLate || this.#running.size === 0) break;
      await Promise.race([this.#ended.promise, late.promise]);
      if (isLate) break;
    }
    cancel();
    this.throwWhatWasThrown();
    return waiting.slice(0, next);
  }

  /** Until nothing is done any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await this.#ended.promise;
    this.throwWhatWasThrown();
  }

  async #run(scopeId: ScopeId, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#thrown ??= { error };
    }
    this.#running.delete(scopeId);
    const ended = this.#ended;
    this.#ended = Promise.withResolvers<void>();
    ended.resolve();
  }

  throwWhatWasThrown(): void {
    const thrown = this.#thrown;
    this.#thrown = undefined;
    if (thrown !== undefined) throw thrown.error;
  }
}
