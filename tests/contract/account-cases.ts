/**
 * The contract of every store of accounts, sessions, shops and keys. Cases are data, so that a control can run one against
 * a planted bug and expect it to fail.
 */
import { expect } from "bun:test";
import type { Account } from "../../src/domain/account.ts";
import { parseAccountId, parseBuyerId, parseKeyId, parseSessionId } from "../../src/domain/ids.ts";
import type { KeyRecord } from "../../src/domain/server-key.ts";
import { newSession, refreshGraceMs, sessionIdleMs, sessionLifetimeMs, sessionsPerAccountMax } from "../../src/domain/session.ts";
import type { AccountStore } from "../../src/ports/account-store.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Records } from "../../src/ports/records.ts";
import { money, must, productId, saleId, sampleDraft } from "../kit/samples.ts";

export type AccountCase = { readonly rule: string; readonly title: string; readonly run: (store: AccountStore) => Promise<void> };

const startMs = 1_900_000_000_000;
const accountId = (text: string) => must(parseAccountId(text));
const sessionId = (text: string) => must(parseSessionId(text));

export function sampleAccount(number: number, change: Partial<Account> = {}): Account {
  return {
    id: accountId(String(number)),
    username: `Person${number}`,
    usernameKey: `person${number}`,
    passwordHash: "hash",
    passwordChangedAtMs: startMs,
    role: "buyer",
    buyerId: must(parseBuyerId(number)),
    banChangedAtMs: 0,
    createdAtMs: startMs,
    version: 1,
    ...change,
  };
}

const session = (number: number, account: number, digest: string, nowMs = startMs) =>
  newSession({ id: sessionId(String(number)), accountId: accountId(String(account)), digest, nowMs });
const use = (store: AccountStore, digest: string, nextDigest: string, nowMs = startMs) =>
  store.rotateSession({ id: sessionId("7"), digest, nextDigest, nowMs });

const key = (number: number, change: Partial<KeyRecord> = {}): KeyRecord => ({
  id: must(parseKeyId(String(number))),
  merchant: "shop",
  name: `key ${number}`,
  scopes: ["buyers:act", "orders:read"],
  digest: `digest-${number}`,
  prefix: `dbk_${number}`,
  createdAtMs: startMs,
  changedAtMs: startMs,
  ...change,
});
const shop = { id: "shop", name: "Shop", createdAtMs: startMs };

