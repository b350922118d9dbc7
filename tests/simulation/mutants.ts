import type { CommitSteps } from "../../src/adapters/memory/memory-store.ts";
import type { SaleBoard } from "../../src/engine/sale-board.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { PaymentProvider } from "../../src/ports/payment-provider.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import type { Tasks } from "../../src/ports/tasks.ts";

export type Mutant = {
  readonly steps?: Partial<CommitSteps> | undefined;
  readonly ledger?: ((ledger: StockLedger, tasks: Tasks) => StockLedger) | undefined;
  readonly acceptance?: ((acceptance: Acceptance, tasks: Tasks) => Acceptance) | undefined;
  readonly board?: typeof SaleBoard | undefined;
  readonly provider?: ((provider: PaymentProvider) => PaymentProvider) | undefined;
  readonly clock?: ((wallMs: () => number) => Clock) | undefined;
};
export const noMutant: Mutant = {};
