/** What an acceptance strategy brings to the contract suite. A new strategy is one function that opens this. */
import type { SaleId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { LedgerEntry } from "../../src/domain/ledger.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Records } from "../../src/ports/records.ts";
import type { FailCause } from "../kit/faulty-ledger.ts";
import type { ManualTime } from "../kit/manual-time.ts";
import type { Shop } from "./shop.ts";

export const sizes = { batchMax: 8, queueMax: 64, answerTimeoutMs: 1_000 };

/** The members of a fixture are replaced by `restart` and `crash`: read them when they are used. */
export interface Fixture {
  readonly acceptance: Acceptance;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly time: ManualTime;
  readonly faults: Faults;
  /** The sale's ledger in commit order. */
  ledger(saleId: SaleId): Promise<readonly LedgerEntry[]>;
  /** Refuses new work and answers the old. */
  drain(): Promise<void>;
  /** Ends in order and opens on the same data. */
  restart(): Promise<void>;
  /** The process dies with everything that was not synced, and opens on what is left. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** Between the strategy and its system of record. */
export interface Faults {
  /** Commits wait before the ledger hears of them, or after it kept them but before anybody hears. Returns the release. */
  hold(where: "before" | "after"): () => void;
  /** Commits begun that have not ended. */
  inFlight(): number;
  commits(): number;
  loseAnswers(count: number, when: "before" | "after"): void;
  failNext(count: number, cause: FailCause): void;
  poison(poisoned: (movement: Movement) => boolean): void;
}

/** What a strategy may lack, with a reason. */
export type Capability = "crash" | "hold" | "lose_answers" | "fail" | "poison" | "restart" | "one_commit";
export type Lacks = Partial<Record<Capability, string>>;

export type ContractCase = {
  readonly rule: string;
  readonly title: string;
  readonly needs?: readonly Capability[] | undefined;
  readonly run: (shop: Shop) => Promise<void>;
};

export type Open = () => Promise<Fixture>;