export const accountCases: readonly AccountCase[] = [
  {
    rule: "AC1",
    title: "one name, one account, also when many ask at once; the same account again is no other",
    run: async (store) => {
      const asks = Array.from({ length: 20 }, (_, i) => store.addAccount(sampleAccount(i + 1, { usernameKey: "ann" })));
      expect((await Promise.all(asks)).filter((answer) => answer === "added")).toHaveLength(1);
      const holder = must(await store.accountByName("ann"));
      expect(await store.addAccount(holder)).toBe("added");
      expect(await store.account(holder.id)).toEqual(holder);
      expect(await store.accountByName("bob")).toBeUndefined();
    },
  },
  {
    rule: "AC21",
    title: "an account reads back as it was written, with and without what may be left out",
    run: async (store) => {
      await store.ensureMerchant(shop);
      const full = sampleAccount(2, {
        displayName: "Ann 🛍",
        role: "merchant",
        merchant: "shop",
        secondFactor: { sealedSecret: "sealed", confirmed: true, lastStep: 63_000_000, recovery: ["a", "b"] },
        ban: { atMs: startMs, reason: "resold" },
        banChangedAtMs: startMs,
      });
      for (const account of [sampleAccount(1), full]) {
        await store.addAccount(account);
        expect(await store.account(account.id)).toEqual(account);
      }
      const { displayName: _, secondFactor: __, ban: ___, merchant: ____, ...rest } = full;
      const bare: Account = { ...rest, role: "auditor", version: 2 };
      expect(await store.replaceAccount(bare)).toEqual([]);
      expect(await store.account(full.id)).toEqual(bare);
    },
  },
  {
    rule: "AC21",
    title: "of many changes to one version one is made; a change ends the sessions it means in the same commit",
    run: async (store) => {
      await store.addAccount(sampleAccount(1));
      for (const number of [7, 8, 9]) await store.beginSession(session(number, 1, `d${number}`));
      const changes = ["auditor", "operator", "admin"] as const;
      const end = { nowMs: startMs + 5, except: sessionId("8") };
      const answers = await Promise.all(changes.map((role) => store.replaceAccount(sampleAccount(1, { role, version: 2 }), end)));
      expect(answers.filter((answer) => answer !== "stale").map((ids) => ids.toSorted())).toEqual([[sessionId("7"), sessionId("9")]]);
      expect(must(await store.account(accountId("1"))).version).toBe(2);
      expect((await store.sessionsOf(accountId("1"), startMs + 6)).map(({ id }) => id)).toEqual([sessionId("8")]);
    },
  },
  {
    rule: "AC6",
    title: "50 requests with one refresh token make one successor, and all of them get it",
    run: async (store) => {
      await store.beginSession(session(7, 1, "first"));
      const answers = await Promise.all(Array.from({ length: 50 }, () => use(store, "first", "second", startMs + 100)));
      expect(answers.filter(({ kind }) => kind === "rotated")).toHaveLength(1);
      expect(answers.filter(({ kind }) => kind === "repeated")).toHaveLength(49);
      const [kept] = await store.sessionsOf(accountId("1"), startMs + 200);
      expect(kept).toMatchObject({ tokenDigest: "second", previousDigest: "first", rotatedAtMs: startMs + 100 });
      expect(kept).toMatchObject({ idleUntilMs: startMs + 100 + sessionIdleMs, endsAtMs: startMs + sessionLifetimeMs });
    },
  },
  {
    rule: "AC7",
    title: "a used token within the grace gets its successor, at the grace's end it ends the session",
    run: async (store) => {
      await store.beginSession(session(7, 1, "first"));
      expect((await use(store, "first", "second")).kind).toBe("rotated");
      expect((await use(store, "first", "second", startMs + refreshGraceMs - 1)).kind).toBe("repeated");
      expect((await use(store, "first", "second", startMs + refreshGraceMs)).kind).toBe("reused");
      expect((await use(store, "second", "third", startMs + refreshGraceMs)).kind).toBe("ended");
      expect(await store.sessionsOf(accountId("1"), startMs + refreshGraceMs)).toEqual([]);
    },
  },
  {
    rule: "AC7",
    title: "an older token than the one before ends the session even within the grace",
    run: async (store) => {
      await store.beginSession(session(7, 1, "first"));
      await use(store, "first", "second");
      await use(store, "second", "third", startMs + 1);
      expect((await use(store, "first", "second", startMs + 2)).kind).toBe("reused");
      expect((await use(store, "third", "fourth", startMs + 3)).kind).toBe("ended");
    },
  },
  {
    rule: "AC8",
    title: "a session is over at the idle time, at its end however busy, and when it was ended; then nothing rotates it",
    run: async (store) => {
      await store.beginSession(session(7, 1, "t0"));
      expect((await use(store, "t0", "t1", startMs + sessionIdleMs)).kind).toBe("ended");
      let nowMs = startMs;
      for (let i = 0; nowMs + sessionIdleMs - 1 < startMs + sessionLifetimeMs; i++) {
        nowMs += sessionIdleMs - 1;
        expect((await use(store, `t${i}`, `t${i + 1}`, nowMs)).kind).toBe("rotated");
      }
      expect(nowMs).toBeGreaterThan(startMs + 3 * sessionIdleMs);
      const last = must((await store.sessionsOf(accountId("1"), nowMs))[0]).tokenDigest;
      expect((await use(store, last, "next", startMs + sessionLifetimeMs)).kind).toBe("ended");
      expect(await store.endSessions({ accountId: accountId("2"), only: sessionId("7"), nowMs })).toEqual([]);
      expect(await store.endSessions({ accountId: accountId("1"), only: sessionId("7"), nowMs })).toEqual([sessionId("7")]);
      expect(await store.endSessions({ accountId: accountId("1"), nowMs })).toEqual([]);
      expect((await use(store, last, "next", nowMs)).kind).toBe("ended");
      expect((await store.rotateSession({ id: sessionId("99"), digest: "a", nextDigest: "b", nowMs })).kind).toBe("ended");
    },
  },
  {
    rule: "AC8",
    title: "beyond the most sessions of an account the oldest end; sessions long over are forgotten",
    run: async (store) => {
      const ended: string[] = [];
      for (let i = 1; i <= sessionsPerAccountMax + 2; i++) ended.push(...(await store.beginSession(session(i, 1, `d${i}`, startMs + i))));
      expect(ended).toEqual(["1", "2"]);
      const open = await store.sessionsOf(accountId("1"), startMs + 1000);
      expect(open).toHaveLength(sessionsPerAccountMax);
      expect(open[0]?.id).toBe(sessionId(String(sessionsPerAccountMax + 2)));
      expect(await store.purgeSessions(startMs + 1000, 100)).toBe(2);
      expect(await store.purgeSessions(startMs + sessionIdleMs + 10_000, 30)).toBe(30);
      expect(await store.purgeSessions(startMs + sessionIdleMs + 10_000, 30)).toBe(sessionsPerAccountMax - 30);
    },
  },
  {
    rule: "AC18",
    title: "a removed account leaves no name, and its sessions end",
    run: async (store) => {
      await store.addAccount(sampleAccount(1));
      await store.beginSession(session(7, 1, "first"));
      expect(await store.removeAccount(accountId("1"), startMs + 5)).toEqual([sessionId("7")]);
      expect(await store.account(accountId("1"))).toBeUndefined();
      expect(await store.addAccount(sampleAccount(2, { usernameKey: "person1" }))).toBe("added");
      expect((await use(store, "first", "second")).kind).toBe("ended");
    },
  },
  {
    rule: "AC9",
    title: "what ended, was banned or changed since a time is told to whoever asks",
    run: async (store) => {
      await store.ensureMerchant(shop);
      await store.addAccount(sampleAccount(1));
      await store.addAccount(sampleAccount(2, { ban: { atMs: startMs, reason: "x" }, banChangedAtMs: startMs }));
      await store.beginSession(session(7, 1, "first"));
      await store.beginSession(session(8, 1, "other"));
      await store.endSessions({ accountId: accountId("1"), only: sessionId("7"), nowMs: startMs + 10 });
      await store.addKey(key(1));
      const all = await store.accessChanges({ sessionsMs: 0, bansMs: 0, keysMs: 0 });
      expect(all).toEqual({
        sessions: [{ id: sessionId("7"), atMs: startMs + 10 }],
        bans: [{ buyerId: must(parseBuyerId(2)), banned: true, atMs: startMs }],
        keys: [key(1)],
      });
      await store.replaceAccount(sampleAccount(2, { banChangedAtMs: startMs + 20, version: 2 }));
      await store.revokeKey(key(1).id, startMs + 20);
      const later = await store.accessChanges({ sessionsMs: startMs + 11, bansMs: startMs + 20, keysMs: startMs + 20 });
      expect(later.sessions).toEqual([]);
      expect(later.bans).toEqual([{ buyerId: must(parseBuyerId(2)), banned: false, atMs: startMs + 20 }]);
      expect(later.keys).toMatchObject([{ revokedAtMs: startMs + 20 }]);
      const none = await store.accessChanges({ sessionsMs: startMs + 11, bansMs: startMs + 21, keysMs: startMs + 21 });
      expect(none).toEqual({ sessions: [], bans: [], keys: [] });
    },
  },
  {
    rule: "AC10",
    title: "accounts are listed newest first, by role, by ban and by name, a page at a time; an admin is found",
    run: async (store) => {
      for (let i = 1; i <= 5; i++) await store.addAccount(sampleAccount(i, i === 2 ? { role: "operator" } : {}));
      expect(await store.hasAdmin()).toBe(false);
      await store.addAccount(sampleAccount(10, { role: "admin", ban: { atMs: 1, reason: "x" }, banChangedAtMs: 1 }));
      expect(await store.hasAdmin()).toBe(true);
      const ids = async (query: Parameters<AccountStore["accounts"]>[0], offset = 0, limit = 10) => {
        const { items, total } = await store.accounts(query, { offset, limit });
        return [...items.map(({ id }) => String(id)), total];
      };
      expect(await ids({})).toEqual(["10", "5", "4", "3", "2", "1", 6]);
      expect(await ids({}, 1, 2)).toEqual(["5", "4", 6]);
      expect(await ids({ role: "operator" })).toEqual(["2", 1]);
      expect(await ids({ banned: true })).toEqual(["10", 1]);
      expect(await ids({ banned: false, usernameKey: "person3" })).toEqual(["3", 1]);
    },
  },
  {
    rule: "AC15",
    title: "shops are added once, renamed and listed; the configured one is there however often it is asked for",
    run: async (store) => {
      expect(await store.merchants()).toEqual([]);
      await store.ensureMerchant(shop);
      await store.ensureMerchant({ ...shop, name: "Another name" });
      expect(await store.addMerchant({ id: "shop", name: "Thief", createdAtMs: startMs })).toBe("exists");
      expect(await store.addMerchant({ id: "other", name: "Other", createdAtMs: startMs + 1 })).toBe("added");
      expect(await store.renameMerchant("shop", "Lamps")).toEqual({ ...shop, name: "Lamps" });
      expect(await store.renameMerchant("nobody", "x")).toBeUndefined();
      expect((await store.merchants()).map(({ id, name }) => [id, name])).toEqual([
        ["shop", "Lamps"],
        ["other", "Other"],
      ]);
    },
  },
  {
    rule: "AC16",
    title: "keys belong to a shop that exists, rotate once with an overlap, are revoked once, and remember the last day",
    run: async (store) => {
      expect(await store.addKey(key(1))).toBe("merchant_unknown");
      await store.ensureMerchant(shop);
      await store.addMerchant({ id: "other", name: "Other", createdAtMs: startMs });
      expect(await store.addKey(key(1))).toBe("added");
      expect(await store.addKey(key(1))).toBe("added");
      await store.addKey(key(2, { merchant: "other", expiresAtMs: startMs + 1000 }));
      const rotate = (old: number, next: number, oldExpiresAtMs = startMs + 500) =>
        store.rotateKey({ old: key(old).id, oldExpiresAtMs, record: key(next, { createdAtMs: startMs + 10, changedAtMs: startMs + 10 }) });
      expect(await rotate(1, 3)).toBe("rotated");
      expect(await rotate(1, 3)).toBe("rotated");
      expect(await store.key(key(1).id)).toEqual(key(1, { expiresAtMs: startMs + 500, changedAtMs: startMs + 10 }));
      expect(await rotate(9, 4)).toBe("gone");
      // One that ends sooner is not given more time.
      await rotate(2, 5, startMs + 9000);
      expect((await store.key(key(2).id))?.expiresAtMs).toBe(startMs + 1000);
      expect(await store.revokeKey(key(3).id, startMs + 20)).toMatchObject({ revokedAtMs: startMs + 20 });
      expect(await store.revokeKey(key(3).id, startMs + 30)).toMatchObject({ revokedAtMs: startMs + 20 });
      expect(await store.revokeKey(key(99).id, startMs)).toBeUndefined();
      expect(await rotate(3, 6)).toBe("gone");
      await store.touchKeys([{ id: key(1).id, day: 20_000 }]);
      await store.touchKeys([{ id: key(1).id, day: 19_999 }]);
      expect((await store.key(key(1).id))?.lastUsedDay).toBe(20_000);
      expect((await store.keys("other")).map(({ id }) => String(id))).toEqual(["2"]);
      expect((await store.keys(undefined)).map(({ id }) => String(id))).toEqual(["5", "3", "2", "1"]);
    },
  },
];

/** What was there before shops were kept is the first one's, in an empty store. */
export async function checkFirstShop(store: { accounts: AccountStore; catalogue: Catalogue; records: Records }): Promise<void> {
  const { accounts, catalogue, records } = store;
  await catalogue.addProduct({ id: productId("1"), name: "Lamp", price: money(500), seller: "demo", createdAtMs: startMs });
  await catalogue.addProduct({ id: productId("2"), name: "Lamp", price: money(500), seller: "shop", createdAtMs: startMs });
  await catalogue.addSale({ id: saleId("3"), draft: sampleDraft({ productId: productId("1") }), createdAtMs: startMs });
  expect(await accounts.ensureMerchant(shop)).toBe(1);
  expect([(await records.product(productId("1")))?.seller, (await records.sale(saleId("3")))?.seller]).toEqual(["shop", "shop"]);
  expect(await accounts.ensureMerchant({ ...shop, id: "other" })).toBe(0);
  expect((await records.product(productId("2")))?.seller).toBe("shop");
}
