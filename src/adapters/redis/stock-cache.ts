/** StockCache on Redis: one script call each, under the epoch's own scripts and keys. */
import { payloadFingerprint, type Refusal } from "../../domain/purchase.ts";
import { parseBuyerId, parsePurchaseId, parseSaleId, type BuyerId, type PurchaseId, type SaleId } from "../../domain/ids.ts";
import { lineOfWire, type Line, type ScopeId } from "../../domain/journal-message.ts";
import { parseCurrency } from "../../domain/money.ts";
import type { CutResult } from "../../ports/queue-ledger.ts";
import type {
  AcceptedEntry,
  AtEpoch,
  CacheAnswer,
  CacheRecord,
  CacheView,
  OutboxEntry,
  ReserveAsk,
  ReserveLine,
  ReserveOutcome,
  ReserveReply,
  SaleAnswer,
  StockCache,
} from "../../ports/stock-cache.ts";
import type { StopSignal } from "../../ports/tasks.ts";
import { saleKeys, scopeKeys } from "./epoch-keys.ts";
import { EpochScripts, prefixOf, scriptNames, type ScriptName } from "./epoch-scripts.ts";
import { dropEpochs, loadedScopes, loadEpoch } from "./load-epoch.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** What the cache answered is nothing that our scripts say. */
class Unreadable extends Error {}

function ensure(condition: boolean, problem: () => string): asserts condition {
  if (!condition) throw new Unreadable(problem());
}

const damagedMax = 1_000;
/** Entries that one call takes away. */
const entriesMax = 1_000;

export type RedisStockCacheOptions = {
  readonly connection: RedisConnection;
  /** For what is large, so that nobody waits behind it. */
  readonly bulk: RedisConnection;
  /** For tests that turn the clock; the server's own otherwise. */
  readonly nowMs?: (() => number) | undefined;
  /** For tests of two versions side by side; this program's own otherwise. */
  readonly scripts?: EpochScripts | undefined;
  /** Told of what no script of ours writes: somebody else has been at these keys. */
  readonly onDamage?: ((message: string) => void) | undefined;
};

type Call = { readonly keys: readonly string[]; readonly args: readonly string[] };

export class RedisStockCache implements StockCache {
  readonly #connection: RedisConnection;
  readonly #bulk: RedisConnection;
  readonly #nowMs: (() => number) | undefined;
  readonly #scripts: EpochScripts;
  /** Epochs in which something stood that no script of ours writes. */
  readonly #damaged = new Set<string>();
  readonly #onDamage: ((message: string) => void) | undefined;

  constructor({ connection, bulk, nowMs, scripts = new EpochScripts(), onDamage }: RedisStockCacheOptions) {
    this.#connection = connection;
    this.#bulk = bulk;
    this.#nowMs = nowMs;
    this.#scripts = scripts;
    this.#onDamage = onDamage;
  }

