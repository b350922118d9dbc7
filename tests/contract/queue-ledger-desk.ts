/** What cases of the queue's ledger do: sales are published, scopes opened, lines come, closings are answered. */
import { expect } from "bun:test";
import type { BuyerId, SaleId } from "../../src/domain/ids.ts";
import type { Line, ScopeId } from "../../src/domain/journal-message.ts";
import type { Movement, MovementOutcome } from "../../src/domain/movement.ts";
import type { SaleDraft } from "../../src/domain/sale.ts";
import type { Scope } from "../../src/domain/scope.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Fence } from "../../src/ports/leases.ts";
import type { CutKey, CutResult, CutRows, CutSale, QueueLedger } from "../../src/ports/queue-ledger.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import { buyerId, money, must, productId, purchaseId, sampleDraft, sampleNowMs, saleId } from "../kit/samples.ts";

/** As it stands in marks. */
export type MarkingProcess = { readonly process: number; readonly life: string };

export interface QueueLedgerFixture {
  readonly ledger: QueueLedger;
  readonly stock: StockLedger;
  readonly catalogue: Catalogue;
  /** A process more, alive until it dies. */
  readonly join: (role: "api" | "worker") => Promise<MarkingProcess>;
  readonly die: (process: MarkingProcess) => Promise<void>;
  readonly fence: () => Promise<Fence>;
  /** Another process has the lease from now on. */
  readonly overtake: (fence: Fence) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const opener: MarkingProcess = { process: 900, life: "opener" };

type CutSaleRead = Omit<CutSale, "attempts" | "keys"> & {
  readonly attempts: readonly (readonly [BuyerId, number])[];
  readonly keys: readonly CutKey[];
};
/** With all of its pages. */
export type ReadCut = Pick<CutResult, "scope"> & {
  readonly sales: readonly CutSaleRead[];
  readonly units: readonly (readonly [BuyerId, number])[];
};

export async function readAll({ scope, sales, units, end }: CutResult): Promise<ReadCut> {
  const all = { scope, units: await rowsOf(units), sales: [] as CutSaleRead[] };
  for (const sale of sales) all.sales.push({ ...sale, attempts: await rowsOf(sale.attempts), keys: await rowsOf(sale.keys) });
  await end?.();
  return all;
}

async function rowsOf<Row>(rows: CutRows<Row>): Promise<readonly Row[]> {
  if (!(Symbol.asyncIterator in rows)) return rows;
  const all: Row[] = [];
  for await (const page of rows) all.push(...page);
  return all;
}

export class QueueDesk {
  readonly fixture: QueueLedgerFixture;
  readonly ledger: QueueLedger;

  constructor(fixture: QueueLedgerFixture) {
    this.fixture = fixture;
    this.ledger = fixture.ledger;
  }

  /** Published; its scope waits for its first cut. */
  async sale(id = "70", change: Partial<SaleDraft> = {}, quotas: readonly (readonly [BuyerId, number])[] = []): Promise<SaleId> {
    const { catalogue } = this.fixture;
    await catalogue.addProduct({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
    for (const [buyer, units] of quotas) await catalogue.setQuota(productId(), buyer, units);
    await catalogue.addSale({ id: saleId(id), draft: sampleDraft(change), createdAtMs: 0 });
    const [switched] = await this.commit(saleId(id), { kind: "switch", change: { kind: "publish", pastAllowed: true } });
    expect(switched?.kind).toBe("switched");
    return saleId(id);
  }

  /** Cut and loaded. */
  async openSale(...ask: Parameters<QueueDesk["sale"]>): Promise<{ id: SaleId; scopeId: ScopeId; epoch: number }> {
    const id = await this.sale(...ask);
    const { scope } = await this.reopen(id);
    return { id, scopeId: scope.id, epoch: scope.epoch };
  }

  async reopen(scopeId: ScopeId): Promise<ReadCut> {
    const cut = must(await this.cut(scopeId));
    expect(await this.ledger.opened({ scopeId, epoch: cut.scope.epoch })).toBe(true);
    return cut;
  }

  async cut(scopeId: ScopeId, fence?: Fence, nowMs = sampleNowMs): Promise<ReadCut | undefined> {
    const cut = await this.ledger.cut({ scopeId, opener, fence, nowMs });
    return cut && readAll(cut);
  }

  /** Closed, with the opener's own mark, and nobody else's. */
  async close(scopeId: ScopeId): Promise<Scope> {
    const { epoch } = await this.scope(scopeId);
    const scope = must(await this.ledger.close({ scopeId, epoch, cause: "operator" }));
    await this.mark(scope, opener);
    return scope;
  }

  async mark({ id: scopeId, epoch, closing }: Pick<Scope, "id" | "epoch" | "closing">, by: MarkingProcess): Promise<void> {
    await this.ledger.noteMark({ kind: "mark", scopeId, epoch, closing, ...by });
  }

  async scope(id: ScopeId): Promise<Scope> {
    return must(await this.ledger.scope(id));
  }

  async commit(of: SaleId, ...movements: readonly Movement[]): Promise<readonly MovementOutcome[]> {
    const result = await this.fixture.stock.commit({ nowMs: sampleNowMs, groups: [{ saleId: of, movements }] });
    if (result.kind !== "committed") throw new Error(`not committed: ${JSON.stringify(result)}`);
    return must(result.groups[0]).outcomes;
  }

  async bury(of: SaleId, epoch: number, aside: Line): Promise<void> {
    const letter = { kind: "line", id: aside.purchaseId, problem: "why", atMs: sampleNowMs } as const;
    await this.ledger.bury({ ...letter, scopeId: of, saleId: of, epoch, line: aside });
  }

  /** What becomes of lines of one message. */
  async admit(of: SaleId, epoch: number, ...lines: readonly Line[]): Promise<string[]> {
    const outcomes = await this.commit(of, ...lines.map((line) => ({ kind: "admit", line, epoch }) as const));
    return outcomes.map((outcome) => {
      if (outcome.kind !== "admitted") return outcome.kind;
      const { state, refusedFor } = outcome.purchase;
      return refusedFor === undefined ? state : `${state} for ${refusedFor}`;
    });
  }
}

export const line = (id: number, buyer: number, change: Partial<Line> = {}): Line => ({
  purchaseId: purchaseId(String(id)),
  buyerId: buyerId(buyer),
  key: `key ${id}`,
  quantity: 1,
  price: money(500),
  limit: 2,
  acceptedAtMs: sampleNowMs,
  ...change,
});
