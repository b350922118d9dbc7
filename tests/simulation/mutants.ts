/**
 * Planted bugs, each one seen in a real shop: the simulation has to catch every one of them, or it proves nothing. They
 * live here, around the production code and never in it: a broken adapter, a broken step of the store, a subclass.
 */
import type { CommitSteps } from "../../src/adapters/memory/memory-store.ts";
import type { ServerDriver } from "../../src/adapters/sql/server-driver.ts";
import type { MintingProcess } from "../../src/domain/id-mint.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { SaleBoard, SharedBoard } from "../../src/engine/sale-board.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import type { PaymentProvider } from "../../src/ports/payment-provider.ts";
import type { Journal, JournalSource } from "../../src/ports/journal.ts";
import type { Presence } from "../../src/ports/presence.ts";
import type { QueueLedger } from "../../src/ports/queue-ledger.ts";
import type { StockCache } from "../../src/ports/stock-cache.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import type { Leases } from "../../src/ports/leases.ts";
import type { Tasks } from "../../src/ports/tasks.ts";
import type { Cluster } from "./shape.ts";
import type { DecideOptions } from "./sql/model-store.ts";

export type Mutant = {
  readonly steps?: Partial<CommitSteps> | undefined;
  readonly ledger?: ((ledger: StockLedger, tasks: Tasks) => StockLedger) | undefined;
  readonly acceptance?: ((acceptance: Acceptance, tasks: Tasks) => Acceptance) | undefined;
  readonly board?: typeof SaleBoard | undefined;
  readonly provider?: ((provider: PaymentProvider) => PaymentProvider) | undefined;
  /** Of the workers alone, beside the decider's. */
  readonly workersClock?: ((clock: Clock) => Clock) | undefined;
  /** A start does not ask the store how late it is. */
  readonly forgetsTime?: boolean | undefined;
  readonly clock?: ((wallMs: () => number) => Clock) | undefined;
  /** Where several processes share a store. */
  readonly cluster?: ((cluster: Cluster) => Cluster) | undefined;
  readonly shared?: ((shared: SharedBoard) => SharedBoard) | undefined;
  /** By which the feed of changes reads. */
  readonly feedDriver?: ((driver: ServerDriver) => ServerDriver) | undefined;
  readonly leases?: ((leases: Leases) => Leases) | undefined;
  readonly minting?: ((process: MintingProcess) => MintingProcess) | undefined;
  /** No chance in a mint. */
  readonly startsAtZero?: boolean | undefined;
  readonly decide?: DecideOptions | undefined;
  /** Where a cache decides. */
  readonly cache?: { readonly keepsScripts?: boolean | undefined } | undefined;
  readonly queue?: QueueBugs | undefined;
};

export type QueueBugs = {
  readonly ledger?: ((ledger: QueueLedger) => QueueLedger) | undefined;
  readonly cache?: ((cache: StockCache) => StockCache) | undefined;
  readonly journal?: ((journal: Journal) => Journal) | undefined;
  readonly source?: ((source: JournalSource) => JournalSource) | undefined;
  readonly presence?: ((presence: Presence) => Presence) | undefined;
  readonly reopenDelayMs?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** A closing notes nobody who owes it a mark. */
  readonly waitsForNobody?: boolean | undefined;
};
export const noMutant: Mutant = {};
/** With how many seeds may pass, from which on, before it is caught; or with the directed scenario that catches it. */
export type CountedMutant = Mutant & {
  readonly seedsMax?: number | undefined;
  /** Of what few seeds meet, where to begin to look: the first unless told. */
  readonly seedsFrom?: number | undefined;
  readonly scenario?: string | undefined;
};
