/** Every single lie we know to tell in a good record of answers, and in the provider's: each contradicts the store or another answer. */
import type { HistoryEvent } from "../../src/domain/history.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { Evidence } from "./good-run.ts";
import type { Mutation } from "./store-mutations.ts";

type Pair = { readonly invoke: HistoryEvent; readonly done: HistoryEvent | undefined; readonly keyName: string };

/** Under one key; or without any, for as many units of a sale: then what one made may be another's that got no answer. */
function isSameWish({ invoke, done, keyName }: Pair, pair: Pair): boolean {
  if (keyName === pair.keyName) return true;
  const { f, event, user, qty, key } = pair.invoke;
  const isAlike = invoke.f === f && invoke.event === event && invoke.user === user && invoke.qty === qty;
  return done === undefined && isAlike && key === undefined && invoke.key === undefined;
}

export class HistoryMutations {
  readonly #good: Evidence;
  readonly #found: Mutation[] = [];
  readonly #pairs: Pair[];
  readonly #rows: ReadonlyMap<string, Purchase>;

  constructor(good: Evidence) {
    this.#good = good;
    this.#rows = new Map(good.rows.purchases.map((row) => [row.id, row]));
    const done = new Map(good.history.filter(({ type }) => type !== "invoke").map((event) => [event.attempt, event]));
    this.#pairs = good.history
      .filter(({ type }) => type === "invoke")
      .map((invoke) => ({
        invoke,
        done: done.get(invoke.attempt),
        keyName: `${invoke.event}/${invoke.user}/${invoke.key ?? invoke.attempt}`,
      }));
  }

  list(): Mutation[] {
    for (const pair of this.#pairs) {
      if (pair.invoke.f === "purchase") this.#purchase(pair);
      if (pair.invoke.f === "get") this.#read(pair);
      if (pair.invoke.f === "pay") this.#pay(pair);
      if (pair.invoke.f === "stock") this.#stock(pair);
    }
    this.#soldOutTooEarly();
    this.#provider();
    return this.#found;
  }

