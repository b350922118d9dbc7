import type { LedgerBatch } from "../../src/ports/stock-ledger.ts";

/** In a take's metadata: a line that no store can keep. */
const poisonMark = "poison";

export function isPoisoned(batch: LedgerBatch): boolean {
  return batch.groups.some((group) => group.movements.some((move) => metadataOf(move)?.includes(poisonMark) === true));
}

function metadataOf(move: LedgerBatch["groups"][number]["movements"][number]): string | undefined {
  if (move.kind === "take") return move.metadata;
  return move.kind === "admit" ? move.line.metadata : undefined;
}
