/** Writes of accounts and their sessions, each in a transaction of the writer, which several may share. All of them may be repeated. */
import type { Account } from "../../domain/account.ts";
import type { AccountId, SessionId } from "../../domain/ids.ts";
import { rotate, sessionsPerAccountMax, type Rotate, type Rotation, type Session } from "../../domain/session.ts";
import { assert } from "../../lib/assert.ts";
import type { EndSessions } from "../../ports/accounts.ts";
import { accountChanging, accountValues, sessionColumns, sessionOf, type SessionRow } from "./account-rows.ts";
import { ListStatement } from "./chunks.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

const insertAccount = `INSERT INTO account (id, username, username_key, buyer_id, created_at, ${accountChanging.join(", ")})
  VALUES (${Array(5 + accountChanging.length)
    .fill("?")
    .join(", ")})`;
const nameTaken = `SELECT CAST(account.id AS TEXT) AS id FROM account WHERE username_key = ?`;
const updateAccount = `UPDATE account SET ${accountChanging.map((name) => `${name} = ?`).join(", ")} WHERE id = # AND version = ?`;
const deleteAccount = `DELETE FROM account WHERE id = #`;

const insertSession = `INSERT INTO session (id, account_id, token_digest, rotated_at, created_at, idle_until, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;
const sessionById = `SELECT ${sessionColumns} FROM session WHERE id = # {lock}`;
const openSessions = `SELECT CAST(session.id AS TEXT) AS id FROM session WHERE account_id = # AND ended_at IS NULL AND session.id <> # ORDER BY session.id DESC {lock}`;
const endOne = `UPDATE session SET ended_at = ? WHERE id = # AND account_id = # AND ended_at IS NULL`;
const endMany = new ListStatement(`UPDATE session SET ended_at = ? WHERE ended_at IS NULL AND id IN :list`);
/** Hands out a successor: whoever comes second meets another digest. */
const rotateSession = `UPDATE session SET previous_digest = ?, token_digest = ?, rotated_at = ?, idle_until = ?
  WHERE id = # AND token_digest = ? AND ended_at IS NULL`;
const overBefore = ["ended_at", "idle_until", "ends_at"].map(
  (column) => `SELECT CAST(session.id AS TEXT) AS id FROM session WHERE ${column} < ? ORDER BY ${column} LIMIT ?`,
);
const forget = new ListStatement(`DELETE FROM session WHERE id IN :list`);

/** No session has this id. */
const noSession = "0";

export async function addAccount(tx: SqlTransaction, account: Account): Promise<"added" | "taken"> {
  const [holder] = await tx.query<{ id: AccountId }>(nameTaken, [account.usernameKey]);
  if (holder !== undefined) return holder.id === account.id ? "added" : "taken";
  const { id, username, usernameKey, buyerId, createdAtMs } = account;
  await tx.execute(insertAccount, [id, username, usernameKey, buyerId, createdAtMs, ...accountValues(account)]);
  return "added";
}

export async function replaceAccount(
  tx: SqlTransaction,
  { account, end }: { readonly account: Account; readonly end?: EndSessions | undefined },
): Promise<readonly SessionId[] | "stale"> {
  const met = await tx.execute(updateAccount, [...accountValues(account), account.id, account.version - 1]);
  if (met === 0) return "stale";
  return end === undefined ? [] : endSessions(tx, { accountId: account.id, ...end });
}

export async function removeAccount(tx: SqlTransaction, { id, nowMs }: { id: AccountId; nowMs: number }): Promise<readonly SessionId[]> {
  const ended = await endSessions(tx, { accountId: id, nowMs });
  await tx.execute(deleteAccount, [id]);
  return ended;
}

export async function beginSession(tx: SqlTransaction, session: Session): Promise<readonly SessionId[]> {
  const { id, accountId, tokenDigest, rotatedAtMs, createdAtMs, idleUntilMs, endsAtMs } = session;
  const [known] = await tx.query<SessionRow>(sessionById, [id]);
  if (known === undefined) await tx.execute(insertSession, [id, accountId, tokenDigest, rotatedAtMs, createdAtMs, idleUntilMs, endsAtMs]);
  const open = await tx.query<{ id: SessionId }>(openSessions, [accountId, noSession]);
  const tooMany = open.slice(sessionsPerAccountMax).map((old) => old.id);
  await endMany.execute(tx, [createdAtMs], tooMany);
  return tooMany;
}

export type EndAsk = { readonly accountId: AccountId; readonly only?: SessionId | undefined; readonly nowMs: number };

export async function endSessions(tx: SqlTransaction, ask: EndAsk & Partial<EndSessions>): Promise<readonly SessionId[]> {
  const { accountId, only, except } = ask;
  const nowMs = Math.floor(ask.nowMs);
  if (only === undefined) {
    const open = (await tx.query<{ id: SessionId }>(openSessions, [accountId, except ?? noSession])).map(({ id }) => id);
    await endMany.execute(tx, [nowMs], open);
    return open;
  }
  return (await tx.execute(endOne, [nowMs, only, accountId])) === 0 ? [] : [only];
}

export async function rotateInTurn(tx: SqlTransaction, ask: Rotate): Promise<Rotation> {
  const { id, digest } = ask;
  const nowMs = Math.floor(ask.nowMs);
  const [found] = await tx.query<SessionRow>(sessionById, [id]);
  if (found === undefined) return { kind: "ended" };
  const answer = rotate(sessionOf(found), { ...ask, nowMs });
  if (answer.kind === "rotated") {
    const { previousDigest, tokenDigest, rotatedAtMs, idleUntilMs } = answer.session;
    const met = await tx.execute(rotateSession, [previousDigest ?? null, tokenDigest, rotatedAtMs, idleUntilMs, id, digest]);
    assert(met === 1, "a session rotates from the token it was read with");
  }
  if (answer.kind === "reused") await tx.execute(endOne, [nowMs, id, answer.session.accountId]);
  return answer;
}

export async function purgeSessions(
  tx: SqlTransaction,
  { overBeforeMs, countMax }: { overBeforeMs: number; countMax: number },
): Promise<number> {
  const over = new Set<string>();
  for (const sql of overBefore) for (const { id } of await tx.query<{ id: string }>(sql, [overBeforeMs, countMax])) over.add(id);
  return forget.execute(tx, [], [...over].slice(0, countMax));
}

/** By the names that sqlite-accounts.ts sends, each with its payload. */
export const accountWrites = {
  addAccount,
  replaceAccount,
  removeAccount,
  beginSession,
  endSessions,
  rotateSession: rotateInTurn,
  purgeSessions,
};
