/**
 * Holds a store against the promises (I1 to I13), and, given a client's record of its answers, against what was said
 * (C1 to C11). Reads one snapshot as streams and changes nothing, so it runs beside a live server.
 *
 *   products, sales, quotas ─► purchases ─► refunds ─► ledger ─► adjustments, inventory ─► payments ─► captures ─► what must add up at the end
 *
 * It shares no decision with the code that wrote the store: only types, the meaning of balances and the tables of states.
 */
import type { AuditSource, Pages } from "../../ports/audit-source.ts";
import type { QueueAudit } from "../../ports/queue-audit.ts";
import { Checks, findingsMaxDefault, verdictOf, type CheckResult, type Verdict } from "./check.ts";
import { InventoryCheck } from "./check-inventory.ts";
import { KeyCheck } from "./check-keys.ts";
import { LedgerCheck } from "./check-ledger.ts";
import { MoneyCheck, readRefund } from "./check-money.ts";
import { ProviderCheck } from "./check-provider.ts";
import { checkPurchase, checkPurchasesEnd, type RestRule } from "./check-purchases.ts";
import type { HistoryCheck } from "./check-history.ts";
import { checkQueue } from "./check-queue.ts";
import type { ProviderRecord } from "./provider-record.ts";
import { StoreTables } from "./store-tables.ts";

/** The sweep is late by a second at most; this leaves room for a slow stop. */
export const lateMaxDefaultMs = 5_000;

export type VerifyRequest = {
  readonly source: AuditSource;
  readonly rest: RestRule;
  readonly history?: HistoryCheck | undefined;
  /** Where a cache decides: what stands beside the ledger. */
  readonly queue?: QueueAudit | undefined;
  readonly provider?: { readonly record: ProviderRecord; /** All of it must be in the store. */ readonly complete: boolean } | undefined;
  /** Rows kept per check; all are counted. */
  readonly findingsMax?: number | undefined;
  /** Told now and then which table is being read, and how many rows of it were. */
  readonly progress?: ((table: string, rows: number) => void) | undefined;
};

export type VerifyReport = {
  readonly verdict: Verdict;
  readonly store: string;
  readonly atRest: boolean;
  /** Rows read, by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly checks: readonly CheckResult[];
};

export async function verify(request: VerifyRequest): Promise<VerifyReport> {
  const checks = new Checks(request.findingsMax ?? findingsMaxDefault);
  const rows: Record<string, number> = {};
  const read = readerOf(rows, request.progress);
  const tables = await checkStore(request, checks, read);
  if (request.queue === undefined) checks.of("I10").note("this store has no cache");
  else await checkQueue(request.queue, tables, checks, request.rest.atRest);
  if (request.history !== undefined) request.history.end(checks, request.rest);
  else checks.of("I12").note("needs a client's record: give --history");
  const results = checks.results();
  return { verdict: verdictOf(results), store: request.source.name, atRest: request.rest.atRest, rows, checks: results };
}

type Read = <Row>(table: string, pages: Pages<Row>, each: (row: Row) => void) => Promise<void>;

function readerOf(rows: Record<string, number>, progress: VerifyRequest["progress"]): Read {
  return async (table, pages, each) => {
    let count = 0;
    for await (const page of pages) {
      for (const row of page) each(row);
      count += page.length;
      progress?.(table, count);
    }
    rows[table] = count;
  };
}

async function checkStore({ source, rest, history, provider }: VerifyRequest, checks: Checks, read: Read): Promise<StoreTables> {
  const tables = new StoreTables();
  // Made up front, so that each says something, be it that there was nothing to check.
  for (const id of ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I11"] as const) checks.of(id);
  const inventory = new InventoryCheck(tables, checks);
  await read("products", source.products(), (product) => inventory.product(product));
  await read("sales", source.sales(), (sale) => {
    if (!tables.addSale(sale)) checks.of("I2").off(`sale ${sale.id}`, "is there twice");
    history?.sale(sale);
  });
  await read("quotas", source.quotas(), ({ saleId, buyerId, units }) => tables.saleOf(saleId)?.quotas.set(buyerId, units));
  if (history !== undefined) await read("buyers", source.buyers(), (buyer) => history.buyer(buyer));
  const keys = new KeyCheck(checks);
  await read("purchases", source.purchases(), (purchase) => {
    checkPurchase(tables, checks, purchase);
    keys.purchase(purchase);
    history?.purchase(purchase);
  });
  await read("refunds", source.refunds(), (refund) => readRefund(tables, checks, refund));
  const ledger = new LedgerCheck(tables, checks);
  await read("ledger", source.ledger(), (entry) => {
    ledger.row(entry);
    history?.entry(entry);
  });
  ledger.end();
  await read("adjustments", source.adjustments(), (adjustment) => inventory.adjustment(adjustment));
  await read("inventory", source.inventory(), (entry) => inventory.row(entry));
  inventory.end();
  const money = new MoneyCheck(tables, checks, provider && new ProviderCheck(provider.record, checks, provider.complete));
  await read("payments", source.payments(), (payment) => {
    money.payment(payment);
    history?.payment(payment);
  });
  await read("captures", source.captures(), (capture) => money.capture(capture));
  money.end();
  checkPurchasesEnd(tables, checks, rest);
  await keys.end(source);
  return tables;
}
