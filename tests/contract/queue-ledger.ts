/**
 * The contract of the ledger's side of sales that a cache decides. Cases are data, so that a control can run one against a
 * planted bug and expect it to fail:
 *
 *   queueLedgerContract("the memory store", { open: openMemoryQueueLedger })
 */
import { describe, test } from "bun:test";
import { cutCases } from "./queue-ledger-cuts.ts";
import { QueueDesk, type QueueLedgerFixture } from "./queue-ledger-desk.ts";
import { scopeCases } from "./queue-ledger-scopes.ts";

export type QueueLedgerCase = { readonly rule: string; readonly title: string; readonly run: (desk: QueueDesk) => Promise<void> };

export const queueLedgerCases: readonly QueueLedgerCase[] = [...scopeCases, ...cutCases];
const caseMaxMs = 180_000;

export function queueLedgerContract(name: string, { open }: { open: () => Promise<QueueLedgerFixture> }): void {
  describe(`the queue's ledger on ${name}`, () => {
    for (const each of queueLedgerCases) test(`[${each.rule}] ${each.title}`, () => runQueueLedgerCase(each, open), caseMaxMs);
  });
}

export async function runQueueLedgerCase({ run }: QueueLedgerCase, open: () => Promise<QueueLedgerFixture>): Promise<void> {
  const fixture = await open();
  try {
    await run(new QueueDesk(fixture));
  } finally {
    await fixture.close();
  }
}
