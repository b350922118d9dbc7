/**
 * Two caches asked the same, as chance has it: whatever one answers, the other must. The memory cache decides by the domain's
 * own functions, so a cache that agrees with it agrees with the domain.
 */
import type { BuyerId, PurchaseId, SaleId } from "../../src/domain/ids.ts";
import type { FeedRow } from "../../src/domain/feed.ts";
import { decodeMessage } from "../../src/domain/journal-message.ts";
import type { Sale } from "../../src/domain/sale.ts";
import { SeededRandom } from "../../src/lib/seeded-random.ts";
import type { CutResult, CutSale } from "../../src/ports/queue-ledger.ts";
import type { AtEpoch, CacheAnswer, OutboxEntry, ReserveLine, StockCache } from "../../src/ports/stock-cache.ts";
import { buyerId, purchaseId, saleId, sampleEndMs, sampleNowMs, sampleSale, sampleStartMs } from "../kit/samples.ts";

export const scopeId = saleId("7000");
export const at: AtEpoch = { scopeId, epoch: 3 };
const sales = [saleId("7000"), saleId("7001")] as const;
const buyersCount = 6;

export function cutOf(cut: Partial<CutSale> & { readonly sale: Sale }, units: CutResult["units"] = [], epoch = at.epoch): CutResult {
  const scope = { id: scopeId, state: "opening", epoch, feed: 5, closing: 1, partition: 0 } as const;
  return { scope, sales: [{ quotas: [], attempts: [], keys: [], ...cut }], units };
}

type Step = (caches: readonly StockCache[]) => Promise<readonly unknown[]>;

