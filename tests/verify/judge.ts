/** Judges evidence as `doorbuster verify --at-rest` does, without a file in between. */
import { MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { HistoryCheck } from "../../src/engine/verify/check-history.ts";
import { HistoryLog } from "../../src/engine/verify/history-log.ts";
import { ProviderRecord } from "../../src/engine/verify/provider-record.ts";
import { verify, type VerifyReport } from "../../src/engine/verify/verify.ts";
import type { Evidence } from "./good-run.ts";

export function judge({ rows, history, provider, nowMs }: Evidence, atRest = true): Promise<VerifyReport> {
  const log = new HistoryLog();
  log.startFile();
  for (const event of history) {
    const problem = log.add(event);
    if (problem !== undefined) throw new Error(problem);
  }
  const record = new ProviderRecord();
  for (const line of provider) record.add(line);
  return verify({
    source: new MemoryAuditSource(rows),
    rest: { nowMs, atRest, lateMaxMs: 10_000_000 },
    history: new HistoryCheck(log, { acceptsMin: 0, unknownsMin: 0 }),
    provider: { record, complete: atRest },
  });
}

/** What a failed expectation should show. */
export function findingsOf(report: VerifyReport): string[] {
  return report.checks.flatMap(({ id, off }) => off.map(({ row, problem }) => `${id} ${row}: ${problem}`));
}
