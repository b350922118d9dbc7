/** Reading accounts, sessions, shops and keys over one SQLite connection. */
import type { MerchantId } from "../../domain/access.ts";
import type { AccountId, BuyerId, KeyId, SessionId } from "../../domain/ids.ts";
import type { AccessChange, AccessChanges, AccessSince } from "../../ports/access-changes.ts";
import type { AccountQuery, Accounts } from "../../ports/accounts.ts";
import type { KeyRecords } from "../../ports/key-records.ts";
import type { Merchants } from "../../ports/merchants.ts";
import type { Page } from "../../ports/records.ts";
import type { Sessions } from "../../ports/sessions.ts";
import { accountColumns, accountOf, keyColumns, keyOf, merchantColumns, merchantOf, sessionColumns, sessionOf } from "./account-rows.ts";
import type { AccountRow, KeyRow, MerchantRow, SessionRow } from "./account-rows.ts";
import { listAccounts } from "./listings.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/** What is read of the account store: the ports' own names, without promises. */
type Read = Pick<Accounts, "account" | "accountByName" | "accounts" | "hasAdmin"> &
  Pick<Sessions, "sessionsOf"> &
  Pick<Merchants, "merchants"> &
  Pick<KeyRecords, "key" | "keys"> &
  AccessChanges;
export type AccountReaders = { readonly [Name in keyof Read]: (...args: Parameters<Read[Name]>) => Awaited<ReturnType<Read[Name]>> };

const accountById = `SELECT ${accountColumns} FROM account WHERE id = ?`;
const accountByName = `SELECT ${accountColumns} FROM account WHERE username_key = ?`;
const anyAdmin = `SELECT 1 AS one FROM account WHERE role = 'admin' LIMIT 1`;
const sessionsOf = `SELECT ${sessionColumns} FROM session
  WHERE account_id = ? AND ended_at IS NULL AND idle_until > ? AND ends_at > ? ORDER BY session.id DESC`;
const merchants = `SELECT ${merchantColumns} FROM merchant ORDER BY created_at, id`;
const keyById = `SELECT ${keyColumns} FROM server_key WHERE id = ?`;
const keysOf = `SELECT ${keyColumns} FROM server_key WHERE merchant = ? ORDER BY server_key.id DESC`;
const allKeys = `SELECT ${keyColumns} FROM server_key ORDER BY server_key.id DESC`;
const endedSince = `SELECT CAST(id AS TEXT) AS id, ended_at FROM session WHERE ended_at >= ? ORDER BY ended_at`;
const bansSince = `SELECT buyer_id, banned_at IS NOT NULL AS banned, ban_changed_at FROM account
  WHERE ban_changed_at > 0 AND ban_changed_at >= ? ORDER BY ban_changed_at`;
const keysSince = `SELECT ${keyColumns} FROM server_key WHERE changed_at >= ?`;

export function accountReaders(db: Pick<SqliteConnection, "query">): AccountReaders {
  const account = (sql: string, by: string) => {
    const [row] = db.query<AccountRow>(sql, [by]);
    return row && accountOf(row);
  };
  return {
    account: (id: AccountId) => account(accountById, id),
    accountByName: (usernameKey: string) => account(accountByName, usernameKey),
    accounts(query: AccountQuery, page: Page) {
      const { items, total } = listAccounts(query, page);
      return {
        items: db.query<AccountRow>(items.sql, items.params).map(accountOf),
        total: db.query<{ total: number }>(total.sql, total.params)[0]?.total ?? 0,
      };
    },
    hasAdmin: () => db.query(anyAdmin, []).length > 0,
    sessionsOf: (accountId: AccountId, nowMs: number) => db.query<SessionRow>(sessionsOf, [accountId, nowMs, nowMs]).map(sessionOf),
    merchants: () => db.query<MerchantRow>(merchants, []).map(merchantOf),
    key(id: KeyId) {
      const [row] = db.query<KeyRow>(keyById, [id]);
      return row && keyOf(row);
    },
    keys: (merchant: MerchantId | undefined) =>
      (merchant == null ? db.query<KeyRow>(allKeys, []) : db.query<KeyRow>(keysOf, [merchant])).map(keyOf),
    accessChanges: (since: AccessSince) => readChanges(db, since),
  };
}

function readChanges(db: Pick<SqliteConnection, "query">, { sessionsMs, bansMs, keysMs }: AccessSince): AccessChange {
  type Ended = { readonly id: SessionId; readonly ended_at: number };
  type Ban = { readonly buyer_id: BuyerId; readonly banned: number; readonly ban_changed_at: number };
  return {
    sessions: db.query<Ended>(endedSince, [sessionsMs]).map(({ id, ended_at: atMs }) => ({ id, atMs })),
    bans: db.query<Ban>(bansSince, [bansMs]).map((row) => ({ buyerId: row.buyer_id, banned: row.banned === 1, atMs: row.ban_changed_at })),
    keys: db.query<KeyRow>(keysSince, [keysMs]).map(keyOf),
  };
}