  reserve(ask: ReserveAsk): Promise<SaleAnswer<ReserveReply>> {
    const own = scopeKeys(ask);
    const sale = saleKeys(ask, ask.saleId);
    const keys = [own.scope, own.units, own.records, own.outbox, sale.sale, sale.attempts, sale.quotas, sale.keys, sale.accepted];
    const args = [ask.saleId, this.#time(ask.nowMs), ask.readmit ? "1" : "", ask.scopeId, String(ask.epoch)];
    for (const line of ask.lines) addLine(args, line);
    return this.#ofSale("reserve", ask, { keys, args }, (reply) => reserveReplyOf(ask.lines, reply));
  }

  async journaled(ask: AtEpoch & { entries: readonly string[] }): Promise<CacheAnswer<void>> {
    const { scope, outbox } = scopeKeys(ask);
    let answer: CacheAnswer<void> = { kind: "ok", value: undefined };
    for (let at = 0; at < ask.entries.length && answer.kind === "ok"; at += entriesMax)
      answer = await this.#call("journaled", ask, { keys: [scope, outbox], args: ask.entries.slice(at, at + entriesMax) }, nothing);
    return answer;
  }

  apply(ask: Parameters<StockCache["apply"]>[0]): Promise<CacheAnswer<number>> {
    const { number, patch } = ask.row;
    const own = scopeKeys(ask);
    const sale = saleKeys(ask, patch.saleId);
    const switches = [flagOf(patch.paused), patch.endsAtMs === undefined ? "" : String(patch.endsAtMs), patch.cancelled ? "1" : ""];
    const buyers = patch.buyers.flatMap(([buyerId, units]) => [String(buyerId), String(units)]);
    const freed = (patch.keys ?? []).flatMap(([buyerId, key, purchaseId]) => [nameOfKey(buyerId, key), purchaseId]);
    const what = [String(number), String(patch.available), String(ask.reopenDelayMs), ...switches, this.#time()];
    const args = [...what, String(patch.buyers.length), ...buyers, ...freed];
    return this.#call("apply", ask, { keys: [own.scope, own.units, sale.sale, sale.keys], args }, Number);
  }

  quote(ask: Parameters<StockCache["quote"]>[0]): Promise<CacheAnswer<void>> {
    const keys = [scopeKeys(ask).scope, saleKeys(ask, ask.saleId).sale];
    return this.#call("quote", ask, { keys, args: [ask.sold, ask.withdrawn, ask.issued].map(String) }, nothing);
  }

  look(ask: AtEpoch & { saleId: SaleId }): Promise<SaleAnswer<CacheView>> {
    const { sale, accepted } = saleKeys(ask, ask.saleId);
    return this.#ofSale("look", ask, { keys: [scopeKeys(ask).scope, sale, accepted], args: [this.#time()] }, viewOf);
  }

  accepted(ask: Parameters<StockCache["accepted"]>[0]): Promise<CacheAnswer<readonly AcceptedEntry[]>> {
    const keys = [scopeKeys(ask).scope, saleKeys(ask, ask.saleId).accepted];
    return this.#call("accepted", ask, { keys, args: [String(ask.from), String(ask.countMax)] }, (reply) => texts(reply).map(acceptedOf));
  }

  outbox(ask: Parameters<StockCache["outbox"]>[0]): Promise<CacheAnswer<readonly OutboxEntry[]>> {
    const { scope, outbox } = scopeKeys(ask);
    const args = [String(ask.olderThanMs), String(ask.countMax), this.#time()];
    return this.#call("outbox", ask, { keys: [scope, outbox], args }, (reply) =>
      list(reply).map((entry) => {
        const [id = "", text = ""] = texts(entry);
        return { id, text };
      }),
    );
  }

  findKey(ask: Parameters<StockCache["findKey"]>[0]): Promise<CacheAnswer<PurchaseId | undefined>> {
    const keys = [scopeKeys(ask).scope, saleKeys(ask, ask.saleId).keys];
    return this.#call("find-key", ask, { keys, args: [nameOfKey(ask.buyerId, ask.key)] }, (reply) => parsePurchaseId(String(reply)));
  }

  records(ask: Parameters<StockCache["records"]>[0]): Promise<CacheAnswer<readonly (CacheRecord | undefined)[]>> {
    const { scope, records, outbox } = scopeKeys(ask);
    return this.#call("records", ask, { keys: [scope, records, outbox], args: ask.purchaseIds }, (reply) =>
      list(reply).map((found) => {
        const [record = "", entry = "", text = ""] = texts(found);
        return recordOf(record, { id: entry, text });
      }),
    );
  }

  load(state: CutResult, signal?: StopSignal): Promise<CacheAnswer<void>> {
    return loadEpoch(this.#bulk, state, { scripts: this.#scripts, signal });
  }

  drop(ask: AtEpoch): Promise<CacheAnswer<void>> {
    return dropEpochs(this.#bulk, ask);
  }

  loaded(): Promise<CacheAnswer<readonly ScopeId[]>> {
    return loadedScopes(this.#bulk);
  }

  #time(given?: number): string {
    const nowMs = given ?? this.#nowMs?.();
    return nowMs === undefined ? "" : String(Math.floor(nowMs));
  }

  /** Who opened an epoch that does not know our script. */
  async #opener(name: ScriptName, at: AtEpoch): Promise<Opener> {
    const reply = await this.#connection.ask(["HGETALL", scopeKeys(at).scripts]);
    if (reply.kind === "demoted") return { kind: "same" };
    // Nothing was tried; it is asked again.
    if (reply.kind !== "ok") return { kind: "failed", message: "The cache did not say who opened it" };
    const noted = notedScripts(reply.value);
    const theirs = noted.get(name);
    if (theirs === undefined || theirs === this.#scripts.digest(name, at)) return { kind: "same" };
    const protocol = Number(noted.get("protocol"));
    if (protocol === this.#scripts.protocol) {
      this.#scripts.learn(at, new Map(scriptNames.map((each) => [each, noted.get(each) ?? ""])));
      return { kind: "other" };
    }
    // The later version counts it anew; the earlier one leaves it alone, as long as it stands.
    const found = await this.#connection.ask(["SCRIPT", "EXISTS", theirs]);
    if (found.kind !== "ok") return { kind: "failed", message: "The cache did not say whether it still stands" };
    const [exists] = list(found.value);
    // What says no number is none of ours.
    if (exists !== 1 || !(protocol > this.#scripts.protocol)) return { kind: "same" };
    return { kind: "failed", message: "A later version of this program has opened the cache: update this process" };
  }

  async #call<Value>(name: ScriptName, at: AtEpoch, call: Call, of: (reply: unknown) => Value): Promise<CacheAnswer<Value>> {
    const answer = await this.#ofSale(name, at, call, of);
    return answer.kind === "absent" ? this.#damage(at, `"${name}" asks for no sale`) : answer;
  }

  async #ofSale<Value>(name: ScriptName, at: AtEpoch, { keys, args }: Call, of: (reply: unknown) => Value): Promise<SaleAnswer<Value>> {
    if (this.#damaged.has(prefixOf(at))) return { kind: "closed" };
    const evaluate = () => this.#connection.ask(["EVALSHA", this.#scripts.digest(name, at), String(keys.length), ...keys, ...args]);
    let reply = await evaluate();
    if (reply.kind === "no_script") {
      const opener = await this.#opener(name, at);
      if (opener.kind === "failed") return opener;
      // A server that was restarted in between knows its scripts no more than ours.
      if (opener.kind === "other") reply = await evaluate();
    }
    // A server that was a replica in between has its scripts, and may have older data: it is not asked under this epoch again.
    if (reply.kind === "no_script" || reply.kind === "demoted") return { kind: "closed" };
    if (reply.kind !== "ok") return reply;
    if (reply.value === "absent") return { kind: "absent" };
    if (reply.value === null) return { kind: "closed" };
    try {
      return { kind: "ok", value: of(reply.value) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return this.#damage(at, error.message);
    }
  }

  /** The call may have been done. What comes after it is told that the epoch is lost: it is counted anew, and whole then. */
  #damage(at: AtEpoch, message: string): { readonly kind: "unknown"; readonly message: string } {
    if (this.#damaged.size >= damagedMax) this.#damaged.clear();
    this.#damaged.add(prefixOf(at));
    this.#onDamage?.(`${message}; it stands under ${prefixOf(at)}`);
    return { kind: "unknown", message };
  }
}

type Opener =
  /** Of this version, or nobody: what does not know its scripts is lost. */
  | { readonly kind: "same" }
  /** Of a version with other scripts that are called alike: the epoch is asked by those from now on. */
  | { readonly kind: "other" }
  /** Of a version that would misread us, and we it. */
  | { readonly kind: "failed"; readonly message: string };

/** As it stands among the sale's keys. */
export const nameOfKey = (buyerId: BuyerId, key: string): string => `${buyerId} ${JSON.stringify(key)}`;
const nothing = () => undefined;

function notedScripts(value: unknown): ReadonlyMap<string, string> {
  const fields = texts(value);
  return new Map(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ""] as const] : [])));
}
const flagOf = (flag: boolean | undefined) => (flag === undefined ? "" : flag ? "1" : "0");
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).map(String);

