/** Accounts, sessions, shops and keys on a database server: each write a transaction of its own. */
import type { AccountStore } from "../../ports/account-store.ts";
import { accountReaders, type AccountReaders } from "./account-readers.ts";
import * as accounts from "./account-writes.ts";
import type { ServerDatabase } from "./server-database.ts";
import * as shops from "./shop-writes.ts";

type Args<Name extends keyof AccountStore> = Parameters<AccountStore[Name]>;
type Writes = Omit<AccountStore, keyof AccountReaders>;

export function serverAccounts(database: ServerDatabase): AccountStore {
  const write = database.write.bind(database);
  const writes: Writes = {
    addAccount: (...[account]: Args<"addAccount">) => write((tx) => accounts.addAccount(tx, account)),
    replaceAccount: (...[account, end]: Args<"replaceAccount">) => write((tx) => accounts.replaceAccount(tx, { account, end })),
    removeAccount: (...[id, nowMs]: Args<"removeAccount">) => write((tx) => accounts.removeAccount(tx, { id, nowMs })),
    beginSession: (...[session]: Args<"beginSession">) => write((tx) => accounts.beginSession(tx, session)),
    rotateSession: (...[ask]: Args<"rotateSession">) => write((tx) => accounts.rotateInTurn(tx, ask)),
    endSessions: (...[ask]: Args<"endSessions">) => write((tx) => accounts.endSessions(tx, ask)),
    purgeSessions: (...[overBeforeMs, countMax]: Args<"purgeSessions">) =>
      write((tx) => accounts.purgeSessions(tx, { overBeforeMs, countMax })),
    addMerchant: (...[merchant]: Args<"addMerchant">) => write((tx) => shops.addMerchant(tx, merchant)),
    renameMerchant: (...[id, name]: Args<"renameMerchant">) => write((tx) => shops.renameMerchant(tx, { id, name })),
    ensureMerchant: (...[merchant]: Args<"ensureMerchant">) => write((tx) => shops.ensureMerchant(tx, merchant)),
    addKey: (...[record]: Args<"addKey">) => write((tx) => shops.addKey(tx, record)),
    rotateKey: (...[ask]: Args<"rotateKey">) => write((tx) => shops.rotateKey(tx, ask)),
    revokeKey: (...[id, nowMs]: Args<"revokeKey">) => write((tx) => shops.revokeKey(tx, { id, nowMs })),
    touchKeys: (...[days]: Args<"touchKeys">) => write((tx) => shops.touchKeys(tx, days)),
  };
  return { ...accountReaders(database.reads), ...writes };
}
