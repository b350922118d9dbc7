/**
 * What the client's own record can prove without the store: every promise that shows in answers alone. It is one-sided: it
 * counts a unit as taken only while it must be, so whatever it calls broken is broken, and `verify` with the data folder
 * sees more. The ids are those of docs/spec/history.md and of the invariants.
 */
import { balancesOf } from "./history-recorder.ts";
import type { Recorder, ShopOperation, ShopReply } from "./shop-client.ts";
import type { CheckLine, VerifyVerdict } from "./verdict.ts";

type Accepted = {
  readonly buyer: string;
  readonly key: string;
  readonly units: number;
  readonly body: string;
  /** Before this it was not accepted. */
  readonly askedMs: number;
  /** From this on it was. */
  readonly knownMs: number;
};
export type RecordTerms = { readonly stock: number; readonly perBuyerLimit: number; readonly payWindowMs: number };
type CheckId = "I1" | "C1" | "C2" | "C4" | "C5" | "C6";
type Check = { readonly title: string; readonly unit: string; checked: number; readonly problems: string[]; off: number };

const problemsMax = 20;
/** The pay window runs by the shop's clock, which may go a little faster than ours. */
const clockSlackMs = 50;

const check = (title: string, unit: string): Check => ({ title, unit, checked: 0, problems: [], off: 0 });

