import type { StopSignal } from "../../ports/tasks.ts";

/** Why a rehearsal ends before its time. */
export type HaltReason = {
  /** `guard`: the deployment suffers. `operator`: somebody stopped us. `fence`: we were about to touch what is not ours. */
  readonly by: "guard" | "operator" | "fence";
  /** What was seen, in a sentence. */
  readonly text: string;
};

/** The rehearsal's one brake: whoever pulls it first gives the reason, and everybody who waits or loops hears of it. */
export class Halt implements StopSignal {
  readonly #listeners = new Set<() => void>();
  #reason: HaltReason | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): HaltReason | undefined {
    return this.#reason;
  }

  pull(reason: HaltReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }
}
