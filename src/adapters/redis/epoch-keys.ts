/** The keys of an epoch. Whoever has the prefix has them all, so the scripts name only those that they use. */
import type { SaleId } from "../../domain/ids.ts";
import type { AtEpoch } from "../../ports/stock-cache.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { prefixOf } from "./epoch-scripts.ts";

/** What all sales of the scope share. `scope` is the epoch's sign, and set last; `scripts` has the digests of who opened it. */
export function scopeKeys(at: AtEpoch) {
  const prefix = prefixOf(at);
  return {
    scope: `${prefix}scope`,
    units: `${prefix}units`,
    records: `${prefix}records`,
    outbox: `${prefix}outbox`,
    scripts: `${prefix}scripts`,
  };
}

export function saleKeys(at: AtEpoch, saleId: SaleId) {
  const prefix = `${prefixOf(at)}${saleId}:`;
  return {
    sale: `${prefix}sale`,
    attempts: `${prefix}attempts`,
    quotas: `${prefix}quotas`,
    keys: `${prefix}keys`,
    accepted: `${prefix}accepted`,
  };
}

export function allKeys(at: AtEpoch, saleIds: readonly SaleId[]): string[] {
  return [...Object.values(scopeKeys(at)), ...saleIds.flatMap((saleId) => Object.values(saleKeys(at, saleId)))];
}

/** Epochs that were begun to be loaded, with their sales: what of them is left to be removed. */
export const loadedKey = (scopeId: ScopeId): string => `{db:${scopeId}}:loaded`;
/** Scopes that have such a list, with the epoch that was begun last. In the slot of no scope: they have numbers from 1. */
export const scopesKey = "{db:0}:scopes";
