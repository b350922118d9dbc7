/**
 * Loads an epoch, and removes those before it.
 *
 *   note what is begun ─► units, sales, keys, lists ─► scripts ─► open.lua: is all of it here? ─► the sign
 *
 * Must stay true: the sign is set in the same step that counts what was loaded, so a server that forgot some of it in the
 * meantime never opens; whoever does not know how this went cuts anew, and loads another epoch.
 */
import type { BuyerId, SaleId } from "../../domain/ids.ts";
import type { CutResult, CutSale } from "../../ports/queue-ledger.ts";
import type { AtEpoch, CacheAnswer } from "../../ports/stock-cache.ts";
import { allKeys, loadedKey, saleKeys, scopeKeys } from "./epoch-keys.ts";
import { scriptDigest, scriptNames, scriptText } from "./epoch-scripts.ts";
import type { RedisConnection, RedisReply } from "./redis-connection.ts";

/** Values in one command. */
const valuesMax = 1_000;
/** Commands on their way at once. */
const commandsMax = 100;

type Sized = { readonly key: string; readonly size: number };

export async function loadEpoch(connection: RedisConnection, { scope, sales, units }: CutResult): Promise<CacheAnswer<void>> {
  const at: AtEpoch = { scopeId: scope.id, epoch: scope.epoch };
  const own = scopeKeys(at);
  const sizes: Sized[] = [{ key: own.units, size: units.length }];
  const commands: string[][] = [
    ["HSET", loadedKey(scope.id), String(scope.epoch), JSON.stringify(sales.map(({ sale }) => sale.id))],
    ["UNLINK", ...allKeys(at, sales.map(({ sale }) => sale.id))],
    ...inChunks(["HSET", own.units], pairsOf(units)),
  ]; // prettier-ignore
  for (const cut of sales) addSale(at, cut, { commands, sizes });
  for (const name of scriptNames) commands.push(["SCRIPT", "LOAD", scriptText(name, at)]);
  for (let next = 0; next < commands.length; next += commandsMax) {
    const failed = firstFailure(await connection.askAll(commands.slice(next, next + commandsMax)));
    if (failed !== undefined) return failed;
  }
  const keys = [own.scope, ...sizes.map(({ key }) => key)];
  const counts = [String(scope.feed), ...sizes.map(({ size }) => String(size))];
  const opened = await connection.ask(["EVALSHA", scriptDigest("open", at), String(keys.length), ...keys, ...counts]);
  if (opened.kind !== "ok") return firstFailure([opened]) ?? { kind: "failed", message: "The epoch was not opened" };
  return opened.value === 1 ? { kind: "ok", value: undefined } : { kind: "failed", message: "The cache lost some of what was loaded" };
}

function addSale(at: AtEpoch, { sale, quotas, attempts, keys }: CutSale, to: { commands: string[][]; sizes: Sized[] }): void {
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
  const named = Object.entries(fields);
  const names = keys.map(([buyerId, key, purchaseId, fingerprint]) => [
    `${buyerId} ${JSON.stringify(key)}`,
    `${purchaseId} ${fingerprint}`,
  ]);
  const accepted = attempts.map(([buyerId]) => `${buyerId}`);
  to.commands.push(
    ["HSET", own.sale, ...named.flatMap(([name, value]) => [name, String(value)])],
    ...inChunks(["HSET", own.attempts], pairsOf(attempts)),
    ...inChunks(["HSET", own.quotas], pairsOf(quotas)),
    ...inChunks(["HSET", own.keys], names.flat()),
    ...inChunks(["RPUSH", own.accepted], accepted),
  );
  to.sizes.push(
    { key: own.sale, size: named.length },
    { key: own.attempts, size: attempts.length },
    { key: own.quotas, size: quotas.length },
    { key: own.keys, size: names.length },
    { key: own.accepted, size: accepted.length },
  );
}

const pairsOf = (counts: readonly (readonly [BuyerId, number])[]): string[] =>
  counts.flatMap(([buyerId, count]) => [`${buyerId}`, `${count}`]);

function inChunks(command: readonly string[], values: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < values.length; at += valuesMax) chunks.push([...command, ...values.slice(at, at + valuesMax)]);
  return chunks;
}

/** Removes what is left of epochs before this one. What a stalled opener writes later goes the next time. */
export async function dropEpochs(connection: RedisConnection, { scopeId, epoch }: AtEpoch): Promise<CacheAnswer<void>> {
  const found = await connection.ask(["HGETALL", loadedKey(scopeId)]);
  if (found.kind !== "ok") return firstFailure([found]) ?? { kind: "ok", value: undefined };
  // Without a type mapping the server's list comes as it is.
  const fields = Array.isArray(found.value) ? found.value.map(String) : [];
  const commands: string[][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const old = Number(fields[at]);
    if (old >= epoch) continue;
    // It was written by the load above.
    const saleIds = JSON.parse(fields[at + 1] ?? "[]") as SaleId[];
    commands.push(["UNLINK", ...allKeys({ scopeId, epoch: old }, saleIds)], ["HDEL", loadedKey(scopeId), String(old)]);
  }
  return firstFailure(await connection.askAll(commands)) ?? { kind: "ok", value: undefined };
}

function firstFailure(replies: readonly RedisReply[]): Exclude<CacheAnswer<void>, { kind: "ok" }> | undefined {
  for (const reply of replies) {
    if (reply.kind === "ok") continue;
    if (reply.kind === "no_script") return { kind: "closed" };
    // Nothing of an epoch that is being loaded can be lost yet.
    return reply.kind === "demoted" ? { kind: "failed", message: reply.message } : reply;
  }
  return undefined;
}
