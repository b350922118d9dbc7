/** Accounts, sessions, shops and keys by way of the store's two threads. */
import type { AccountStore } from "../../ports/account-store.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { GroupedWrites } from "./grouped-writes.ts";
import type { WorkerClient } from "./worker-client.ts";
import { WorkerFailure } from "./worker-protocol.ts";

type Args<Name extends keyof AccountStore> = Parameters<AccountStore[Name]>;
type Answer<Name extends keyof AccountStore> = Awaited<ReturnType<AccountStore[Name]>>;
type Threads = { readonly writer: WorkerClient; readonly reader: WorkerClient; readonly timeoutMs: number };

export class SqliteAccounts implements AccountStore {
  readonly #threads: Threads;
  readonly #writes: GroupedWrites;

  constructor(threads: Threads) {
    this.#threads = threads;
    const { writer, timeoutMs } = threads;
    this.#writes = new GroupedWrites((operation, payload) => writer.call(operation, payload, timeoutMs));
  }

  account = (...args: Args<"account">) => this.#read("account", args);
  accountByName = (...args: Args<"accountByName">) => this.#read("accountByName", args);
  accounts = (...args: Args<"accounts">) => this.#read("accounts", args);
  hasAdmin = (...args: Args<"hasAdmin">) => this.#read("hasAdmin", args);
  sessionsOf = (...args: Args<"sessionsOf">) => this.#read("sessionsOf", args);
  merchants = (...args: Args<"merchants">) => this.#read("merchants", args);
  key = (...args: Args<"key">) => this.#read("key", args);
  keys = (...args: Args<"keys">) => this.#read("keys", args);
  accessChanges = (...args: Args<"accessChanges">) => this.#read("accessChanges", args);

  addAccount = (...[account]: Args<"addAccount">) => this.#write("addAccount", account);
  replaceAccount = (...[account, end]: Args<"replaceAccount">) => this.#write("replaceAccount", { account, end });
  removeAccount = (...[id, nowMs]: Args<"removeAccount">) => this.#write("removeAccount", { id, nowMs });
  beginSession = (...[session]: Args<"beginSession">) => this.#write("beginSession", session);
  rotateSession = (...[ask]: Args<"rotateSession">) => this.#write("rotateSession", ask);
  endSessions = (...[ask]: Args<"endSessions">) => this.#write("endSessions", ask);
  purgeSessions = (...[overBeforeMs, countMax]: Args<"purgeSessions">) => this.#write("purgeSessions", { overBeforeMs, countMax });
  addMerchant = (...[merchant]: Args<"addMerchant">) => this.#write("addMerchant", merchant);
  renameMerchant = (...[id, name]: Args<"renameMerchant">) => this.#write("renameMerchant", { id, name });
  ensureMerchant = (...[merchant]: Args<"ensureMerchant">) => this.#write("ensureMerchant", merchant);
  addKey = (...[record]: Args<"addKey">) => this.#write("addKey", record);
  rotateKey = (...[ask]: Args<"rotateKey">) => this.#write("rotateKey", ask);
  revokeKey = (...[id, nowMs]: Args<"revokeKey">) => this.#write("revokeKey", { id, nowMs });
  touchKeys = (...[days]: Args<"touchKeys">) => this.#write("touchKeys", days);

  async #read<Name extends keyof AccountStore>(name: Name, args: Args<Name>): Promise<Answer<Name>> {
    const { reader, timeoutMs } = this.#threads;
    try {
      // The wire has no undefined: what is not there comes as null. No record is null.
      return ((await reader.call<Answer<Name> | null>(name, args, timeoutMs)) ?? undefined) as Answer<Name>;
    } catch (error) {
      // Nothing was to be changed, so nothing is unknown.
      if (error instanceof WorkerFailure && error.code !== "defect") throw new StoreUnavailable("unavailable", error.message, error);
      throw error;
    }
  }

  async #write<Name extends keyof AccountStore>(name: Name, payload: unknown): Promise<Answer<Name>> {
    try {
      // As above.
      return ((await this.#writes.write(name, payload)) ?? undefined) as Answer<Name>;
    } catch (error) {
      if (error instanceof WorkerFailure && error.code !== "defect") throw new StoreUnavailable(error.code, error.message, error);
      throw error;
    }
  }
}
