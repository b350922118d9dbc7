/**
 * Accounts, sessions, shops and keys over plain maps: what the SQL store must agree with. Each method runs in one turn,
 * so it is its own transaction.
 */
import type { MerchantId } from "../../domain/access.ts";
import type { Account } from "../../domain/account.ts";
import type { AccountId, KeyId, SessionId } from "../../domain/ids.ts";
import { merchantsMax, type Merchant } from "../../domain/merchant.ts";
import { keyCounts, keysPerMerchantMax, type KeyRecord } from "../../domain/server-key.ts";
import { isOver, rotate, sessionsPerAccountMax, type Rotate, type Rotation, type Session } from "../../domain/session.ts";
import type { AccessSince } from "../../ports/access-changes.ts";
import type { AccountStore } from "../../ports/account-store.ts";
import type { AccountQuery, EndSessions } from "../../ports/accounts.ts";
import type { KeyRecords } from "../../ports/key-records.ts";
import type { Page } from "../../ports/records.ts";
import type { Tables } from "./tables.ts";

type EndAsk = Partial<EndSessions> & { readonly accountId: AccountId; readonly only?: SessionId | undefined; readonly nowMs: number };

type Adoptable = Pick<Tables, "products" | "sales">;

export class MemoryAccounts implements AccountStore {
  readonly #accounts = new Map<AccountId, Account>();
  readonly #sessions = new Map<SessionId, Session>();
  readonly #merchants = new Map<MerchantId, Merchant>();
  readonly #keys = new Map<KeyId, KeyRecord>();
  readonly #store: Adoptable;

  /** Whose products and sales the first shop takes over. */
  constructor(store: Adoptable = { products: new Map(), sales: new Map() }) {
    this.#store = store;
  }

