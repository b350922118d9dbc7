import { activityPathCases } from "./cases/activity-paths.ts";
import { badInputCases } from "./cases/bad-input.ts";
import { liveCases } from "./cases/live.ts";
import { moneyCases } from "./cases/money.ts";
import { operationCases } from "./cases/operation.ts";
import { pageCases } from "./cases/pages.ts";
import { purchaseCases } from "./cases/purchase.ts";
import { saleCases } from "./cases/sales.ts";
import { seckillPathCases } from "./cases/seckill-paths.ts";
import { shopPathCases } from "./cases/shop-paths.ts";
import { stockCases } from "./cases/stock.ts";
import type { Mode, UnderTest } from "./server-under-test.ts";

type Group = {
  readonly cases: (server: UnderTest) => void;
  /** Where a mode shows most. */
  readonly isCore?: boolean | undefined;
  /** The modes in which it is not run again, and why that is enough. */
  readonly notIn?: { readonly modes: readonly Mode[]; readonly reason: string } | undefined;
};
const aboveTheModes = { modes: ["sql", "queued"], reason: "refused, or translated, before any mode is asked" } as const;

const groups: readonly Group[] = [
  { cases: purchaseCases, isCore: true },
  { cases: saleCases, isCore: true },
  { cases: stockCases, isCore: true },
  { cases: moneyCases },
  { cases: operationCases },
  { cases: liveCases },
  { cases: seckillPathCases },
  { cases: activityPathCases, notIn: aboveTheModes },
  { cases: shopPathCases, notIn: aboveTheModes },
  { cases: badInputCases, notIn: aboveTheModes },
  { cases: pageCases, notIn: aboveTheModes },
];

/** The API as a stranger meets it: the same cases against every runtime and every mode that the server runs in. */
export function allCases(server: UnderTest): void {
  for (const { cases, notIn } of groups) if (notIn?.modes.includes(server.mode) !== true) cases(server);
}

/** For a mode whose other cases run on another database and another runtime. */
export function coreCases(server: UnderTest): void {
  for (const { cases, isCore } of groups) if (isCore === true) cases(server);
}
