import type { SaleId } from "../domain/ids.ts";
import type { ScopeId } from "../domain/journal-message.ts";
import type { Scope } from "../domain/scope.ts";
import type { DeadLetter } from "./queue-ledger.ts";
import type { StockCache } from "./stock-cache.ts";

/**
 * What stands beside the ledger where a cache decides, as an auditor sees it: nothing is changed, and nothing of it is of
 * the same moment as the ledger, unless all is at rest. Throws StoreUnavailable.
 */
export interface QueueAudit {
  /** All scopes that are not over. */
  scopes(): Promise<readonly Scope[]>;
  salesOf(scopeId: ScopeId): Promise<readonly SaleId[]>;
  deadLetters(): Promise<readonly DeadLetter[]>;
  readonly cache: Pick<StockCache, "look" | "accepted" | "outbox">;
  /** Messages that wait in the broker, by partition; undefined when it cannot be asked, with why. */
  waiting(): Promise<{ readonly kind: "ok"; readonly messages: readonly number[] } | { readonly kind: "unknown"; readonly why: string }>;
  close(): Promise<void>;
}