/** Hears what the recorder hears, and passes it on. */
export class RecordCheck implements Recorder {
  readonly #recorder: Recorder;
  readonly #nowMs: () => number;
  readonly #askedMs = new Map<number, number>();
  /** When each key without a definite answer was asked first. */
  readonly #firstAskedMs = new Map<string, number>();
  readonly #accepted = new Map<string, Accepted>();
  readonly #idOfKey = new Map<string, string>();
  readonly #unknownKeys = new Set<string>();
  readonly #cancelledMs = new Map<string, number>();
  readonly #checks: Readonly<Record<CheckId, Check>> = {
    I1: check("never more units out than the stock", "accepts"),
    C1: check("every stock shown adds up", "looks"),
    C2: check("an accepted order stays", "reads"),
    C4: check("no purchase that nobody asked for", "rows"),
    C5: check("no buyer over the limit", "accepts"),
    C6: check("one key, one effect, one answer", "answers"),
  };
  #closedMs = Number.POSITIVE_INFINITY;

  constructor(recorder: Recorder, nowMs: () => number) {
    this.#recorder = recorder;
    this.#nowMs = nowMs;
  }

  asked(operation: ShopOperation): number {
    const number = this.#recorder.asked(operation);
    const nowMs = this.#nowMs();
    const { kind, orderId } = operation;
    this.#askedMs.set(number, nowMs);
    if (kind === "purchase" && !this.#firstAskedMs.has(ownKey(operation))) this.#firstAskedMs.set(ownKey(operation), nowMs);
    if (kind === "cancel" && orderId !== undefined && !this.#cancelledMs.has(orderId)) this.#cancelledMs.set(orderId, nowMs);
    return number;
  }

  answered(number: number, operation: ShopOperation, reply: ShopReply): void {
    this.#recorder.answered(number, operation, reply);
    this.#askedMs.delete(number);
    if (operation.kind === "purchase") this.#purchase(operation, reply);
    else if (operation.kind === "stock") this.#stock(reply);
    else this.#read(operation, reply);
  }

  /** From here on the shop may close what is unpaid. */
  closing(): void {
    this.#closedMs = this.#nowMs();
  }

  /** `rows`: how many purchases the shop shows in the sale at the end, if it does. */
  verdict(terms: RecordTerms, rows: number | undefined): VerifyVerdict {
    this.#judgeUnits(terms);
    if (rows !== undefined) this.#judgeRows(rows);
    const entries = Object.entries(this.#checks);
    const checks = entries.map(([id, { title, unit, checked, off }]): CheckLine => {
      const verdict = off > 0 ? "invalid" : checked === 0 ? "unknown" : "valid";
      return { id, verdict, text: `${title} (${checked} ${unit})` };
    });
    const problems = entries.flatMap(([id, { problems: found, off }]) => [
      ...found.map((problem) => `${id}: ${problem}`),
      ...(off > found.length ? [`${id}: ${off - found.length} more`] : []),
    ]);
    return { verdict: problems.length > 0 ? "invalid" : "valid", checks, problems };
  }

  #purchase(operation: ShopOperation, reply: ShopReply): void {
    const { buyer = "", key = "", quantity = 1 } = operation;
    const own = ownKey(operation);
    if (reply.kind === "no") this.#firstAskedMs.delete(own);
    const before = this.#idOfKey.get(own);
    if (reply.kind === "unknown" && before === undefined) this.#unknownKeys.add(own);
    if (reply.kind !== "ok") return;
    const { body } = reply;
    const id = String(reply.data["id"]);
    const known = this.#accepted.get(id);
    this.#checks.C6.checked += 1;
    if (before !== undefined && before !== id) this.#off("C6", `key ${key} has two purchases, ${before} and ${id}`);
    if (known !== undefined && (known.buyer !== buyer || known.key !== key))
      this.#off("C6", `purchase ${id} answers two keys, ${known.key} and ${key}`);
    else if (known !== undefined && known.body !== body) this.#off("C6", `key ${key} was answered with two different bodies`);
    if (known !== undefined) return;
    const knownMs = this.#nowMs();
    this.#accepted.set(id, { buyer, key, units: quantity, body, askedMs: this.#firstAskedMs.get(own) ?? knownMs, knownMs });
    this.#idOfKey.set(own, id);
    this.#unknownKeys.delete(own);
    this.#firstAskedMs.delete(own);
  }

  #stock(reply: ShopReply): void {
    const stock = balancesOf(reply.data["stock"]);
    if (reply.kind !== "ok" || stock === undefined) return;
    this.#checks.C1.checked += 1;
    const { issued, available, held, sold, withdrawn } = stock;
    if (Math.min(issued, available, held, sold, withdrawn) < 0 || available + held + sold + withdrawn !== issued)
      this.#off("C1", `the shop showed ${JSON.stringify(stock)}`);
  }

  #read({ orderId = "", kind, buyer = "" }: ShopOperation, reply: ShopReply): void {
    if (reply.status === undefined || !this.#accepted.has(orderId)) return;
    this.#checks.C2.checked += 1;
    if (reply.status === 404) this.#off("C2", `order ${orderId} of ${buyer} was accepted and is unknown to "${kind}"`);
  }

  /** Walks through the moments at which units were surely taken or may have gone back. */
  #judgeUnits({ stock, perBuyerLimit, payWindowMs }: RecordTerms): void {
    const moments: { readonly atMs: number; readonly units: number; readonly buyer: string; readonly id: string }[] = [];
    for (const [id, { buyer, units, askedMs, knownMs }] of this.#accepted) {
      const cancelledMs = this.#cancelledMs.get(id) ?? Number.POSITIVE_INFINITY;
      const backMs = Math.min(cancelledMs, askedMs + payWindowMs - clockSlackMs, this.#closedMs);
      this.#checks.I1.checked += 1;
      this.#checks.C5.checked += 1;
      if (backMs <= knownMs) continue;
      moments.push({ atMs: knownMs, units, buyer, id }, { atMs: backMs, units: -units, buyer, id });
    }
    moments.sort((a, b) => a.atMs - b.atMs || a.units - b.units);
    let out = 0;
    const ofBuyer = new Map<string, number>();
    for (const { units, buyer, id } of moments) {
      out += units;
      const own = (ofBuyer.get(buyer) ?? 0) + units;
      ofBuyer.set(buyer, own);
      if (units > 0 && out > stock) this.#off("I1", `with purchase ${id} ${out} units were out, of ${stock}`);
      if (units > 0 && own > perBuyerLimit)
        this.#off("C5", `with purchase ${id} buyer ${buyer} had ${own} units, the limit is ${perBuyerLimit}`);
    }
  }

  #judgeRows(rows: number): void {
    this.#checks.C4.checked += rows;
    const most = this.#accepted.size + this.#unknownKeys.size;
    if (rows > most)
      this.#off("C4", `the sale has ${rows} purchases, this crowd can have made at most ${most}: somebody else bought in it`);
    if (rows < this.#accepted.size) this.#off("C2", `the sale has ${rows} purchases, ${this.#accepted.size} were accepted`);
  }

  #off(id: CheckId, problem: string): void {
    const found = this.#checks[id];
    found.off += 1;
    if (found.problems.length < problemsMax) found.problems.push(problem);
  }
}

const ownKey = ({ buyer = "", key = "" }: ShopOperation) => `${buyer}\n${key}`;