  #put(name: string, history: readonly HistoryEvent[]): void {
    // Lines are numbered anew, as the lying driver would have.
    const numbered = history.map((event, i) => ({ ...event, i }));
    this.#found.push({ name: `record: ${name}`, mutate: () => ({ ...this.#good, history: numbered }) });
  }

  #change(of: HistoryEvent, name: string, change: Partial<HistoryEvent>): void {
    this.#put(
      `${of.attempt} ${name}`,
      this.#good.history.map((event) => (event === of ? { ...event, ...change } : event)),
    );
  }

  #sameKey({ keyName }: Pair): Pair[] {
    return this.#pairs.filter((pair) => pair.invoke.f === "purchase" && pair.keyName === keyName);
  }

  #purchase(pair: Pair): void {
    const { invoke, done } = pair;
    const group = this.#sameKey(pair);
    const mayHaveHappened = this.#pairs.filter((other) => isSameWish(other, pair) && other.done?.type !== "fail");
    const oks = group.filter((other) => other.done?.type === "ok");
    if (done?.type === "ok") {
      this.#change(done, "is told another id", { id: "999999999999998" });
      this.#change(done, "gets a yes with a refusal's code", { code: 1006 });
      const stranger = this.#pairs.find(
        (other) => other.done?.type === "ok" && other.invoke.f === "purchase" && other.keyName !== pair.keyName,
      );
      if (stranger?.done !== undefined) this.#change(done, "gets a stranger's body", { bodyHash: stranger.done.bodyHash });
      if (oks.length > 1) this.#change(done, "gets another body", { bodyHash: "h-other" });
      if (mayHaveHappened.length === 1) {
        this.#change(done, "was refused", { type: "fail", code: 1006, id: undefined });
        this.#put(
          `${invoke.attempt} was never asked`,
          this.#good.history.filter(({ attempt }) => attempt !== invoke.attempt),
        );
        this.#put(
          `${invoke.attempt} asked for more`,
          this.#good.history.map((event) => (event.attempt === invoke.attempt ? { ...event, qty: 9 } : event)),
        );
      }
    }
    if (done?.type === "fail" && oks.length === 0)
      this.#change(done, "got a yes", { type: "ok", code: 0, id: "999999999999997", bodyHash: "h-fresh" });
    const before = oks.some((ok) => (ok.done?.t ?? Number.POSITIVE_INFINITY) < invoke.t);
    if (done?.type === "ok" && before) {
      this.#change(done, "is refused after a yes", { type: "fail", code: 1006, id: undefined });
      this.#change(done, "is refused as another payload", { type: "fail", code: 1008, id: undefined });
    }
    if (done?.type === "fail" && done.code === 1008 && before) this.#change(done, "is ended after a yes", { code: 1002 });
  }

  #read({ invoke, done }: Pair): void {
    const id = done?.id;
    if (done?.type !== "ok" || id === undefined) return;
    const known = this.#good.history.some(
      (event) =>
        event.type === "ok" &&
        event.id === id &&
        event.user === invoke.user &&
        event.t < invoke.t &&
        event.f !== "get" &&
        (invoke.key === undefined || (event.f === "purchase" && event.key === invoke.key)),
    );
    if (known) this.#change(done, "hears 404", { type: "fail", code: 4042 });
    const end = this.#rows.get(id)?.state;
    const other = end === "paid" ? "cancelled" : "paid";
    this.#change(done, `saw ${other}`, { state: other });
    const later = this.#good.history.some(
      (event) =>
        event.type === "ok" &&
        event.id === id &&
        event.t < invoke.t &&
        (event.f === "get" || event.f === "cancel") &&
        event.state !== "reserved",
    );
    if (later) this.#change(done, "saw the past", { state: "reserved" });
  }

  #pay({ done, invoke }: Pair): void {
    if (done?.type !== "ok") return;
    const { payments } = this.#good.rows;
    const unpaid = this.#good.rows.purchases.find(({ id }) => !payments.some(({ purchaseId }) => purchaseId === id));
    if (unpaid === undefined) return;
    const { id } = unpaid;
    this.#put(
      `${invoke.attempt} paid another order`,
      this.#good.history.map((event) => (event.attempt === invoke.attempt ? { ...event, id } : event)),
    );
  }

  #stock({ done }: Pair): void {
    if (done?.type !== "ok" || done.stock === undefined) return;
    this.#change(done, "saw a unit too many", { stock: { ...done.stock, available: done.stock.available + 1 } });
    this.#change(done, "saw less than none", { stock: { ...done.stock, held: -1, available: done.stock.available + done.stock.held + 1 } });
  }

  /** A refusal for stock that came and went before whoever took the last unit even asked. */
  #soldOutTooEarly(): void {
    for (const sale of this.#good.rows.sales) {
      const takenAt = this.#firstDry(sale.id);
      const last = this.#pairs.filter(({ invoke }) => invoke.f === "purchase");
      const untilT = takenAt === undefined ? Number.POSITIVE_INFINITY : this.#askedT(takenAt, last);
      const places = this.#good.history.flatMap(({ t }, i) => (t < untilT ? [i] : []));
      for (const at of places.filter((_, n) => n % 7 === 0))
        for (const code of [1005, 1006]) {
          const liar = { proc: "liar", attempt: `liar-${at}`, f: "purchase" as const, user: "u9", event: sale.id, qty: 1 };
          const t = (this.#good.history[at]?.t ?? 0) - 0.5;
          const lie: HistoryEvent[] = [
            { ...liar, i: 0, t, type: "invoke" },
            { ...liar, i: 0, t, type: "fail", code },
          ];
          this.#put(`${code} at ${t} with units free`, [...this.#good.history.slice(0, at), ...lie, ...this.#good.history.slice(at)]);
        }
    }
  }

  /** Id of the purchase that took the sale's last unit for the first time. */
  #firstDry(saleId: string): string | undefined {
    let free = 0;
    for (const { saleId: of, kind, units, sourceId } of this.#good.rows.ledger) {
      if (of !== saleId) continue;
      if (kind === "take" || kind === "withdraw") free -= units;
      else if (kind !== "pay") free += units;
      if (free < 1) return sourceId;
    }
    return undefined;
  }

  /** When somebody first asked for the purchase; never, if the record does not tell. */
  #askedT(id: string, purchases: readonly Pair[]): number {
    const row = this.#rows.get(id);
    const keyed = purchases.filter(({ invoke, done }) =>
      row?.key === undefined ? done?.id === id : invoke.key === row.key && done?.type !== "fail",
    );
    return keyed.length === 0 ? 0 : Math.min(...keyed.map(({ invoke }) => invoke.t));
  }

  #provider(): void {
    const { provider } = this.#good;
    for (const [i, line] of provider.entries()) {
      if (line.kind === "other") continue;
      const put = (name: string, lines: readonly (typeof line)[]) =>
        this.#found.push({
          name: `provider: line ${i} ${name}`,
          mutate: () => ({ ...this.#good, provider: [...provider.slice(0, i), ...lines, ...provider.slice(i + 1)] }),
        });
      put("dropped", []);
      put("of another amount", [{ ...line, money: { ...line.money, minor: line.money.minor + 1 } }]);
      put("carried out once more", [line, { ...line, id: `${line.id}9` }]);
      put("carried out once more on other terms", [line, { ...line, money: { ...line.money, minor: 1 } }]);
    }
  }
}
