/**
 * The contract of every way to accept. A strategy passes it unchanged or names, with a reason, what it lacks:
 *
 *   acceptanceContract("direct on memory", { open: openMemoryFixture })
 *
 * Cases are data, so that a control can run one against a planted bug and expect it to fail.
 */
import { describe, test } from "bun:test";
import { batchCases } from "./cases-batch.ts";
import { editCases } from "./cases-edits.ts";
import { faultCases } from "./cases-faults.ts";
import { inventoryCases } from "./cases-inventory.ts";
import { moneyCases } from "./cases-money.ts";
import { orderCases } from "./cases-orders.ts";
import { productCases } from "./cases-products.ts";
import { switchCases } from "./cases-switches.ts";
import { takeCases } from "./cases-takes.ts";
import type { ContractCase, Lacks, Open } from "./fixture.ts";
import { Shop } from "./shop.ts";

export const contractCases: readonly ContractCase[] = [
  ...takeCases,
  ...batchCases,
  ...switchCases,
  ...orderCases,
  ...moneyCases,
  ...faultCases,
  ...productCases,
  ...inventoryCases,
  ...editCases,
];

/** Beside other work a server is slow, and a test that runs out of time takes the server with it that all others need. */
const caseMaxMs = 180_000;

export function acceptanceContract(name: string, { open, lacks = {} }: { open: Open; lacks?: Lacks }): void {
  describe(name, () => {
    for (const each of contractCases) {
      const title = `[${each.rule}] ${each.title}`;
      const reason = each.needs?.map((capability) => lacks[capability]).find((found) => found !== undefined);
      test.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, () => runCase(each, open), caseMaxMs);
    }
  });
}

/** Runs a case on a new fixture; the books are checked at its end, whatever it was about. */
export async function runCase(each: ContractCase, open: Open): Promise<void> {
  const fixture = await open();
  try {
    const shop = new Shop(fixture);
    await each.run(shop);
    await shop.checkBooks();
  } finally {
    await fixture.close();
  }
}
