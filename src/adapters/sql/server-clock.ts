/**
 * The clock of a database server, which decides where several processes share one store: their own may differ. A process
 * measures how far its own is from it, so that its countdowns and sweeps are about right; nothing it decides rests on that.
 */
import type { ServerDatabase } from "./server-database.ts";

export const mysqlNowMs = "CAST(floor(unix_timestamp(sysdate(3)) * 1000) AS BIGINT)";
export const postgresNowMs = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

/** Asked so often for one measurement; the quickest answer says most. */
const samplesPerMeasurement = 5;

export type ClockOffset = {
  /** The server's time minus the time of the clock it was measured by. */
  readonly offsetMs: number;
  /** Half the time that the quickest answer took: the offset is right within this. */
  readonly uncertaintyMs: number;
};

/** Throws StoreUnavailable. */
export async function measureClock(
  database: ServerDatabase,
  { ownMs = Date.now, samples = samplesPerMeasurement }: { ownMs?: (() => number) | undefined; samples?: number | undefined } = {},
): Promise<ClockOffset> {
  const sql = `SELECT ${database.dialect.name === "mysql" ? mysqlNowMs : postgresNowMs} AS now_ms`;
  return database.read(async (db) => {
    let best: ClockOffset = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
    for (let i = 0; i < samples; i++) {
      const askedMs = ownMs();
      const [row] = await db.query<{ now_ms: number }>(sql, []);
      const answeredMs = ownMs();
      const uncertaintyMs = Math.abs(answeredMs - askedMs) / 2;
      if (row === undefined || uncertaintyMs >= best.uncertaintyMs) continue;
      best = { offsetMs: row.now_ms - (askedMs + answeredMs) / 2, uncertaintyMs };
    }
    return best;
  });
}
