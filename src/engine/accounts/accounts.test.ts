import { describe, expect, test } from "bun:test";
import { inlinePasswords } from "../../adapters/auth/passwords.ts";
import { accessLifetimeMs, refreshGraceMs } from "../../domain/session.ts";
import type { SessionId } from "../../domain/ids.ts";
import { codeOf, goodPassword, openAccountWorld, quickCost } from "../../../tests/kit/account-world.ts";
import { must } from "../../../tests/kit/samples.ts";
import type { AccountDeps } from "./deps.ts";
import { ensureAdmin, resetPassword } from "./first-admin.ts";
import { AccessFollower } from "./follow-access.ts";
import type { Grant } from "./grant.ts";
import { changeDisplayName, changePassword, eraseAccount } from "./own-account.ts";
import { RevocationBoard } from "./revocation-board.ts";
import { confirm, enrol, recoveryCodesCount, removeSecondFactor, useCode } from "./second-factor.ts";
import { endByToken, endSessions, logIn, refresh, sessionsOf } from "./sign-in.ts";
import { SignInLimits } from "./sign-in-limits.ts";
import { signUp } from "./sign-up.ts";
import { ban, changeRole, createStaff, unban } from "./staff.ts";

const address = "203.0.113.5";
const admin = { accountId: undefined, mayManage: true };
const operator = { accountId: undefined, mayManage: false };

async function join(deps: AccountDeps, username: string) {
  const answer = await signUp(deps, { username, password: goodPassword, address: `join-${username}` });
  if (answer.kind !== "added") throw new Error(`no account for ${username}: ${answer.kind}`);
  return answer.account;
}

async function enter(deps: AccountDeps, username: string, code?: string): Promise<Grant> {
  const answer = await logIn(deps, { username, password: goodPassword, address: `enter-${username}`, code });
  if (answer.kind !== "in") throw new Error(`${username} is not let in: ${answer.kind}`);
  return answer.grant;
}

async function goOn(deps: AccountDeps, token: string): Promise<Grant> {
  const answer = await refresh(deps, token);
  if (answer.kind !== "in") throw new Error(`the session does not go on: ${answer.kind}`);
  return answer.grant;
}

/** Whether an access token is believed, as the doors ask. */
const isBelieved = ({ tokens, revocations, clock }: AccountDeps, { accessToken }: Grant): boolean => {
  const holder = tokens.check(accessToken, clock.nowMs());
  return holder !== undefined && !revocations.isRevoked(holder);
};

/** An account with a second factor, and its secret. */
async function withFactor(deps: AccountDeps, username: string) {
  const grant = await enter(deps, username);
  const enrolled = await enrol(deps, grant.account);
  if (enrolled.kind !== "enrolled") throw new Error(enrolled.kind);
  const code = codeOf(enrolled.secret, deps.clock.nowMs());
  const confirmed = await confirm(deps, { id: grant.account.id, session: grant.session, code, address });
  if (confirmed.kind !== "confirmed") throw new Error(confirmed.kind);
  return { secret: enrolled.secret, grant, recoveryCodes: confirmed.recoveryCodes, code };
}

