/**
 * Those who listen to one process: to every sale, and to a few buyers' purchases, as live push does (http/sse). They hear
 * late, but nothing that was not committed; and when nothing changes any more, they have heard the last.
 */
import { isNewer, type Purchase } from "../../../src/domain/purchase.ts";
import { StoreUnavailable } from "../../../src/ports/store-unavailable.ts";
import { purchaseText, saleText } from "../auditor.ts";
import { issuer, subjectOf } from "../judge.ts";
import type { Server, ServerParts } from "../server.ts";
import type { SqlWorld } from "./sql-world.ts";

/** A stream that cannot be opened is tried again after so long. */
const againMs = 200;
const buyersWatched = 2;

/** Of one life of a process. */
export type Watcher = { readonly by: string; readonly what: string; readonly heard: () => string; readonly last: () => string };

export function watch(world: SqlWorld, server: Server, parts: ServerParts): void {
  const { by } = server;
  const random = world.sim.random(`watchers of ${server.name}`);
  for (const saleId of world.saleIds) void watchSale({ world, by, parts }, saleId);
  for (let i = 0; i < buyersWatched; i++) void watchBuyer({ world, by, parts }, random.int(1, world.shape.buyers));
}

type Place = { readonly world: SqlWorld; readonly by: string; readonly parts: ServerParts };

async function watchSale({ world, by, parts }: Place, saleId: SqlWorld["saleIds"][number]): Promise<void> {
  const { sim, auditor } = world;
  const view = await patiently(parts, () => parts.board.load(saleId));
  let { feed } = view.sale;
  parts.changes.watchSale(saleId, (sale) => {
    const committed = auditor.saleStates.get(`${sale.id} ${sale.feed}`);
    sim.check(
      committed === saleText(sale),
      "push",
      () => `${by} told of sale ${sale.id} at ${sale.feed}: ${saleText(sale)}, committed was ${committed}`,
    );
    if (sale.feed > feed) sim.probe("heard-of-sale");
    feed = Math.max(feed, sale.feed);
  });
  const last = () => `${world.store.tables.sales.get(saleId)?.feed}`;
  world.watchers.push({ by, what: `sale ${saleId}`, heard: () => String(feed), last });
}

async function watchBuyer({ world, by, parts }: Place, buyer: number): Promise<void> {
  const { sim, auditor } = world;
  const heard = new Map<string, Purchase>();
  const hear = (purchase: Purchase): void => {
    const text = purchaseText(purchase);
    sim.check(auditor.purchaseStates.has(text), "push", () => `${by} told of a purchase that never was: ${text}`);
    const before = heard.get(purchase.id);
    if (before === undefined || isNewer(purchase, before)) heard.set(purchase.id, purchase);
  };
  const [buyerId] = await patiently(parts, () => parts.catalogue.internBuyers([{ issuer, subject: subjectOf(buyer) }]));
  if (buyerId === undefined) return;
  parts.changes.watchPurchases(buyerId, (purchase) => {
    sim.probe("heard-of-purchase");
    hear(purchase);
  });
  const { items } = await patiently(parts, () => parts.records.purchasesOf(buyerId, {}, { offset: 0, limit: 100 }));
  for (const purchase of items) hear(purchase);
  const textOf = (purchases: Iterable<Purchase>) => [...purchases].map(purchaseText).toSorted().join("; ");
  const last = () => textOf([...world.store.tables.purchases.values()].filter((purchase) => purchase.buyerId === buyerId));
  world.watchers.push({ by, what: `buyer ${buyer}`, heard: () => textOf(heard.values()), last });
}

/** As a client does whose stream was not opened: until there is something to be heard of. */
async function patiently<Value>({ tasks }: ServerParts, ask: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await ask().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      return undefined;
    });
    if (value !== undefined) return value;
    await tasks.sleep(againMs);
  }
}
