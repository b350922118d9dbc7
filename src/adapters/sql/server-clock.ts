/**
 * The clock of a database server, which decides where several processes share one store: their own may differ. A process
 * measures how far its wall is from it, so that its countdowns, sweeps and early refusals are about right.
 */
import type { ServerDatabase } from "./server-database.ts";

export const mysqlNowMs = "CAST(floor(unix_timestamp(sysdate(3)) * 1000) AS BIGINT)";
export const postgresNowMs = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

/** Asked so often for one measurement; the quickest answer says most. */
const samplesPerMeasurement = 5;

export type ClockOffset = {
  /** The server's time minus this machine's wall. */
  readonly offsetMs: number;
  /** Half the time that the quickest answer took: the offset is right within this. */
  readonly uncertaintyMs: number;
};

/** Throws StoreUnavailable. */
export async function measureClock(
  database: ServerDatabase,
  { wallMs = Date.now, samples = samplesPerMeasurement }: { wallMs?: (() => number) | undefined; samples?: number | undefined } = {},
): Promise<ClockOffset> {
  const sql = `SELECT ${database.dialect.name === "mysql" ? mysqlNowMs : postgresNowMs} AS now_ms`;
  return database.read(async (db) => {
    let best: ClockOffset = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
    for (let i = 0; i < samples; i++) {
      const askedMs = wallMs();
      const [row] = await db.query<{ now_ms: number }>(sql, []);
      const answeredMs = wallMs();
      const uncertaintyMs = Math.abs(answeredMs - askedMs) / 2;
      if (row === undefined || uncertaintyMs >= best.uncertaintyMs) continue;
      best = { offsetMs: row.now_ms - (askedMs + answeredMs) / 2, uncertaintyMs };
    }
    return best;
  });
}