describe("signing up and in", () => {
  test("[AC1] an account is a buyer of its own, and is logged in to by any spelling of its name", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "Ann");
    const grant = await enter(deps, "ＡＮＮ");
    expect(deps.tokens.check(grant.accessToken, deps.clock.nowMs())).toMatchObject({
      buyer: { issuer: "local", subject: account.id },
      buyerId: account.buyerId,
      account: { session: grant.session, role: "buyer", merchant: undefined },
    });
    expect(grant.expiresAtMs).toBe(deps.clock.nowMs() + accessLifetimeMs);
    expect((await signUp(deps, { username: "aNN", password: goodPassword, address })).kind).toBe("taken");
  });

  test("[AC2] a bad name, password or display name makes no account", async () => {
    const { deps, accounts } = openAccountWorld();
    const bad = [
      { username: "a", password: goodPassword },
      { username: "ann", password: "short" },
      { username: "ann", password: goodPassword, displayName: "\n" },
    ];
    for (const each of bad) expect((await signUp(deps, { ...each, address })).kind).toBe("invalid");
    expect(accounts.tables.accounts.size).toBe(0);
  });

  test("[AC3] a wrong password and a name that nobody has get the same answer after the same work", async () => {
    const { deps } = openAccountWorld();
    await join(deps, "ann");
    const verified: (string | undefined)[] = [];
    const counted = { ...deps.passwords, hash: deps.passwords.hash.bind(deps.passwords) };
    const passwords = {
      ...counted,
      verify: (hash: string | undefined, password: string) => (verified.push(hash), deps.passwords.verify(hash, password)),
    };
    for (const username of ["ann", "nobody", "x".repeat(10_000), ""])
      expect(await logIn({ ...deps, passwords }, { username, password: "wrong but long", address })).toEqual({ kind: "wrong" });
    expect(verified.map((hash) => hash !== undefined)).toEqual([true, false, false, false]);
  });

  test("[AC3] a hash made with less work is made anew at the next log-in, and the password stays", async () => {
    const { deps, accounts } = openAccountWorld();
    const account = await join(deps, "ann");
    const stronger = { ...deps, passwords: inlinePasswords({ ...quickCost, passes: 2 }) };
    await enter(stronger, "ann");
    expect(must(accounts.tables.accounts.get(account.id)).passwordHash).toContain("t=2");
    await enter(stronger, "ann");
  });

  test("[AC4] a busy hasher makes nothing and counts nothing", async () => {
    const { deps, accounts } = openAccountWorld();
    await join(deps, "ann");
    const busy = { ...deps, passwords: { hash: async () => ({ kind: "busy" }) as const, verify: async () => ({ kind: "busy" }) as const } };
    for (let i = 0; i < 8; i++)
      expect(await logIn(busy, { username: "ann", password: goodPassword, address: `b${i}` })).toEqual({ kind: "busy" });
    expect(await signUp(busy, { username: "bob", password: goodPassword, address })).toEqual({ kind: "busy" });
    expect(accounts.tables.accounts.size).toBe(1);
    await enter(deps, "ann");
  });

  test("[AC5] the sixth wrong password in a minute is not even compared, right or not; a minute later it is", async () => {
    const { deps, time } = openAccountWorld();
    await join(deps, "ann");
    const attempt = (password: string, i: number) => logIn(deps, { username: "ann", password, address: `a${i}` });
    for (let i = 0; i < 5; i++) expect(await attempt("wrong but long", i)).toEqual({ kind: "wrong" });
    expect(await attempt(goodPassword, 6)).toEqual({ kind: "limited", retryAfterMs: 60_000 });
    await time.advance(60_000);
    expect((await attempt(goodPassword, 6)).kind).toBe("in");
  });

  test("[AC5] guesses from one address run into its limit, whatever names they are for", async () => {
    const { deps } = openAccountWorld();
    const kinds = [];
    for (let i = 0; i < 25; i++) kinds.push((await logIn(deps, { username: `name${i}`, password: "wrong but long", address })).kind);
    expect(kinds.filter((kind) => kind === "wrong")).toHaveLength(20);
    expect(kinds.slice(20)).toEqual(Array(5).fill("limited"));
    expect((await signUp(deps, { username: "bob", password: goodPassword, address })).kind).toBe("limited");
  });
});

