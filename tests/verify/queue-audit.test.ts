/** Cache and broker held against the ledger: a shop at rest is good, and every damage to it is found. */
import { expect, test } from "bun:test";
import { auditRowsOf, MemoryAuditSource, type AuditRows } from "../../src/adapters/memory/audit-source.ts";
import type { HistoryEvent } from "../../src/domain/history.ts";
import type { BuyerId, SaleId } from "../../src/domain/ids.ts";
import { HistoryCheck } from "../../src/engine/verify/check-history.ts";
import { HistoryLog } from "../../src/engine/verify/history-log.ts";
import { verify, type VerifyReport } from "../../src/engine/verify/verify.ts";
import type { QueueAudit } from "../../src/ports/queue-audit.ts";
import { eventually } from "../kit/manual-time.ts";
import { must } from "../kit/samples.ts";
import { withShop, type QueuedShop } from "../kit/queued-shop.ts";

type Damage = {
  readonly rows?: (rows: AuditRows) => Partial<AuditRows>;
  readonly queue?: (queue: QueueAudit) => Partial<QueueAudit>;
  readonly history?: readonly HistoryEvent[];
  readonly atRest?: boolean;
};

async function judge(shop: QueuedShop, { rows: change, queue, history = [], atRest = true }: Damage = {}): Promise<VerifyReport> {
  const rows = auditRowsOf(shop.store.tables);
  const { ledger, redis: cache, broker } = shop;
  const whole: QueueAudit = {
    scopes: () => ledger.scopes(),
    salesOf: (scopeId) => ledger.salesOf(scopeId),
    deadLetters: () => ledger.deadLetters(),
    cache,
    waiting: () => Promise.resolve({ kind: "ok", messages: [broker.depth] }),
    close: () => Promise.resolve(),
  };
  const log = new HistoryLog();
  log.startFile();
  for (const event of history) if (log.add(event) !== undefined) throw new Error("a line that is no event");
  return verify({
    source: new MemoryAuditSource({ ...rows, ...change?.(rows) }),
    rest: { nowMs: shop.time.nowMs(), atRest, lateMaxMs: 5_000 },
    queue: { ...whole, ...queue?.(whole) },
    history: history.length === 0 ? undefined : new HistoryCheck(log, { acceptsMin: 0, unknownsMin: 0 }),
  });
}

const broken = (report: VerifyReport) => report.checks.filter(({ verdict }) => verdict === "invalid").map(({ id }) => id);
const resultOf = (report: VerifyReport, id: string) => must(report.checks.find((check) => check.id === id));

/** A sale in which some have bought, with everything arrived. */
async function atRest(shop: QueuedShop): Promise<{ saleId: SaleId; buyers: readonly BuyerId[] }> {
  const api = shop.process();
  const saleId = await shop.sale(api);
  const buyers = shop.buyers(4);
  for (const buyer of buyers) await shop.buy(api, saleId, { buyer, key: "k" });
  await api.rest();
  return { saleId, buyers };
}

test("[I10] a shop at rest: cache, broker and ledger are equal", () =>
  withShop(async (shop) => {
    await atRest(shop);
    const report = await judge(shop);
    expect([broken(report), resultOf(report, "I10").verdict, resultOf(report, "I10").checked]).toEqual([[], "valid", 5]);
    const running = resultOf(await judge(shop, { atRest: false }), "I10");
    expect([running.verdict, running.note]).toEqual(["unknown", expect.stringContaining("--at-rest")]);
  }));

test("[I10] negative control: a unit too many in the cache, or one too few", () =>
  withShop(async (shop) => {
    await atRest(shop);
    for (const units of [1, -1]) {
      const queue = ({ cache }: QueueAudit) => ({
        cache: {
          look: async (ask: Parameters<typeof cache.look>[0]) => {
            const answer = await cache.look(ask);
            return answer.kind === "ok" ? { ...answer, value: { ...answer.value, available: answer.value.available + units } } : answer;
          },
          accepted: cache.accepted,
          outbox: cache.outbox,
        },
      });
      expect(broken(await judge(shop, { queue }))).toEqual(["I10"]);
    }
  }));