  /** The rows, for audits. Not to be changed. */
  get tables() {
    return { accounts: this.#accounts, sessions: this.#sessions, merchants: this.#merchants, keys: this.#keys } as const;
  }

  addAccount = async (account: Account) => {
    const holder = this.#named(account.usernameKey);
    if (holder !== undefined) return holder.id === account.id ? "added" : "taken";
    this.#accounts.set(account.id, account);
    return "added";
  };

  replaceAccount = async (account: Account, end?: EndSessions) => {
    if (this.#accounts.get(account.id)?.version !== account.version - 1) return "stale";
    this.#accounts.set(account.id, account);
    return end === undefined ? [] : this.#end({ accountId: account.id, ...end });
  };

  removeAccount = async (id: AccountId, nowMs: number) => {
    this.#accounts.delete(id);
    return this.#end({ accountId: id, nowMs });
  };

  account = async (id: AccountId) => this.#accounts.get(id);
  accountByName = async (usernameKey: string) => this.#named(usernameKey);
  accounts = async ({ role, banned, usernameKey }: AccountQuery, { offset, limit }: Page) => {
    const matches = (account: Account) =>
      (role === undefined || account.role === role) &&
      (banned === undefined || (account.ban !== undefined) === banned) &&
      (usernameKey === undefined || account.usernameKey === usernameKey);
    const items = [...this.#accounts.values()].filter(matches).toSorted(newestFirst);
    return { items: items.slice(offset, offset + limit), total: items.length };
  };
  hasAdmin = async () => [...this.#accounts.values()].some(({ role }) => role === "admin");

  beginSession = async (session: Session) => {
    this.#sessions.set(session.id, session);
    const open = this.#open(session.accountId).toSorted(newestFirst);
    return open.slice(sessionsPerAccountMax).map(({ id }) => this.#endOne(id, session.createdAtMs));
  };

  rotateSession = async ({ id, ...ask }: Rotate): Promise<Rotation> => {
    const session = this.#sessions.get(id);
    if (session === undefined) return { kind: "ended" };
    const answer = rotate(session, { ...ask, nowMs: Math.floor(ask.nowMs) });
    if (answer.kind === "rotated" || answer.kind === "reused") this.#sessions.set(id, answer.session);
    return answer;
  };

  endSessions = async (ask: EndAsk) => this.#end(ask);
  sessionsOf = async (accountId: AccountId, nowMs: number) =>
    this.#open(accountId)
      .filter((session) => !isOver(session, nowMs))
      .toSorted(newestFirst);
  purgeSessions = async (overBeforeMs: number, countMax: number) => {
    const isOld = ({ endedAtMs, idleUntilMs, endsAtMs }: Session) => Math.min(endedAtMs ?? endsAtMs, idleUntilMs, endsAtMs) < overBeforeMs;
    const old = [...this.#sessions.values()].filter(isOld).slice(0, countMax);
    for (const { id } of old) this.#sessions.delete(id);
    return old.length;
  };

  addMerchant = async (merchant: Merchant) => {
    if (this.#merchants.has(merchant.id)) return "exists";
    if (this.#merchants.size >= merchantsMax) return "too_many";
    this.#merchants.set(merchant.id, merchant);
    return "added";
  };
  renameMerchant = async (id: MerchantId, name: string) => {
    const merchant = this.#merchants.get(id);
    if (merchant === undefined) return undefined;
    this.#merchants.set(id, { ...merchant, name });
    return this.#merchants.get(id);
  };
  merchants = async () => [...this.#merchants.values()].toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  ensureMerchant = async (merchant: Merchant) => {
    const isFirst = this.#merchants.size === 0;
    if (!this.#merchants.has(merchant.id)) this.#merchants.set(merchant.id, merchant);
    if (!isFirst) return 0;
    const { products, sales } = this.#store;
    for (const sale of sales.values()) if (sale.seller !== merchant.id) sales.set(sale.id, { ...sale, seller: merchant.id });
    const foreign = [...products.values()].filter(({ seller }) => seller !== merchant.id);
    for (const product of foreign) products.set(product.id, { ...product, seller: merchant.id });
    return foreign.length;
  };

  addKey = async (record: KeyRecord) => {
    if (this.#keys.has(record.id)) return "added";
    if (!this.#merchants.has(record.merchant)) return "merchant_unknown";
    const counting = [...this.#keys.values()].filter((key) => key.merchant === record.merchant && keyCounts(key, record.createdAtMs));
    if (counting.length >= keysPerMerchantMax) return "too_many";
    this.#keys.set(record.id, record);
    return "added";
  };
  rotateKey = async ({ old, oldExpiresAtMs, record }: Parameters<KeyRecords["rotateKey"]>[0]) => {
    if (this.#keys.has(record.id)) return "rotated";
    const before = this.#keys.get(old);
    const changedAtMs = record.createdAtMs;
    if (before === undefined || !keyCounts(before, changedAtMs)) return "gone";
    this.#keys.set(old, { ...before, expiresAtMs: Math.min(before.expiresAtMs ?? oldExpiresAtMs, oldExpiresAtMs), changedAtMs });
    this.#keys.set(record.id, record);
    return "rotated";
  };
  revokeKey = async (id: KeyId, nowMs: number) => {
    const record = this.#keys.get(id);
    if (record === undefined || record.revokedAtMs !== undefined) return record;
    this.#keys.set(id, { ...record, revokedAtMs: nowMs, changedAtMs: nowMs });
    return this.#keys.get(id);
  };
  key = async (id: KeyId) => this.#keys.get(id);
  keys = async (merchant: MerchantId | undefined) =>
    [...this.#keys.values()].filter((key) => merchant === undefined || key.merchant === merchant).toSorted(newestFirst);
  touchKeys = async (days: Parameters<KeyRecords["touchKeys"]>[0]) => {
    for (const { id, day } of days) {
      const record = this.#keys.get(id);
      if (record !== undefined && (record.lastUsedDay ?? 0) < day) this.#keys.set(id, { ...record, lastUsedDay: day });
    }
  };

  accessChanges = async ({ sessionsMs, bansMs, keysMs }: AccessSince) => ({
    sessions: [...this.#sessions.values()]
      .filter(({ endedAtMs }) => endedAtMs !== undefined && endedAtMs >= sessionsMs)
      .map(({ id, endedAtMs = 0 }) => ({ id, atMs: endedAtMs })),
    bans: [...this.#accounts.values()]
      .filter(({ banChangedAtMs }) => banChangedAtMs > 0 && banChangedAtMs >= bansMs)
      .map(({ buyerId, ban, banChangedAtMs: atMs }) => ({ buyerId, banned: ban !== undefined, atMs })),
    keys: [...this.#keys.values()].filter(({ changedAtMs }) => changedAtMs >= keysMs),
  });

  #named(usernameKey: string): Account | undefined {
    return [...this.#accounts.values()].find((account) => account.usernameKey === usernameKey);
  }

  #open(accountId: AccountId): Session[] {
    return [...this.#sessions.values()].filter((session) => session.accountId === accountId && session.endedAtMs === undefined);
  }

  #end({ accountId, only, except, nowMs }: EndAsk): readonly SessionId[] {
    const toEnd = this.#open(accountId).filter(({ id }) => (only === undefined ? id !== except : id === only));
    return toEnd.map(({ id }) => this.#endOne(id, Math.floor(nowMs)));
  }

  #endOne(id: SessionId, endedAtMs: number): SessionId {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#sessions.set(id, { ...session, endedAtMs });
    return id;
  }
}

/** Ids are time-ordered decimal text. */
function newestFirst(a: { readonly id: string }, b: { readonly id: string }): number {
  if (a.id.length !== b.id.length) return b.id.length - a.id.length;
  return a.id < b.id ? 1 : -1;
}