function addLine(args: string[], { purchaseId, buyerId, key, quantity, metadata, acceptedAtMs }: ReserveLine): void {
  const hash = key === undefined ? "" : payloadFingerprint({ quantity, metadata });
  const wish = [String(quantity), JSON.stringify(metadata ?? null), acceptedAtMs === undefined ? "" : String(acceptedAtMs)];
  args.push(purchaseId, String(buyerId), JSON.stringify(key ?? null), hash, ...wish);
}

function viewOf(value: unknown): CacheView {
  const numbers = list(value).map(Number);
  const [nowMs = 0, available = 0, held = 0, paused, cancelled, startsAtMs = 0, endsAtMs = 0, reopensAtMs = 0, accepted = 0, feed = 0] =
    numbers;
  return { nowMs, available, held, paused: paused === 1, cancelled: cancelled === 1, startsAtMs, endsAtMs, reopensAtMs, accepted, feed };
}

function acceptedOf(text: string): AcceptedEntry {
  const [buyer, purchase] = text.split(" ");
  const buyerId = parseBuyerId(Number(buyer));
  ensure(buyerId !== undefined, () => `an accepted buyer has a number, got "${text}"`);
  return { buyerId, purchaseId: purchase === undefined ? undefined : parsePurchaseId(purchase) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `entry sale line`, as reserve.lua writes it. */
function recordOf(text: string, entry: OutboxEntry): CacheRecord | undefined {
  if (text === "") return undefined;
  const sale = text.indexOf(" ") + 1;
  const wire = text.indexOf(" ", sale) + 1;
  const saleId = parseSaleId(text.slice(sale, wire - 1));
  const line = lineOfWire(jsonOf(text.slice(wire)));
  ensure(saleId !== undefined && line !== undefined, () => `a record holds a line, got "${text}"`);
  return { saleId, line, entry: entry.id === "" ? undefined : entry };
}

/** An accepted line is what was asked and the script's few words: reading them out of the message would cost more than all the rest. */
function reserveReplyOf(lines: readonly ReserveLine[], value: unknown): ReserveReply {
  const [view, entry, text, outbox, outcomes, minor, code] = list(value);
  const accepted: Line[] = [];
  const message = String(text);
  const currency = parseCurrency(String(code));
  ensure(currency !== undefined, () => `a sale has a currency, got "${String(code)}"`);
  const price = { minor: Number(minor), currency };
  const { nowMs } = viewOf(view);
  const accept = ({ purchaseId, buyerId, key, quantity, metadata }: ReserveLine, limit: number, acceptedAtMs: number): ReserveOutcome => {
    accepted.push({ purchaseId, buyerId, key, quantity, price, limit, acceptedAtMs, metadata });
    return acceptedOutcome;
  };
  const decided = list(outcomes).map((outcome, index): ReserveOutcome => {
    const line = lines[index];
    ensure(line !== undefined, () => "the cache answers the lines it was asked");
    if (typeof outcome === "number") return accept(line, outcome, nowMs);
    const [kind, ...rest] = list(outcome);
    if (kind === "a") return accept(line, Number(rest[0]), Number(rest[1]));
    if (kind === "r") return { kind: "refused", refusal: refusalOf(rest) };
    ensure(kind === "k", () => `the cache answers as reserve.lua says, got "${String(kind)}"`);
    const [id = "", record = "", entryId = "", entryText = ""] = rest.map(String);
    const purchaseId = parsePurchaseId(id);
    ensure(purchaseId !== undefined, () => `a known purchase has an id, got "${id}"`);
    return { kind: "known", purchaseId, record: recordOf(record, { id: entryId, text: entryText }) };
  });
  return {
    outcomes: decided,
    view: viewOf(view),
    entry: message === "" ? undefined : { id: String(entry), text: message },
    lines: accepted,
    outbox: Number(outbox),
  };
}

const acceptedOutcome = { kind: "accepted" } as const;

function refusalOf([reason, first, second]: readonly unknown[]): Refusal {
  const [a, b] = [Number(first), Number(second)];
  switch (reason) {
    case "key_reused":
    case "sale_cancelled":
    case "paused":
      return { reason };
    case "ended":
      return { reason, endedAtMs: a };
    case "not_started":
      return { reason, startsAtMs: a, nowMs: b };
    case "limit_reached":
      return { reason, limit: a, units: b };
    case "attempts_exhausted":
      return { reason, attemptsMax: a };
    case "all_taken":
      return { reason, held: a, available: b };
    case "sold_out":
      return { reason, available: a };
    default:
      throw new Unreadable(`the cache refused for an unknown reason: ${String(reason)}`);
  }
}
