/**
 * A ledger whose commits can be held, lost, failed or poisoned, around any real one. A fault is between the engine and
 * the ledger: the ledger itself stays true.
 */
import type { Movement } from "../../src/domain/movement.ts";
import type { CommitResult, LedgerBatch, StockLedger } from "../../src/ports/stock-ledger.ts";

export type FailCause = Extract<CommitResult, { kind: "failed" }>["cause"];
type Fault = { readonly kind: "lose_before" | "lose_after" } | { readonly kind: "fail"; readonly cause: FailCause };

export class FaultyLedger implements StockLedger {
  readonly #ledger: StockLedger;
  readonly #faults: Fault[] = [];
  #gate: { readonly where: "before" | "after"; readonly open: Promise<void> } | undefined;
  #poisoned: (movement: Movement) => boolean = () => false;
  /** Every batch that was handed in, and how many of their commits have begun and ended. */
  readonly batches: LedgerBatch[] = [];
  ended = 0;

  constructor(ledger: StockLedger) {
    this.#ledger = ledger;
  }

  get batchesAcrossSales(): boolean {
    return this.#ledger.batchesAcrossSales;
  }

  /** From now on commits wait: before the ledger hears of them, or after it has kept them. Returns the way to go on. */
  hold(where: "before" | "after" = "before"): () => void {
    let release: () => void = () => undefined;
    const open = new Promise<void>((resolve) => (release = resolve));
    this.#gate = { where, open };
    return (this.goOn = () => {
      this.#gate = undefined;
      release();
    });
  }

  /** Lets go what is held. */
  goOn: () => void = () => undefined;

  /** The next commits' answers are lost: the engine cannot know whether they happened. */
  loseAnswers(count: number, when: "before" | "after"): void {
    for (let i = 0; i < count; i++) this.#faults.push({ kind: when === "before" ? "lose_before" : "lose_after" });
  }

  failNext(count: number, cause: FailCause): void {
    for (let i = 0; i < count; i++) this.#faults.push({ kind: "fail", cause });
  }

  /** Batches with such a movement fail as a whole. */
  poison(poisoned: (movement: Movement) => boolean): void {
    this.#poisoned = poisoned;
  }

  async commit(batch: LedgerBatch): Promise<CommitResult> {
    this.batches.push(batch);
    if (this.#gate?.where === "before") await this.#gate.open;
    const result = await this.#commit(batch);
    if (this.#gate?.where === "after") await this.#gate.open;
    this.ended += 1;
    return result;
  }

  async #commit(batch: LedgerBatch): Promise<CommitResult> {
    const fault = this.#faults.shift();
    if (batch.groups.some((group) => group.movements.some(this.#poisoned)))
      return { kind: "failed", cause: "bad_line", message: "a line is poisoned" };
    switch (fault?.kind) {
      case undefined:
        return this.#ledger.commit(batch);
      case "fail":
        return { kind: "failed", cause: fault.cause, message: "a planted failure" };
      case "lose_after":
        await this.#ledger.commit(batch);
        return { kind: "unknown", message: "a lost answer" };
      case "lose_before":
        return { kind: "unknown", message: "a lost request" };
    }
  }
}