test("[I10] negative control: a line that the cache accepted and nobody has carried, or that was carried and is lost", () =>
  withShop(async (shop) => {
    const { saleId } = await atRest(shop);
    const [scope] = await shop.ledger.scopes();
    const { id: scopeId, epoch } = must(scope);
    const lines = [{ purchaseId: shop.newPurchaseId(), buyerId: shop.buyer("lost"), quantity: 1 }];
    const answer = await shop.redis.reserve({ scopeId, epoch, saleId, lines });
    const entry = answer.kind === "ok" ? must(answer.value.entry) : undefined;
    const waiting = resultOf(await judge(shop), "I10").off.map(({ row }) => row);
    expect(waiting).toContain(`outbox entry ${must(entry).id}`);
    await shop.redis.journaled({ scopeId, epoch, entries: [must(entry).id] });
    const lost = resultOf(await judge(shop), "I10").off.map(({ problem }) => problem);
    expect(lost).toContainEqual(expect.stringContaining("has no end in the ledger"));
  }));

test("[I5] negative control: a message that nobody has settled, and a line that was put aside", () =>
  withShop(async (shop) => {
    await atRest(shop);
    const queue = () => ({ waiting: () => Promise.resolve({ kind: "ok" as const, messages: [0, 2] }) });
    expect(broken(await judge(shop, { queue }))).toEqual(["I5"]);
    await shop.ledger.bury({ id: "message-1", kind: "message", text: "?", problem: "cannot be read", atMs: 1 });
    expect(broken(await judge(shop))).toEqual(["I5"]);
  }));

test("[I10] [QL9] a line that was put aside is told of as such, and is no drift; a unit too many beside it is", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const saleId = await shop.sale(api);
    shop.stockLedger.poison((movement) => movement.kind === "admit");
    await shop.buy(api, saleId, { buyer: shop.buyer("ann"), key: "k", wait: false });
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the line to be put aside");
    await api.rest();
    expect(broken(await judge(shop))).toEqual(["I5"]);
    const one = ({ cache }: QueueAudit) => ({
      cache: {
        look: async (ask: Parameters<typeof cache.look>[0]) => {
          const answer = await cache.look(ask);
          return answer.kind === "ok" ? { ...answer, value: { ...answer.value, available: answer.value.available + 1 } } : answer;
        },
        accepted: cache.accepted,
        outbox: cache.outbox,
      },
    });
    expect(broken(await judge(shop, { queue: one }))).toEqual(["I5", "I10"]);
  }));

test("[I10] what cannot be asked proves nothing", () =>
  withShop(async (shop) => {
    await atRest(shop);
    const broker = { waiting: () => Promise.resolve({ kind: "unknown" as const, why: "refused" }) };
    expect(resultOf(await judge(shop, { queue: () => broker }), "I10").verdict).toBe("unknown");
  }));

test("[I3] negative control: a purchase beyond its buyer's limit", () =>
  withShop(async (shop) => {
    await atRest(shop);
    const rows = ({ purchases }: AuditRows) => ({
      purchases: purchases.map((purchase) => ({ ...purchase, buyerId: must(purchases[0]).buyerId, key: purchase.id })),
    });
    expect(broken(await judge(shop, { rows }))).toContain("I3");
  }));

test("[I4] [I12] negative control: a yes that the ledger knows nothing of, told as an order or as queued", () =>
  withShop(async (shop) => {
    const { saleId } = await atRest(shop);
    for (const state of [undefined, "queued"] as const) {
      const of = { proc: "p", attempt: "p-1", f: "purchase", key: "k", user: "buyer-0", event: saleId, qty: 1 } as const;
      const history = [
        { ...of, i: 0, t: 1, type: "invoke" },
        { ...of, i: 1, t: 2, type: "ok", code: 0, id: "4711", bodyHash: "0f", state },
      ] as const;
      expect(broken(await judge(shop, { history }))).toContain("C2");
    }
  }));
