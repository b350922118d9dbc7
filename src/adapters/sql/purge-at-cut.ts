/** Forgets what was asked to be done at a cut, once its outcome has been there for so long that nobody waits for it any more. */
import { idFloorAt } from "../../domain/id-mint.ts";
import { ListStatement } from "./chunks.ts";
import type { ServerDatabase } from "./server-database.ts";

/** Who asks again later is told by the ledger, which knows every adjustment for ever. */
export const outcomesKeptMs = 24 * 3_600_000;

const answered = `SELECT CAST(id AS TEXT) AS id FROM at_cut WHERE waits = 0 AND at_cut.id < # ORDER BY at_cut.id LIMIT ?`;
const forget = new ListStatement(`DELETE FROM at_cut WHERE id IN :list`);

/** How many rows that were. Throws StoreUnavailable. */
export function purgeAtCut(database: ServerDatabase, { beforeMs, countMax }: { beforeMs: number; countMax: number }): Promise<number> {
  return database.write(async (tx) => {
    const rows = await tx.query<{ id: string }>(answered, [idFloorAt(beforeMs), countMax]);
    return forget.execute(
      tx,
      [],
      rows.map(({ id }) => id),
    );
  });
}
