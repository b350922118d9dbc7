import { processNumberBits } from "../adapters/sql/server-processes.ts";
import { SystemClock } from "../adapters/system/system-clock.ts";
import { SystemEntropy } from "../adapters/system/system-entropy.ts";
import { SystemTasks } from "../adapters/system/system-tasks.ts";
import type { Config } from "../config/options.ts";
import { IdMint } from "../domain/id-mint.ts";
import { DirectAcceptance } from "../engine/accept-direct.ts";
import { ChangeBoard } from "../engine/change-board.ts";
import { ProductCache } from "../engine/product-cache.ts";
import { SaleBoard } from "../engine/sale-board.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import { idsOf } from "../worker/sharing.ts";
import { openQueuedEngine } from "./queued-engine.ts";
import { markLeaseMs, startEdgeMs } from "./sql.ts";
import { openStore } from "./stores.ts";

const salesInMemoryMax = 20_000;
const buyersInMemoryMax = 2_000_000;

/** Store, clock, ids and engine: what every way in shares. */
export async function openEngine(config: Config, log: Log, version: string) {
  const store = await openStore(config, version, log);
  const { shared, queue } = store;
  const clock = new SystemClock({
    notBeforeMs: store.lastAtMs,
    // Where the store's clock decides, this one follows it, and the wall of this machine is of no account.
    ...(shared !== undefined && { wallMs: () => performance.now() + shared.offsetMs(), follows: true }),
    onJump: (jump) => log.error("the wall clock jumped and is not followed; correct it and restart", jump),
  });
  const tasks = new SystemTasks();
  const entropy = new SystemEntropy();
  const minting = shared && { number: shared.membership.number, bits: processNumberBits };
  const mint = new IdMint({ nowMs: () => clock.nowMs(), random: () => entropy.random(), floor: store.idFloor, process: minting });
  const ids: Ids = shared === undefined ? mint : idsOf(shared.membership, mint);
  const { records, catalogue, exports } = store;
  const changes = new ChangeBoard({ tasks, log });
  const board = new SaleBoard(
    { records, clock, entropy, changes },
    {
      salesMax: salesInMemoryMax,
      buyersMax: buyersInMemoryMax,
      shared: shared && { feed: shared.changeFeed, leaseMs: markLeaseMs, edgeMs: startEdgeMs },
    },
  );
  const products = new ProductCache({ records, clock, entropy });
  const { batchMax, queueMax, answerTimeoutMs } = config;
  const bounds = { batchMax, queueMax, answerTimeoutMs };
  const direct = new DirectAcceptance({ ledger: store.ledger, board, clock, tasks, changes }, bounds);
  const engine = { store, records, catalogue, exports, clock, tasks, entropy, ids, changes, board, products };
  if (queue === undefined)
    return { ...engine, acceptance: direct, marks: undefined, deadLetters: undefined, queueStats: undefined, queuedParts: undefined };
  const queued = openQueuedEngine(config, { ...engine, queue, direct, log });
  return { ...engine, ...queued };
}
export type Engine = Awaited<ReturnType<typeof openEngine>>;
