/** One sale of three units on a database server, sold by a ledger that a test may trip as its COMMIT leaves; and what was sold. */
import { openServerDriver } from "../../src/adapters/sql/server-store.ts";
import { ServerDatabase, type ServerCounts } from "../../src/adapters/sql/server-database.ts";
import type { ServerLimits } from "../../src/adapters/sql/server-driver.ts";
import { ServerLedger } from "../../src/adapters/sql/server-ledger.ts";
import { decideAndWrite } from "../../src/adapters/sql/stock-ledger.ts";
import type { SaleId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { CommitResult } from "../../src/ports/stock-ledger.ts";
import { takeBy } from "../kit/live-sale.ts";
import type { EmptyStores } from "../kit/server-database.ts";
import { buyerId, money, must, productId, sampleDraft, saleId, sampleNowMs } from "../kit/samples.ts";

const stock = 3;
const id: SaleId = saleId("70");
const sums = `SELECT (SELECT count(*) FROM purchase WHERE state = 'reserved') AS purchases,
  (SELECT count(*) FROM ledger WHERE kind = 'take') AS entries, held, available FROM sale WHERE id = 70`;

export type Sold = { readonly purchases: number; readonly entries: number; readonly held: number; readonly available: number };
export type Books = {
  readonly takes: readonly Movement[];
  readonly commit: (movements: readonly Movement[]) => Promise<CommitResult>;
  /** The next commit is tripped. */
  readonly arm: () => void;
  readonly counts: Readonly<ServerCounts>;
  /** By the same way as commits. */
  readonly read: () => Promise<Sold>;
  /** As the server has it, by a way of its own. */
  readonly sold: () => Promise<Sold>;
  readonly close: () => Promise<void>;
};
type Asked = {
  readonly url: string;
  readonly limits: Partial<ServerLimits>;
  /** Everything is written, and COMMIT is what comes next. */
  readonly beforeCommit: () => void | Promise<void>;
};

export async function openBooks(stores: EmptyStores, { url, limits, beforeCommit }: Asked): Promise<Books> {
  const store = await stores.take();
  await store.catalogue.addProduct({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
  await store.catalogue.addSale({ id, draft: sampleDraft({ stock }), createdAtMs: 0 });
  const publish: Movement = { kind: "switch", change: { kind: "publish", pastAllowed: true } };
  await store.ledger.commit({ nowMs: sampleNowMs, groups: [{ saleId: id, movements: [publish] }] });
  await stores.giveBack(store);
  const database = new ServerDatabase(openServerDriver(url, limits));
  let armed = false;
  const ledger = new ServerLedger(database, { reopenDelayMs: 0, time: "batch" }, async (...ask) => {
    const answer = await decideAndWrite(...ask);
    const trips = armed && answer.wrote;
    if (trips) armed = false;
    if (trips) await beforeCommit();
    return answer;
  });
  return {
    takes: [1, 2, 3].map((buyer) => takeBy(buyerId(buyer), { key: "k" })),
    commit: (movements) => ledger.commit({ nowMs: sampleNowMs, groups: [{ saleId: id, movements }] }),
    arm: () => void (armed = true),
    counts: database.counts,
    read: async () => must((await database.reads.query<Sold>(sums, []))[0]),
    sold: async () => {
      const other = await stores.look();
      return must((await other.query<Sold>(sums, []))[0]);
    },
    close: () => database.close(),
  };
}