describe("sessions", () => {
  test("[AC6] 50 refreshes at once make one successor, and nobody is logged out", async () => {
    const { deps } = openAccountWorld();
    await join(deps, "ann");
    const { refreshToken } = await enter(deps, "ann");
    const grants = await Promise.all(Array.from({ length: 50 }, () => goOn(deps, refreshToken)));
    expect(new Set(grants.map((grant) => grant.refreshToken)).size).toBe(1);
    expect(grants.every((grant) => isBelieved(deps, grant))).toBe(true);
    await goOn(deps, must(grants[0]).refreshToken);
  });

  test("[AC7] an old token after the grace ends the session: its newest token and its access tokens count no more", async () => {
    const { deps, time } = openAccountWorld();
    await join(deps, "ann");
    const first = await enter(deps, "ann");
    const other = await enter(deps, "ann");
    const second = await goOn(deps, first.refreshToken);
    await time.advance(refreshGraceMs);
    expect(await refresh(deps, first.refreshToken)).toEqual({ kind: "reused", session: first.session });
    expect([first, second].map((grant) => isBelieved(deps, grant))).toEqual([false, false]);
    expect(await refresh(deps, second.refreshToken)).toEqual({ kind: "wrong" });
    // The log-in of another device goes on.
    expect(isBelieved(deps, other)).toBe(true);
    await goOn(deps, other.refreshToken);
  });

  test("[AC8] logging out ends this session or all, at once", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "ann");
    const grants = [await enter(deps, "ann"), await enter(deps, "ann"), await enter(deps, "ann")] as const;
    expect(await sessionsOf(deps, account.id)).toHaveLength(3);
    expect(await endSessions(deps, { accountId: account.id, only: grants[0].session })).toBe(1);
    expect(grants.map((grant) => isBelieved(deps, grant))).toEqual([false, true, true]);
    await endByToken(deps, grants[1].refreshToken);
    expect(grants.map((grant) => isBelieved(deps, grant))).toEqual([false, false, true]);
    await endByToken(deps, "dbr_1.invented");
    expect(await endSessions(deps, { accountId: account.id })).toBe(1);
    expect(grants.map((grant) => isBelieved(deps, grant))).toEqual([false, false, false]);
    for (const { refreshToken } of grants) expect((await refresh(deps, refreshToken)).kind).toBe("wrong");
  });

  test("[AC8] a new password ends all other sessions; the old one is asked for, and must differ from bad ones", async () => {
    const { deps, time } = openAccountWorld();
    const account = await join(deps, "ann");
    const [here, there] = [await enter(deps, "ann"), await enter(deps, "ann")];
    const ask = { accountId: account.id, session: here.session, address, password: goodPassword, newPassword: "seven lemons in a row" };
    expect(await changePassword(deps, { ...ask, newPassword: "password1234" })).toMatchObject({ kind: "invalid", field: "new_password" });
    expect(await changePassword(deps, { ...ask, password: "wrong but long" })).toEqual({ kind: "wrong" });
    expect(await changePassword(deps, ask)).toEqual({ kind: "changed" });
    expect([here, there].map((grant) => isBelieved(deps, grant))).toEqual([true, false]);
    expect((await logIn(deps, { username: "ann", password: goodPassword, address })).kind).toBe("wrong");
    await time.advance(60_000);
    expect((await logIn(deps, { username: "ann", password: ask.newPassword, address })).kind).toBe("in");
  });

  test("[AC18] erasing forgets the account; its number names nobody, its name is free", async () => {
    const { deps, accounts } = openAccountWorld();
    const account = await join(deps, "ann");
    const grant = await enter(deps, "ann");
    expect(await eraseAccount(deps, { accountId: account.id, password: "wrong but long", address })).toEqual({ kind: "wrong" });
    expect(await eraseAccount(deps, { accountId: account.id, password: goodPassword, address })).toEqual({ kind: "erased" });
    expect(isBelieved(deps, grant)).toBe(false);
    expect((await refresh(deps, grant.refreshToken)).kind).toBe("wrong");
    expect(JSON.stringify([...accounts.tables.accounts.values()])).not.toContain("ann");
    expect((await join(deps, "ann")).buyerId).not.toBe(account.buyerId);
  });
});

