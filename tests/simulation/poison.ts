import type { LedgerBatch } from "../../src/ports/stock-ledger.ts";

/** In a take's metadata: a line that no store can keep. */
const poisonMark = "poison";

export function isPoisoned(batch: LedgerBatch): boolean {
  return batch.groups.some((group) => group.movements.some((move) => move.kind === "take" && move.metadata?.includes(poisonMark) === true));
}
