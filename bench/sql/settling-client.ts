/**
 * Commits batches of takes by the production ledger and by the bare loop in turns, on the core it was started on, and
 * prints each round as a line of JSON. Started by settling.ts.
 */
import { openServerStore } from "../../src/adapters/sql/server-store.ts";
import { parseBuyerId, type BuyerId, type PurchaseId, type SaleId } from "../../src/domain/ids.ts";
import type { Take } from "../../src/domain/movement.ts";
import { reopenDelayMs } from "../../src/modes/sql.ts";
import type { SaleGroup } from "../../src/ports/stock-ledger.ts";
import { addSales, newFiller, type Filler } from "../fill.ts";
import { cpuUsOfFamily } from "../machine.ts";
import { openBareLoop, type BareSale } from "./bare-loop.ts";
import type { SettlingPlan, SettlingRound, Spent } from "./settling.ts";

// The parent passes its plan as JSON.
const plan = JSON.parse(process.argv[2] ?? "{}") as SettlingPlan;
const limit = 10;
const quantity = 1;
/** So many buyers there are, each of whom comes once until all have come. A prime, so that steps of any length meet all. */
const buyersMax = 1_000_003;
const step = 337_903;

let nextBuyer = 0;
/** In no order that an index would like. */
function anotherBuyer(): BuyerId {
  nextBuyer = (nextBuyer + step) % buyersMax;
  const buyerId = parseBuyerId(nextBuyer + 1);
  if (buyerId === undefined) throw new Error("A buyer's number is a positive integer");
  return buyerId;
}

function newTake({ ids }: Filler): Take {
  // Minted here, so it is a purchase's id.
  const purchaseId = ids.mint() as PurchaseId;
  return { kind: "take", purchaseId, buyerId: anotherBuyer(), key: `bench-${purchaseId}`, quantity };
}

const store = await openServerStore({
  url: plan.ledgerUrl,
  ledger: { reopenDelayMs },
  process: { name: "bench", roles: ["api"], version: "0.0.0", secrets: "bench" },
});
const bare = await openBareLoop(plan.engine, plan.bareUrl);
const filler = newFiller(store);
const [saleId] = await addSales(filler, { count: 1, stock: 1_000_000_000, limit });
const sale = saleId && (await store.records.sale(saleId));
if (sale === undefined) throw new Error("Settling has a sale");
const { productId, price, payWindowMs } = sale;
const rows: BareSale = { saleId: sale.id, productId, priceMinor: price.minor, limit, quantity, payWindowMs };

// A sale that was just published accepts nobody until the marks of other processes would have run out.
await Bun.sleep(reopenDelayMs + 100);

async function commit(id: SaleId, movements: readonly Take[]): Promise<void> {
  const groups: readonly SaleGroup[] = [{ saleId: id, movements }];
  const result = await store.ledger.commit({ nowMs: Date.now(), groups });
  if (result.kind !== "committed" || result.groups.some(({ outcomes }) => outcomes.some(({ kind }) => kind !== "accepted")))
    throw new Error(`The ledger did not accept the bench's takes: ${JSON.stringify(result).slice(0, 500)}`);
}

/** `run` over batches that were made before, so that making them counts for neither. */
async function spend(size: number, run: (takes: readonly Take[]) => Promise<void>): Promise<Spent> {
  const batches = Array.from({ length: Math.max(1, Math.round(plan.takes / size)) }, () =>
    Array.from({ length: size }, () => newTake(filler)),
  );
  const engineBefore = cpuUsOfFamily(plan.enginePid);
  const before = process.cpuUsage();
  const begun = performance.now();
  for (const batch of batches) await run(batch);
  const wallMs = performance.now() - begun;
  const used = process.cpuUsage(before);
  const takes = batches.length * size;
  return {
    perSecond: (takes / wallMs) * 1_000,
    clientUs: (used.user + used.system) / takes,
    engineUs: (cpuUsOfFamily(plan.enginePid) - engineBefore) / takes,
  };
}

const byLedger = (size: number) => spend(size, (takes) => commit(sale.id, takes));
const byBareLoop = (size: number) => spend(size, (takes) => bare.insert(takes, rows));

/** Each goes first in every other round, so that a drift of the machine meets both alike. */
for (let round = 0; round <= plan.rounds; round++)
  for (const size of plan.sizes) {
    const first = await (round % 2 === 0 ? byBareLoop : byLedger)(size);
    const second = await (round % 2 === 0 ? byLedger : byBareLoop)(size);
    const [ledger, loop] = round % 2 === 0 ? [second, first] : [first, second];
    const done: SettlingRound = { size, ledger, bare: loop };
    // The first round warms up: compilers, plans and pages.
    if (round > 0) console.log(JSON.stringify(done));
  }
await bare.close();
await store.close();
