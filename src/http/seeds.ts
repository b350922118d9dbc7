/**
 * Paths that earlier systems promised, as thin aliases of the canonical ones: read what they send, call the same use
 * case, wrap the same answer. One file per system, or per part of one; docs/seckill-paths.md is their page.
 */
import type { Route } from "./route.ts";
import { activityRoutes } from "./seeds/activities.ts";
import { seckillServiceRoutes } from "./seeds/seckill-service.ts";
import { shopAccountRoutes } from "./seeds/shop-accounts.ts";
import { shopOrderRoutes } from "./seeds/shop-orders.ts";
import { shopProductRoutes } from "./seeds/shop-products.ts";

export const seedRoutes: readonly Route[] = [
  ...activityRoutes,
  ...seckillServiceRoutes,
  ...shopAccountRoutes,
  ...shopProductRoutes,
  ...shopOrderRoutes,
];
