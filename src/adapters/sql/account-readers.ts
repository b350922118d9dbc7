/** Reading accounts, sessions, shops and keys. */
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
import type { SqlReads } from "./sql-transaction.ts";

/** What is read of the account store, by the ports' own names. */
type Read = Pick<Accounts, "account" | "accountByName" | "accounts" | "hasAdmin"> &
  Pick<Sessions, "sessionsOf"> &
  Pick<Merchants, "merchants"> &
  Pick<KeyRecords, "key" | "keys"> &
  AccessChanges;
export type AccountReaders = Read;

const accountById = `SELECT ${accountColumns} FROM account WHERE id = #`;
const accountByName = `SELECT ${accountColumns} FROM account WHERE username_key = ?`;
const anyAdmin = `SELECT 1 AS one FROM account WHERE role = 'admin' LIMIT 1`;
const sessionsOf = `SELECT ${sessionColumns} FROM session
  WHERE account_id = # AND ended_at IS NULL AND idle_until > ? AND ends_at > ? ORDER BY session.id DESC`;
const merchants = `SELECT ${merchantColumns} FROM merchant ORDER BY created_at, id`;
const keyById = `SELECT ${keyColumns} FROM server_key WHERE id = #`;
const keysOf = `SELECT ${keyColumns} FROM server_key WHERE merchant = ? ORDER BY server_key.id DESC`;
const allKeys = `SELECT ${keyColumns} FROM server_key ORDER BY server_key.id DESC`;
const endedSince = `SELECT CAST(session.id AS TEXT) AS id, ended_at FROM session WHERE ended_at >= ? ORDER BY ended_at`;
const bansSince = `SELECT buyer_id, CASE WHEN banned_at IS NULL THEN 0 ELSE 1 END AS banned, ban_changed_at FROM account
  WHERE ban_changed_at > 0 AND ban_changed_at >= ? ORDER BY ban_changed_at`;
const keysSince = `SELECT ${keyColumns} FROM server_key WHERE changed_at >= ?`;

export function accountReaders(db: SqlReads): AccountReaders {
  const account = async (sql: string, by: string) => {
    const [row] = await db.query<AccountRow>(sql, [by]);
    return row && accountOf(row);
  };
  return {
    account: (id: AccountId) => account(accountById, id),
    accountByName: (usernameKey: string) => account(accountByName, usernameKey),
    async accounts(query: AccountQuery, page: Page) {
      const { items, total } = listAccounts(query, page);
      const rows = await db.query<AccountRow>(items.sql, items.params);
      return { items: rows.map(accountOf), total: (await db.query<{ total: number }>(total.sql, total.params))[0]?.total ?? 0 };
    },
    hasAdmin: async () => (await db.query(anyAdmin, [])).length > 0,
    sessionsOf: async (accountId: AccountId, nowMs: number) =>
      (await db.query<SessionRow>(sessionsOf, [accountId, nowMs, nowMs])).map(sessionOf),
    merchants: async () => (await db.query<MerchantRow>(merchants, [])).map(merchantOf),
    async key(id: KeyId) {
      const [row] = await db.query<KeyRow>(keyById, [id]);
      return row && keyOf(row);
    },
    keys: async (merchant: MerchantId | undefined) =>
      (merchant == null ? await db.query<KeyRow>(allKeys, []) : await db.query<KeyRow>(keysOf, [merchant])).map(keyOf),
    accessChanges: (since: AccessSince) => readChanges(db, since),
  };
}

async function readChanges(db: SqlReads, { sessionsMs, bansMs, keysMs }: AccessSince): Promise<AccessChange> {
  type Ended = { readonly id: SessionId; readonly ended_at: number };
  type Ban = { readonly buyer_id: BuyerId; readonly banned: number; readonly ban_changed_at: number };
  const sessions = await db.query<Ended>(endedSince, [sessionsMs]);
  const bans = await db.query<Ban>(bansSince, [bansMs]);
  const keys = await db.query<KeyRow>(keysSince, [keysMs]);
  return {
    sessions: sessions.map(({ id, ended_at: atMs }) => ({ id, atMs })),
    bans: bans.map((row) => ({ buyerId: row.buyer_id, banned: row.banned === 1, atMs: row.ban_changed_at })),
    keys: keys.map(keyOf),
  };
}
