/** What a cache is loaded with, read in pages from one view of a real server, while others go on writing. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readCut } from "../../src/adapters/sql/cut-scope.ts";
import { purgeAtCut } from "../../src/adapters/sql/purge-at-cut.ts";
import { ServerQueueLedger } from "../../src/adapters/sql/server-queue-ledger.ts";
import { idEpochMs, idFloorAt } from "../../src/domain/id-mint.ts";
import { parseAdjustmentId } from "../../src/domain/ids.ts";
import { line, opener, QueueDesk, readAll } from "../contract/queue-ledger-desk.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { buyerId, must, saleId, sampleNowMs } from "../kit/samples.ts";
import { EmptyStores } from "../kit/server-database.ts";

const maxMs = 60_000;
const buyersCount = 7;
const pageMax = 3;

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `on ${name}`, (engine) => {
    let stores: EmptyStores;
    beforeAll(async () => {
      stores = new EmptyStores(await engine().database("pages"));
    }, maxMs);
    afterAll(() => stores.close(), maxMs);

    /** Two sales of a group, in which buyers bought, some twice; both closed, and marked. */
    async function deskWithPurchases() {
      const store = await stores.take({ queue: { partitions: 1 } });
      const { database } = store;
      // It would owe a mark.
      await store.membership.leave();
      const ledger = new ServerQueueLedger(database, { time: "batch", pageMax });
      const desk = new QueueDesk({ ledger, stock: store.ledger, catalogue: store.catalogue } as unknown as QueueDesk["fixture"]);
      const group = { limitGroup: "lamps", perBuyerLimit: 5, stock: 50 };
      const { id, scopeId } = await desk.openSale("70", group);
      const other = await desk.sale("71", group);
      await desk.mark(await desk.scope(scopeId), opener);
      const { scope } = await desk.reopen(scopeId);
      const lines = Array.from({ length: buyersCount }, (_, i) => line(100 + i, 1 + i, { limit: 5 }));
      const more = Array.from({ length: buyersCount }, (_, i) => line(200 + i, 1 + (i % 4), { limit: 5, quantity: 2 }));
      await desk.admit(id, scope.epoch, ...lines, ...more.slice(0, 2));
      await desk.admit(other, scope.epoch, ...more.slice(2));
      await desk.close(scopeId);
      return { store, database, ledger, desk, id, scopeId, epoch: scope.epoch, first: must(lines[0]).purchaseId };
    }

    test(
      "[QL3] pages of any size say the same, and units of all sales of a scope count together",
      async () => {
        const { store, database, desk, scopeId } = await deskWithPurchases();
        const cut = must(await desk.cut(scopeId));
        const whole = await readAll(must(await readCut(database.reads, { scope: cut.scope, nowMs: sampleNowMs })));
        expect(cut).toEqual(whole);
        expect(cut.units).toEqual([1, 2, 3, 4, 5, 6, 7].map((buyer) => [buyerId(buyer), buyer > 4 ? 1 : buyer === 4 ? 3 : 5]));
        expect(cut.sales.map(({ attempts, keys }) => [attempts.length, keys.length])).toEqual([
          [buyersCount, buyersCount + 2],
          [4, 5],
        ]);
        await stores.giveBack(store);
      },
      maxMs,
    );

    test(
      "[QL4] what is committed while the cache is loaded is not in what it is loaded with, and is in the feed behind it",
      async () => {
        const { store, ledger, desk, id, scopeId, first } = await deskWithPurchases();
        const cut = must(await ledger.cut({ scopeId, opener, nowMs: sampleNowMs }));
        await desk.commit(id, { kind: "cancel", purchaseId: first });
        const { units, sales, scope } = await readAll(cut);
        expect(units[0]).toEqual([buyerId(1), 5]);
        const rows = await ledger.feedAfter({ scopeId, number: scope.feed, countMax: 10 });
        expect(rows).toMatchObject([{ number: scope.feed + 1, patch: { saleId: id, available: 1, buyers: [[buyerId(1), -1]] } }]);
        // Together they are what the ledger has.
        expect(must(sales.find(({ sale }) => sale.id === id)).sale.balances.available + 1).toBe(
          must((await store.records.sale(id))?.balances.available),
        );
        await stores.giveBack(store);
      },
      maxMs,
    );

    test(
      "[QL2] a line that came since the cut waits, and is no attempt of its buyer before it is asked for",
      async () => {
        const { store, database, desk, id, scopeId, epoch } = await deskWithPurchases();
        const { scope } = must(await desk.cut(scopeId));
        expect(await desk.admit(id, epoch, line(300, 1, { limit: 9 }), line(301, 99))).toEqual(["parked", "parked"]);
        const { sales } = await readAll(must(await readCut(database.reads, { scope, nowMs: sampleNowMs }, { countMax: pageMax })));
        const { attempts, keys } = must(sales.find(({ sale }) => sale.id === id));
        expect([attempts[0], attempts.length, keys.length]).toEqual([[buyerId(1), 2], buyersCount, buyersCount + 2]);
        await stores.giveBack(store);
      },
      maxMs,
    );

    test(
      "[QL6] what was answered at a cut is forgotten after its time, and what waits is not",
      async () => {
        const { store, database, ledger, desk, id, scopeId } = await deskWithPurchases();
        const ask = (of: string) => {
          const movement = { kind: "adjust", adjustmentId: must(parseAdjustmentId(of)), units: -1, reason: "count", actor: "one" } as const;
          return ledger.askAtCut({ id: of, scopeId, saleId: id, movement });
        };
        const agoMs = idEpochMs + 1_000_000_000;
        const [old, recent, waits] = [idFloorAt(agoMs), idFloorAt(agoMs + 10), idFloorAt(agoMs + 1)] as const;
        for (const each of [old, recent]) await ask(each);
        await desk.cut(scopeId);
        await ask(waits);
        const beforeMs = agoMs + 5;
        expect([await purgeAtCut(database, { beforeMs, countMax: 10 }), await purgeAtCut(database, { beforeMs, countMax: 10 })]).toEqual([
          1, 0,
        ]);
        expect(await ledger.outcomeAtCut(old)).toBeUndefined();
        expect(await ledger.outcomeAtCut(recent)).toMatchObject({ kind: "adjusted" });
        await desk.cut(scopeId);
        expect(await ledger.outcomeAtCut(waits)).toMatchObject({ kind: "adjusted" });
        await stores.giveBack(store);
      },
      maxMs,
    );

    test(
      "[QE6] scopes are listed by when their sales changed, the latest first",
      async () => {
        const store = await stores.take({ queue: { partitions: 1 } });
        const ledger = new ServerQueueLedger(store.database, { time: "batch" });
        const desk = new QueueDesk({ ledger, stock: store.ledger, catalogue: store.catalogue } as unknown as QueueDesk["fixture"]);
        for (const id of ["70", "71", "72"]) await desk.sale(id);
        const pause = { saleId: saleId("71"), movements: [{ kind: "switch", change: { kind: "pause" } }] } as const;
        await store.ledger.commit({ nowMs: sampleNowMs + 1_000, groups: [pause] });
        expect((await ledger.scopes()).map(({ id }) => id)).toEqual(["71", "70", "72"].map(saleId));
        await stores.giveBack(store);
      },
      maxMs,
    );
  });
