/**
 * Loads an epoch, and removes those before it.
 *
 *   note what is begun ─► units, sales, keys, lists ─► scripts ─► open.lua: is all of it here? ─► the sign
 *
 * Must stay true: the sign is set in the same step that counts what was loaded, so a server that forgot some of it in the
 * meantime never opens; whoever does not know how this went cuts anew, and loads another epoch.
 */
import { parseSaleId, type BuyerId, type SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { CutKey, CutResult, CutRows, CutSale } from "../../ports/queue-ledger.ts";
import type { AtEpoch, CacheAnswer } from "../../ports/stock-cache.ts";
import type { StopSignal } from "../../ports/tasks.ts";
import { allKeys, loadedKey, saleKeys, scopeKeys, scopesKey } from "./epoch-keys.ts";
import { scriptNames, type EpochScripts } from "./epoch-scripts.ts";
import type { RedisConnection, RedisReply } from "./redis-connection.ts";

/** Values in one command. */
const valuesMax = 2_000;

type Sized = { readonly key: string; size: number };
type Failure = Exclude<CacheAnswer<void>, { readonly kind: "ok" }>;

export async function loadEpoch(
  connection: RedisConnection,
  { scope, sales, units }: CutResult,
  { scripts, signal }: { readonly scripts: EpochScripts; readonly signal?: StopSignal | undefined },
): Promise<CacheAnswer<void>> {
  const at: AtEpoch = { scopeId: scope.id, epoch: scope.epoch };
  const ids = sales.map(({ sale }) => sale.id);
  const loading = new Loading(connection, signal);
  const note = [
    ["HSET", scopesKey, scope.id, String(scope.epoch)],
    ["HSET", loadedKey(scope.id), String(scope.epoch), JSON.stringify(ids)],
  ];
  await loading.send([...note, ["UNLINK", ...allKeys(at, ids)]]);
  const own = scopeKeys(at);
  await loading.rows(units, [{ command: "HSET", key: own.units, values: numbersOf }]);
  for (const cut of sales) await loadSale(loading, at, cut);
  // Noted again: who was overtaken while it loaded may have been swept away in the middle.
  const noted = ["protocol", String(scripts.protocol), ...scriptNames.flatMap((name) => [name, scripts.digest(name, at)])];
  await loading.send([...note, ["HSET", own.scripts, ...noted], ...scriptNames.map((name) => ["SCRIPT", "LOAD", scripts.text(name, at)])]);
  const failed = await loading.end();
  if (failed !== undefined) return failed;
  const { sizes } = loading;
  const keys = [own.scope, ...sizes.map(({ key }) => key)];
  const counts = [String(scope.feed), ...sizes.map(({ size }) => String(size))];
  const opened = await connection.ask(["EVALSHA", scripts.digest("open", at), String(keys.length), ...keys, ...counts]);
  if (opened.kind !== "ok") return firstFailure([opened]) ?? { kind: "failed", message: "The epoch was not opened" };
  return opened.value === 1 ? { kind: "ok", value: undefined } : { kind: "failed", message: "The cache lost some of what was loaded" };
}

async function loadSale(loading: Loading, at: AtEpoch, { sale, quotas, attempts, keys }: CutSale): Promise<void> {
  const own = saleKeys(at, sale.id);
  const { available, issued, withdrawn, sold } = sale.balances;
  const fields = {
    available,
    issued,
    withdrawn,
    sold,
    limit: sale.perBuyerLimit,
    starts: sale.startsAtMs,
    ends: sale.endsAtMs,
    reopens: 0,
    paused: sale.paused ? 1 : 0,
    cancelled: sale.phase === "cancelled" ? 1 : 0,
    quotas: quotas.length > 0 ? 1 : 0,
    minor: sale.price.minor,
    currency: sale.price.currency,
  };
  await loading.rows(Object.entries(fields), [{ command: "HSET", key: own.sale, values: ([name, value]) => [name, String(value)] }]);
  await loading.rows(quotas, [{ command: "HSET", key: own.quotas, values: numbersOf }]);
  await loading.rows(attempts, [
    { command: "HSET", key: own.attempts, values: numbersOf },
    { command: "RPUSH", key: own.accepted, values: ([buyerId]) => [`${buyerId}`] },
  ]);
  await loading.rows(keys, [{ command: "HSET", key: own.keys, values: keyOf }]);
}

const numbersOf = ([buyerId, count]: readonly [BuyerId, number]): string[] => [`${buyerId}`, `${count}`];
const keyOf = ([buyerId, key, purchaseId, fingerprint]: CutKey): string[] => [
  `${buyerId} ${JSON.stringify(key)}`,
  `${purchaseId} ${fingerprint}`,
];

/** Where rows of a cut go, as values of a command. */
type Target<Row> = { readonly command: "HSET" | "RPUSH"; readonly key: string; readonly values: (row: Row) => readonly string[] };

/** What is sent of a load: a page is on its way while the next one is read. Behind a failure, or the signal, nothing is. */
class Loading {
  readonly #connection: RedisConnection;
  readonly #signal: StopSignal | undefined;
  readonly sizes: Sized[] = [];
  #sent: Promise<readonly RedisReply[]> = Promise.resolve([]);
  #failed: Failure | undefined;

  constructor(connection: RedisConnection, signal: StopSignal | undefined) {
    this.#connection = connection;
    this.#signal = signal;
  }

  async rows<Row>(rows: CutRows<Row>, targets: readonly Target<Row>[]): Promise<void> {
    const sized = targets.map(({ key }) => ({ key, size: 0 }));
    this.sizes.push(...sized);
    for await (const page of Symbol.asyncIterator in rows ? rows : [rows]) {
      for (const each of sized) each.size += page.length;
      await this.send(targets.flatMap((target) => commandsOf(page, target)));
      if (this.#failed !== undefined) return;
    }
  }

  /** Waits for what was sent before. */
  async send(commands: readonly (readonly string[])[]): Promise<void> {
    this.#failed ??= firstFailure(await this.#sent) ?? (this.#signal?.aborted === true ? stopped : undefined);
    if (this.#failed === undefined) this.#sent = this.#connection.askAll(commands);
  }

  async end(): Promise<Failure | undefined> {
    await this.send([]);
    return this.#failed;
  }
}

const stopped = { kind: "failed", message: "The process stops" } as const;

function commandsOf<Row>(rows: readonly Row[], { command, key, values }: Target<Row>): string[][] {
  const commands: string[][] = [];
  let last: string[] | undefined;
  for (const row of rows) {
    if (last === undefined || last.length >= valuesMax) commands.push((last = [command, key]));
    last.push(...values(row));
  }
  return commands;
}

/** Removes what is left of epochs before this one. What a stalled opener writes later goes the next time. */
export async function dropEpochs(connection: RedisConnection, { scopeId, epoch }: AtEpoch): Promise<CacheAnswer<void>> {
  const found = await connection.ask(["HGETALL", loadedKey(scopeId)]);
  if (found.kind !== "ok") return firstFailure([found]) ?? { kind: "ok", value: undefined };
  // Without a type mapping the server's list comes as it is.
  const fields = Array.isArray(found.value) ? found.value.map(String) : [];
  const commands: string[][] = [];
  let isOver = true;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const old = Number(fields[at]);
    if (old >= epoch) {
      isOver = false;
      continue;
    }
    // It was written by the load above.
    const saleIds = JSON.parse(fields[at + 1] ?? "[]") as SaleId[];
    commands.push(["UNLINK", ...allKeys({ scopeId, epoch: old }, saleIds)], ["HDEL", loadedKey(scopeId), String(old)]);
  }
  const failed = firstFailure(await connection.askAll(commands));
  if (failed !== undefined) return failed;
  return (isOver ? firstFailure([await connection.ask(["HDEL", scopesKey, scopeId])]) : undefined) ?? { kind: "ok", value: undefined };
}

/** Scopes of which something may be left. */
export async function loadedScopes(connection: RedisConnection): Promise<CacheAnswer<readonly ScopeId[]>> {
  const found = await connection.ask(["HGETALL", scopesKey]);
  if (found.kind !== "ok") return firstFailure([found]) ?? { kind: "ok", value: [] };
  const fields = Array.isArray(found.value) ? found.value.map(String) : [];
  const ids = fields.filter((_, index) => index % 2 === 0).map(parseSaleId);
  return { kind: "ok", value: ids.filter((id) => id !== undefined) };
}

function firstFailure(replies: readonly RedisReply[]): Failure | undefined {
  for (const reply of replies) {
    if (reply.kind === "ok") continue;
    if (reply.kind === "no_script") return { kind: "closed" };
    // Nothing of an epoch that is being loaded can be lost yet.
    return reply.kind === "demoted" ? { kind: "failed", message: reply.message } : reply;
  }
  return undefined;
}
