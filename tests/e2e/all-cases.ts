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
import type { UnderTest } from "./server-under-test.ts";

/** The API as a stranger meets it: the same cases against every runtime the server runs on. */
export function allCases(server: UnderTest): void {
  purchaseCases(server);
  saleCases(server);
  stockCases(server);
  moneyCases(server);
  operationCases(server);
  liveCases(server);
  seckillPathCases(server);
  activityPathCases(server);
  shopPathCases(server);
  badInputCases(server);
  pageCases(server);
}
