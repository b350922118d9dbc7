/** Writes of shops and server keys, each in a transaction of the writer, which several may share. All of them may be repeated. */
import type { MerchantId } from "../../domain/access.ts";
import type { KeyId } from "../../domain/ids.ts";
import { merchantsMax, type Merchant } from "../../domain/merchant.ts";
import { keysPerMerchantMax, type KeyRecord } from "../../domain/server-key.ts";
import type { KeyRecords } from "../../ports/key-records.ts";
import type { Merchants } from "../../ports/merchants.ts";
import { keyColumns, keyOf, merchantColumns, merchantOf, type KeyRow, type MerchantRow } from "./account-rows.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

const merchantById = `SELECT ${merchantColumns} FROM merchant WHERE id = ?`;
const countMerchants = `SELECT count(*) AS count FROM merchant`;
const insertMerchant = `INSERT INTO merchant (id, name, created_at) VALUES (?, ?, ?)`;
const renameMerchantById = `UPDATE merchant SET name = ? WHERE id = ?`;
const adoptProducts = `UPDATE product SET seller = ? WHERE seller <> ?`;
const adoptSales = `UPDATE sale SET seller = ? WHERE seller <> ?`;

const keyById = `SELECT ${keyColumns} FROM server_key WHERE id = #`;
const countKeys = `SELECT count(*) AS count FROM server_key WHERE merchant = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`;
const insertKey = `INSERT INTO server_key (id, merchant, name, scopes, digest, prefix, created_at, expires_at, changed_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const endOldKey = `UPDATE server_key SET expires_at = CASE WHEN expires_at < ? THEN expires_at ELSE ? END, changed_at = ?
  WHERE id = # AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`;
const revoke = `UPDATE server_key SET revoked_at = ?, changed_at = ? WHERE id = # AND revoked_at IS NULL`;
const touch = `UPDATE server_key SET last_used_day = ? WHERE id = # AND coalesce(last_used_day, 0) < ?`;

type Count = { readonly count: number };

export async function addMerchant(tx: SqlTransaction, merchant: Merchant): ReturnType<Merchants["addMerchant"]> {
  const [known] = await tx.query<MerchantRow>(merchantById, [merchant.id]);
  if (known !== undefined) return "exists";
  const [total] = await tx.query<Count>(countMerchants, []);
  if ((total?.count ?? 0) >= merchantsMax) return "too_many";
  await tx.execute(insertMerchant, [merchant.id, merchant.name, merchant.createdAtMs]);
  return "added";
}

export async function renameMerchant(tx: SqlTransaction, ask: { id: MerchantId; name: string }): ReturnType<Merchants["renameMerchant"]> {
  await tx.execute(renameMerchantById, [ask.name, ask.id]);
  const [row] = await tx.query<MerchantRow>(merchantById, [ask.id]);
  return row && merchantOf(row);
}

export async function ensureMerchant(tx: SqlTransaction, merchant: Merchant): Promise<number> {
  const [total] = await tx.query<Count>(countMerchants, []);
  const [known] = await tx.query<MerchantRow>(merchantById, [merchant.id]);
  if (known === undefined) await tx.execute(insertMerchant, [merchant.id, merchant.name, merchant.createdAtMs]);
  if (total?.count !== 0) return 0;
  await tx.execute(adoptSales, [merchant.id, merchant.id]);
  return tx.execute(adoptProducts, [merchant.id, merchant.id]);
}

export async function addKey(tx: SqlTransaction, record: KeyRecord): ReturnType<KeyRecords["addKey"]> {
  const [known] = await tx.query<KeyRow>(keyById, [record.id]);
  if (known !== undefined) return "added";
  const [merchant] = await tx.query<MerchantRow>(merchantById, [record.merchant]);
  if (merchant === undefined) return "merchant_unknown";
  const [total] = await tx.query<Count>(countKeys, [record.merchant, record.createdAtMs]);
  if ((total?.count ?? 0) >= keysPerMerchantMax) return "too_many";
  await insert(tx, record);
  return "added";
}

async function insert(tx: SqlTransaction, record: KeyRecord): Promise<void> {
  const { id, merchant, name, scopes, digest, prefix, createdAtMs, expiresAtMs, changedAtMs } = record;
  await tx.execute(insertKey, [id, merchant, name, scopes.join(" "), digest, prefix, createdAtMs, expiresAtMs ?? null, changedAtMs]);
}

export async function rotateKey(tx: SqlTransaction, ask: Parameters<KeyRecords["rotateKey"]>[0]): ReturnType<KeyRecords["rotateKey"]> {
  const { old, oldExpiresAtMs, record } = ask;
  const [known] = await tx.query<KeyRow>(keyById, [record.id]);
  if (known !== undefined) return "rotated";
  if ((await tx.execute(endOldKey, [oldExpiresAtMs, oldExpiresAtMs, record.createdAtMs, old, record.createdAtMs])) === 0) return "gone";
  await insert(tx, record);
  return "rotated";
}

export async function revokeKey(tx: SqlTransaction, { id, nowMs }: { id: KeyId; nowMs: number }): ReturnType<KeyRecords["revokeKey"]> {
  await tx.execute(revoke, [nowMs, nowMs, id]);
  const [row] = await tx.query<KeyRow>(keyById, [id]);
  return row && keyOf(row);
}

export async function touchKeys(tx: SqlTransaction, days: Parameters<KeyRecords["touchKeys"]>[0]): Promise<void> {
  for (const { id, day } of days) await tx.execute(touch, [day, id, day]);
}

/** By the names that sqlite-accounts.ts sends, each with its payload. */
export const shopWrites = { addMerchant, renameMerchant, ensureMerchant, addKey, rotateKey, revokeKey, touchKeys };
