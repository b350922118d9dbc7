/** Direct acceptance over any ledger, as a fixture: what a store brings is how it is opened, ended, killed and read. */
import { DirectAcceptance, type DirectOptions } from "../../src/engine/accept-direct.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import type { SaleId } from "../../src/domain/ids.ts";
import type { LedgerEntry } from "../../src/domain/ledger.ts";
import type { AuditSource } from "../../src/ports/audit-source.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Records } from "../../src/ports/records.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import { FaultyLedger } from "../kit/faulty-ledger.ts";
import { ManualTime } from "../kit/manual-time.ts";
import { SeededEntropy } from "../kit/seeded-entropy.ts";
import { sizes, type Faults, type Fixture } from "./fixture.ts";
import { startMs } from "./shop.ts";

export interface OpenStore {
  readonly ledger: StockLedger;
  readonly catalogue: Catalogue;
  readonly records: Records;
  audit(): Promise<AuditSource>;
  /** Ends in order; the next open finds everything. */
  end(): Promise<void>;
  /** Dies; the next open finds what was synced. */
  kill(): Promise<void>;
  /** In place of an end, when nothing is opened any more. */
  leave?(): Promise<void>;
}

export type DirectSetup = {
  /** Opens the same data again each time. */
  readonly open: () => Promise<OpenStore>;
  /** Removes the data. */
  readonly dispose: () => Promise<void>;
  /** Where a control plants a bug between the engine and the ledger, or in the engine's bounds. */
  readonly around?: ((ledger: StockLedger) => StockLedger) | undefined;
  readonly options?: Partial<DirectOptions> | undefined;
};

export async function openDirectFixture(store: DirectSetup): Promise<Fixture> {
  const time = new ManualTime(startMs);
  let parts = await start(store, time);
  const again = async (ending: "end" | "kill") => {
    await parts.store[ending]();
    parts = await start(store, time);
  };
  return {
    time,
    get acceptance() {
      return parts.acceptance;
    },
    get catalogue() {
      return parts.store.catalogue;
    },
    get records() {
      return parts.store.records;
    },
    get faults() {
      return faultsOf(parts.faulty);
    },
    ledger: (saleId) => readLedger(parts.store, saleId),
    drain: () => parts.acceptance.drain(),
    restart: () => again("end"),
    crash: () => again("kill"),
    close: async () => {
      await (parts.store.leave?.() ?? parts.store.end());
      await store.dispose();
    },
  };
}

async function start(setup: DirectSetup, time: ManualTime) {
  const store = await setup.open();
  const faulty = new FaultyLedger(store.ledger);
  const board = new SaleBoard({ records: store.records, clock: time, entropy: new SeededEntropy(1) }, { salesMax: 100, buyersMax: 10_000 });
  const acceptance = new DirectAcceptance(
    { ledger: setup.around?.(faulty) ?? faulty, board, clock: time, tasks: time },
    { ...sizes, ...setup.options },
  );
  return { store, faulty, acceptance };
}

function faultsOf(faulty: FaultyLedger): Faults {
  return {
    hold: (where) => faulty.hold(where),
    inFlight: () => faulty.batches.length - faulty.ended,
    commits: () => faulty.batches.length,
    loseAnswers: (count, when) => faulty.loseAnswers(count, when),
    failNext: (count, cause) => faulty.failNext(count, cause),
    poison: (poisoned) => faulty.poison(poisoned),
  };
}

async function readLedger(store: OpenStore, saleId: SaleId): Promise<readonly LedgerEntry[]> {
  const audit = await store.audit();
  const entries: LedgerEntry[] = [];
  for await (const page of audit.ledger()) for (const { number: _, ...entry } of page) if (entry.saleId === saleId) entries.push(entry);
  await audit.close();
  return entries;
}