export class CacheScript {
  readonly #random: SeededRandom;
  #nowMs = sampleNowMs;
  #feed = 5;
  #minted = 9_000;
  readonly #ids: PurchaseId[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  start(): CutResult {
    const between = (min: number, max: number) => this.#random.between(min, max);
    const cutSales = sales.map((id): CutSale => {
      const quotas = this.#chance(0.5) ? [[buyerId(1), between(0, 4)] as const] : [];
      const stock = between(1, 12);
      const balances = { issued: stock + 2, available: stock, held: 1, sold: 1 };
      const paused = this.#chance(0.1);
      const startsAtMs = this.#chance(0.2) ? sampleNowMs + 50 : sampleStartMs;
      const keys = this.#chance(0.5) ? [[buyerId(2), "old key", purchaseId("8001"), "f00f00f00f00f00f"] as const] : [];
      const attempts = [[buyerId(2), 1] as const, ...(this.#chance(0.3) ? [[buyerId(3), 99] as const] : [])];
      const perBuyerLimit = between(1, 4);
      return { sale: sampleSale({ id, balances, paused, startsAtMs, perBuyerLimit, stock }), quotas, attempts, keys };
    });
    const scope = { id: scopeId, state: "opening", epoch: at.epoch, feed: this.#feed, closing: 1, partition: 0 } as const;
    return { scope, sales: cutSales, units: [[buyerId(2), 1]] };
  }

  /** One more step, for all caches alike. */
  next(): Step {
    this.#nowMs += this.#random.between(0, 40);
    const saleIdOf = this.#pick(sales);
    const kind = this.#random.between(0, 9);
    if (kind <= 4) return this.#reserve(saleIdOf);
    if (kind === 5) return this.#apply(saleIdOf);
    if (kind === 6) return this.#forget();
    if (kind === 7) return this.#quote(saleIdOf);
    return this.#look(saleIdOf);
  }

  #reserve(of: SaleId): Step {
    const readmit = this.#chance(0.1);
    const lines = Array.from({ length: this.#random.between(1, 7) }, () => this.#line(readmit));
    const ask = { ...at, saleId: of, lines, readmit };
    return (caches) => inTurn(caches, async (cache) => shown(await cache.reserve(ask)));
  }

  #line(readmit: boolean): ReserveLine {
    const isRepeat = this.#ids.length > 0 && this.#chance(0.15);
    const id = isRepeat ? this.#pick(this.#ids) : purchaseId(String(this.#minted++));
    if (!isRepeat) this.#ids.push(id);
    const key = this.#chance(0.5) ? undefined : this.#pick(["a", "b", "old key", '"quoted\\" 钥匙', "with space"]);
    const metadata = this.#chance(0.3) ? this.#pick(['{"note":"ä \\"x\\""}', "{}"]) : undefined;
    const acceptedAtMs = readmit ? sampleNowMs - 5_000 : undefined;
    return { purchaseId: id, buyerId: this.#buyer(), key, quantity: this.#random.between(1, 3), metadata, acceptedAtMs };
  }

  #apply(of: SaleId): Step {
    // Now and then a row that came before, or one too far.
    const number = this.#feed + this.#pick([1, 1, 1, 0, 2]);
    if (number === this.#feed + 1) this.#feed = number;
    const buyers = this.#chance(0.5) ? [[this.#buyer(), -this.#random.between(0, 2)] as const] : [];
    const row: FeedRow = {
      number,
      patch: {
        saleId: this.#chance(0.1) ? saleId("7999") : of,
        available: this.#random.between(0, 2),
        buyers,
        ...(this.#chance(0.3) && { paused: this.#chance(0.5) }),
        ...(this.#chance(0.2) && { endsAtMs: sampleEndMs + this.#random.between(1, 9) }),
        ...(this.#chance(0.05) && { cancelled: true as const }),
      },
    };
    const reopenDelayMs = this.#pick([0, 25]);
    return (caches) => inTurn(caches, (cache) => cache.apply({ ...at, row, reopenDelayMs }));
  }

  /** Takes the first entries of the outbox away, and one that is not there. */
  #forget(): Step {
    const countMax = this.#random.between(0, 2);
    return (caches) =>
      inTurn(caches, async (cache) => {
        const found = await cache.outbox({ ...at, olderThanMs: 0, countMax: countMax || 1 });
        const entries = found.kind === "ok" ? found.value.map(({ id }) => id) : [];
        const gone = await cache.journaled({ ...at, entries: [...entries, "1-1"] });
        const left = await cache.outbox({ ...at, olderThanMs: 0, countMax: 1_000 });
        return [textsOf(found), gone, textsOf(left)];
      });
  }

  #quote(of: SaleId): Step {
    const ask = { ...at, saleId: of, sold: this.#random.between(0, 3), withdrawn: 0, issued: this.#random.between(3, 20) };
    return (caches) => inTurn(caches, (cache) => cache.quote(ask));
  }

  #look(of: SaleId): Step {
    const from = this.#random.between(0, 3);
    const ids = [this.#ids.at(0), this.#ids.at(-1), purchaseId("8999")].filter((id) => id !== undefined);
    const buyer = this.#buyer();
    const key = this.#pick(["a", '"quoted\\" 钥匙']);
    return (caches) =>
      inTurn(caches, async (cache) => [
        await cache.look({ ...at, saleId: of }),
        await cache.accepted({ ...at, saleId: of, from, countMax: 3 }),
        await cache.findKey({ ...at, saleId: of, buyerId: buyer, key }),
        shownRecords(await cache.records({ ...at, purchaseIds: ids })),
      ]);
  }

  #buyer(): BuyerId {
    return buyerId(this.#random.between(1, buyersCount));
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #pick<Item>(items: readonly Item[]): Item {
    // There is at least one.
    return items[this.#random.between(0, items.length - 1)] as Item;
  }
}

async function inTurn(caches: readonly StockCache[], ask: (cache: StockCache) => Promise<unknown>): Promise<unknown[]> {
  const answers = [];
  for (const cache of caches) answers.push(await ask(cache));
  return answers;
}

type Reserved = Awaited<ReturnType<StockCache["reserve"]>>;

/** Without the names of entries, which each server gives as it likes, and with messages as they are read. */
function shown(answer: Reserved): unknown {
  if (answer.kind !== "ok") return answer;
  const { outcomes, view, entry, lines, outbox } = answer.value;
  const told = outcomes.map((outcome) => (outcome.kind === "known" ? { ...outcome, record: recordShown(outcome.record) } : outcome));
  return { view, outbox, lines: lines.map(plain), outcomes: told, message: entry && messageOf(entry) };
}

type RecordLike = { readonly saleId: SaleId; readonly line: object; readonly entry?: OutboxEntry | undefined } | undefined;
const recordShown = (record: RecordLike) =>
  record && { saleId: record.saleId, line: plain(record.line), message: record.entry && messageOf(record.entry) };
const shownRecords = (answer: Awaited<ReturnType<StockCache["records"]>>) =>
  answer.kind === "ok" ? answer.value.map(recordShown) : answer;
const textsOf = (answer: CacheAnswer<readonly OutboxEntry[]>) => (answer.kind === "ok" ? answer.value.map(messageOf) : answer);
const messageOf = ({ text }: OutboxEntry) => JSON.stringify(decodeMessage(text));
/** What is undefined is not there. */
const plain = (value: object): unknown => JSON.parse(JSON.stringify(value));