describe("staff", () => {
  test("[AC10] a role is given by others, to a shop that exists if it is a merchant's, and ends the account's sessions", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "ann");
    const before = await enter(deps, "ann");
    const give = (role: "merchant" | "auditor", merchant?: string, by = admin) =>
      changeRole(deps, { id: account.id, role, merchant, by: { ...by, accountId: undefined } });
    expect(await give("merchant")).toMatchObject({ kind: "invalid", field: "merchant" });
    expect(await give("merchant", "nowhere")).toMatchObject({ kind: "invalid", field: "merchant" });
    expect(await give("auditor", "shop")).toMatchObject({ kind: "invalid", field: "merchant" });
    await deps.accounts.ensureMerchant({ id: "shop", name: "Shop", createdAtMs: 0 });
    expect(await give("merchant", "shop")).toMatchObject({ kind: "changed", account: { role: "merchant", merchant: "shop" } });
    expect(isBelieved(deps, before)).toBe(false);
    const after = await enter(deps, "ann");
    const holder = must(deps.tokens.check(after.accessToken, deps.clock.nowMs()));
    expect(holder.account).toEqual({ session: after.session, role: "merchant", merchant: "shop" });
    const self = { accountId: account.id, mayManage: true };
    expect(await changeRole(deps, { id: account.id, role: "admin", merchant: undefined, by: self })).toEqual({ kind: "forbidden" });
    const staff = { username: "bea", password: goodPassword, role: "auditor", merchant: undefined } as const;
    expect(await createStaff(deps, staff)).toMatchObject({ kind: "added", account: { role: "auditor" } });
  });

  test("[AC11] an operator is a buyer until its second factor is confirmed, then an operator by the next refresh", async () => {
    const { deps, time } = openAccountWorld();
    await createStaff(deps, { username: "olga", password: goodPassword, role: "operator", merchant: undefined });
    const roleOf = ({ accessToken }: Grant) => deps.tokens.check(accessToken, deps.clock.nowMs())?.account?.role;
    const before = await enter(deps, "olga");
    expect([roleOf(before), before.secondFactorRequired]).toEqual(["buyer", true]);
    const { secret, grant } = await withFactor(deps, "olga");
    // Sessions from before it ended; the one it was confirmed in goes on.
    expect(isBelieved(deps, before)).toBe(false);
    const after = await goOn(deps, grant.refreshToken);
    expect([roleOf(after), after.secondFactorRequired]).toEqual(["operator", false]);
    await time.advance(60_000);
    expect(roleOf(await enter(deps, "olga", codeOf(secret, time.nowMs())))).toBe("operator");
  });

  test("[AC12] with a second factor the password alone is not enough, and one code lets in one of fifty", async () => {
    const { deps, time } = openAccountWorld();
    await join(deps, "ann");
    const { secret, code: used } = await withFactor(deps, "ann");
    const attempt = (code?: string, i = 0) => logIn(deps, { username: "ann", password: goodPassword, address: `a${i}`, code });
    expect(await attempt()).toEqual({ kind: "code_required" });
    expect(await logIn(deps, { username: "ann", password: "wrong but long", address })).toEqual({ kind: "wrong" });
    expect(await attempt(used)).toEqual({ kind: "wrong" });
    await time.advance(60_000);
    const roomy = { ...deps, limits: new SignInLimits({ perAccount: 100, perAddress: 100 }) };
    const code = codeOf(secret, time.nowMs());
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => logIn(roomy, { username: "ann", password: goodPassword, address, code })),
    );
    expect(answers.filter(({ kind }) => kind === "in")).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === "wrong")).toHaveLength(49);
  });

  test("[AC12] each recovery code counts once", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "ann");
    const { recoveryCodes } = await withFactor(deps, "ann");
    expect(recoveryCodes).toHaveLength(recoveryCodesCount);
    for (const [i, code] of recoveryCodes.entries()) {
      await enter(deps, "ann", code);
      expect(await useCode(deps, account, code)).toBeUndefined();
      expect(must(await deps.accounts.account(account.id)).secondFactor?.recovery).toHaveLength(recoveryCodesCount - 1 - i);
    }
  });

  test("[AC12] a second factor is enrolled once, confirmed by a right code, and its secret is not in the store", async () => {
    const { deps, accounts } = openAccountWorld();
    const account = await join(deps, "ann");
    const session = (await enter(deps, "ann")).session;
    expect(await confirm(deps, { id: account.id, address, session, code: "123456" })).toEqual({ kind: "not_enrolled" });
    const enrolled = await enrol(deps, account);
    if (enrolled.kind !== "enrolled") throw new Error(enrolled.kind);
    expect(enrolled.uri).toContain(enrolled.secret);
    expect(JSON.stringify([...accounts.tables.accounts.values()])).not.toContain(enrolled.secret);
    expect(await confirm(deps, { id: account.id, address, session, code: "000000" })).toEqual({ kind: "wrong" });
    // Not confirmed: nothing is asked for yet.
    await enter(deps, "ann");
    await confirm(deps, { id: account.id, address, session, code: codeOf(enrolled.secret, deps.clock.nowMs()) });
    expect(await enrol(deps, account)).toEqual({ kind: "already" });
    expect(await confirm(deps, { id: account.id, address, session, code: "000000" })).toEqual({ kind: "already" });
    expect(await removeSecondFactor(deps, account.id)).toBe("removed");
    await enter(deps, "ann");
  });

  test("[AC13] a ban ends the sessions, keeps the account out, and is lifted again; staff are banned by admins", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "ann");
    const grant = await enter(deps, "ann");
    const id = account.id;
    expect(await ban(deps, { id, reason: "", by: operator })).toMatchObject({ kind: "invalid", field: "reason" });
    expect(await ban(deps, { id, reason: "resells", by: { ...operator, accountId: id } })).toEqual({ kind: "forbidden" });
    expect(await ban(deps, { id, reason: "resells", by: operator })).toMatchObject({
      kind: "changed",
      account: { ban: { reason: "resells" } },
    });
    expect(isBelieved(deps, grant)).toBe(false);
    // Tokens that never had a session, too: the buyer itself is barred.
    expect(deps.revocations.isRevoked({ buyer: { issuer: "x", subject: "y" }, buyerId: account.buyerId, expiresAtMs: 0 })).toBe(true);
    expect(await logIn(deps, { username: "ann", password: goodPassword, address })).toEqual({ kind: "banned" });
    expect(await logIn(deps, { username: "ann", password: "wrong but long", address })).toEqual({ kind: "wrong" });
    // Whoever holds the session's last token hears why it is over.
    expect((await refresh(deps, grant.refreshToken)).kind).toBe("banned");
    expect(await unban(deps, { id, by: operator })).toMatchObject({ kind: "changed" });
    await enter(deps, "ann");
    await changeRole(deps, { id, role: "operator", merchant: undefined, by: admin });
    expect(await ban(deps, { id, reason: "x", by: operator })).toEqual({ kind: "forbidden" });
    expect((await ban(deps, { id, reason: "x", by: admin })).kind).toBe("changed");
    expect(await unban(deps, { id, by: operator })).toEqual({ kind: "forbidden" });
  });

  test("[AC14] an installation without an admin gets one, once, with a password that was given or made", async () => {
    const { deps, entropy } = openAccountWorld();
    expect(await ensureAdmin(deps, entropy, { username: "root", password: "password1234" })).toMatchObject({ kind: "wrong" });
    const made = await ensureAdmin(deps, entropy, {});
    if (made.kind !== "made") throw new Error(made.kind);
    expect(made.username).toBe("admin");
    expect((await logIn(deps, { username: "admin", password: made.password ?? "", address })).kind).toBe("in");
    expect(await ensureAdmin(deps, entropy, { username: "other", password: goodPassword })).toEqual({ kind: "there" });
    const given = openAccountWorld();
    const answer = await ensureAdmin(given.deps, entropy, { username: "root", password: goodPassword });
    expect(answer).toEqual({ kind: "made", username: "root", password: undefined });
  });

  test("[AC14] a locked-out admin gets a new password, and whatever kept it out is gone", async () => {
    const { deps, entropy } = openAccountWorld();
    await ensureAdmin(deps, entropy, { username: "root", password: goodPassword });
    const { grant } = await withFactor(deps, "root");
    const reset = await resetPassword(deps, entropy, "ROOT");
    if (reset.kind !== "reset") throw new Error(reset.kind);
    expect(isBelieved(deps, grant)).toBe(false);
    expect((await logIn(deps, { username: "root", password: reset.password, address })).kind).toBe("in");
    expect(await resetPassword(deps, entropy, "nobody")).toEqual({ kind: "account_unknown" });
  });
});

