/** Lines that were put aside, as what is decided about their sales reads them: see domain/lines-aside.ts. */
import type { PurchaseId, SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { countedAside } from "../../domain/lines-aside.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import type { NewDeadLetter } from "../../ports/queue-ledger.ts";
import { ListStatement } from "./chunks.ts";
import type { SqlReads, SqlTransaction } from "./sql-transaction.ts";

/** A letter's text names its scope: what it quotes of a buyer's has its own quotation marks escaped. */
const lettersLike = `SELECT id, letter FROM dead_letter WHERE letter LIKE ? ORDER BY id`;
const lockedLettersLike = `${lettersLike} {lock}`;
const decidedOf = new ListStatement(`SELECT CAST(id AS TEXT) AS id FROM purchase WHERE state <> 'queued' AND id IN :list`);
const rewriteLetter = `UPDATE dead_letter SET letter = ? WHERE id = ?`;

export type LineLetter = Extract<NewDeadLetter, { kind: "line" }>;
type Row = { readonly id: string; readonly letter: string };

/** Without those that have settled since, or were refused. */
export async function readLinesAside(db: SqlReads, scopeId: ScopeId, { locked = false } = {}): Promise<readonly LineLetter[]> {
  const rows = await db.query<Row>(locked ? lockedLettersLike : lettersLike, [`%"scopeId":"${scopeId}"%`]);
  // What stands there was written by bury.
  const letters = rows.map(({ letter }) => JSON.parse(letter) as NewDeadLetter);
  const lines = letters.flatMap((letter) => (letter.kind === "line" && letter.scopeId === scopeId ? [letter] : []));
  if (lines.length === 0) return [];
  const ids = lines.map(({ line }) => line.purchaseId);
  const decided = new Set((await decidedOf.query<{ id: PurchaseId }>(db, [], ids)).map(({ id }) => id));
  return lines.filter(({ line }) => !decided.has(line.purchaseId));
}

/** At a cut, which counts those that it has units for: from now on they are of its epoch. */
export async function countLinesAside(
  tx: SqlTransaction,
  { id, epoch }: Pick<Scope, "id" | "epoch">,
  sales: ReadonlyMap<SaleId, Sale>,
): Promise<void> {
  const available = new Map([...sales].map(([saleId, { balances }]) => [saleId, balances.available]));
  const letters = await readLinesAside(tx, id, { locked: true });
  for (const letter of countedAside(letters, available)) await tx.execute(rewriteLetter, [JSON.stringify({ ...letter, epoch }), letter.id]);
}
