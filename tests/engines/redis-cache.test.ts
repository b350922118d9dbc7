/** The contract of a cache that decides, on a real Redis; with every fsync, and with those of a second. */
import { stockCacheContract } from "../contract/stock-cache.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRedisFixture } from "./redis-fixture.ts";

for (const appendfsync of ["always", "everysec"] as const)
  describeWithOwnEngine("redis", `Redis with appendfsync ${appendfsync}`, () => {
    stockCacheContract("decides", () => openRedisFixture({ appendfsync }));
  });