describe("many processes", () => {
  test("[AC9] what one ended, banned or rotated, another knows at its next look; at its start it knows all", async () => {
    const { deps, accounts, keyRing, time } = openAccountWorld();
    const other = { ...deps, revocations: new RevocationBoard() };
    const follower = new AccessFollower({ accounts, revocations: other.revocations, keyRing, clock: time });
    const [ann, bob] = [await join(deps, "ann"), await join(deps, "bob")];
    const [annIn, bobIn] = [await enter(deps, "ann"), await enter(deps, "bob")];
    await follower.start();
    await time.advance(5_000);
    await endSessions(deps, { accountId: ann.id });
    await ban(deps, { id: bob.id, reason: "x", by: admin });
    expect([annIn, bobIn].map((grant) => isBelieved(other, grant))).toEqual([true, true]);
    await follower.round();
    expect([annIn, bobIn].map((grant) => isBelieved(other, grant))).toEqual([false, false]);
    const late = { ...deps, revocations: new RevocationBoard() };
    await new AccessFollower({ accounts, revocations: late.revocations, keyRing, clock: time }).start();
    expect([annIn, bobIn].map((grant) => isBelieved(late, grant))).toEqual([false, false]);
    await unban(deps, { id: bob.id, by: admin });
    await follower.round();
    expect(other.revocations.isBanned(bob.buyerId)).toBe(false);
  });

  test("[AC9] dead sessions are forgotten once their last access token has expired, bans are not", async () => {
    const { deps, accounts, keyRing, time } = openAccountWorld();
    const follower = new AccessFollower({ accounts, revocations: deps.revocations, keyRing, clock: time });
    await follower.start();
    const [ann, bob] = [await join(deps, "ann"), await join(deps, "bob")];
    await enter(deps, "ann");
    await endSessions(deps, { accountId: ann.id });
    await ban(deps, { id: bob.id, reason: "x", by: admin });
    await time.advance(accessLifetimeMs);
    await follower.round();
    expect(deps.revocations.size).toEqual({ sessions: 1, banned: 1 });
    await time.advance(120_000);
    await follower.round();
    expect(deps.revocations.size).toEqual({ sessions: 0, banned: 1 });
  });

  test("[AC9] what was read before does not undo what this process has done since", () => {
    const board = new RevocationBoard();
    const { buyerId } = { buyerId: 5 as Parameters<RevocationBoard["isBanned"]>[0] };
    board.setBanned(buyerId, true, 200);
    board.setBanned(buyerId, false, 100);
    expect(board.isBanned(buyerId)).toBe(true);
    board.setBanned(buyerId, false, 300);
    expect(board.isBanned(buyerId)).toBe(false);
  });

  test("[AC21] two changes at once are both made, each to what the other left", async () => {
    const { deps } = openAccountWorld();
    const account = await join(deps, "ann");
    await Promise.all([
      changeDisplayName(deps, account.id, "Ann"),
      ban(deps, { id: account.id, reason: "x", by: admin }),
      enrol(deps, account),
    ]);
    const now = must(await deps.accounts.account(account.id));
    expect([now.displayName, now.ban?.reason, now.secondFactor?.confirmed, now.version]).toEqual(["Ann", "x", false, 4]);
  });

  test("[AC13] a ban that falls between password and session leaves no session behind", async () => {
    const { deps, accounts } = openAccountWorld();
    const account = await join(deps, "ann");
    const begin = accounts.beginSession;
    let banned: SessionId | undefined;
    const racing = Object.assign(Object.create(accounts) as typeof accounts, {
      beginSession: async (session: Parameters<typeof begin>[0]) => {
        await ban(deps, { id: account.id, reason: "x", by: admin });
        banned = session.id;
        return begin(session);
      },
      account: accounts.account,
      accountByName: accounts.accountByName,
      endSessions: accounts.endSessions,
    });
    expect(await logIn({ ...deps, accounts: racing }, { username: "ann", password: goodPassword, address })).toEqual({ kind: "banned" });
    expect(accounts.tables.sessions.get(must(banned))?.endedAtMs).toBeDefined();
  });
});
