import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { MemoryAccounts } from "../../src/adapters/memory/memory-accounts.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import type { AccountStore } from "../../src/ports/account-store.ts";
import { must } from "../kit/samples.ts";
import { accountCases, checkFirstShop, type AccountCase } from "./account-cases.ts";

async function onMemory({ run }: AccountCase, change: Partial<AccountStore> = {}): Promise<void> {
  await run(Object.assign(new MemoryAccounts(), change));
}

async function onSqlite({ run }: AccountCase): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "doorbuster-accounts-"));
  const store = await openSqliteStore({ dataDir });
  try {
    await run(store.accounts);
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true });
  }
}

describe.each([
  ["memory", onMemory],
  ["SQLite", onSqlite],
] as const)("accounts on %s", (_, on) => {
  for (const each of accountCases) test(`[${each.rule}] ${each.title}`, () => on(each));
});

test("[AC15] the first shop takes over what was there before shops were kept, and no later one does", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "doorbuster-accounts-"));
  const sqlite = await openSqliteStore({ dataDir });
  const memory = new MemoryStore();
  try {
    await checkFirstShop(sqlite);
    await checkFirstShop({ catalogue: memory, records: memory, accounts: new MemoryAccounts(memory.tables) });
  } finally {
    await sqlite.close();
    rmSync(dataDir, { recursive: true });
  }
});

describe("controls: a broken store fails its case", () => {
  const caseOf = (title: string) => must(accountCases.find((each) => each.title.includes(title)));
  const broken = async (title: string, change: (store: MemoryAccounts) => Partial<AccountStore>) => {
    const store = new MemoryAccounts();
    const failed = await Promise.resolve(caseOf(title).run(Object.assign(store, change(store)))).then(
      () => false,
      () => true,
    );
    expect(failed).toBe(true);
  };

  test("[AC6] every refresh makes a successor of its own", () =>
    broken("50 requests", (store) => {
      const { rotateSession } = store;
      return { rotateSession: async (ask) => ({ ...(await rotateSession(ask)), kind: "rotated" }) as never };
    }));
  test("[AC7] a reused token is only refused", () =>
    broken("at the grace's end", (store) => {
      const { rotateSession } = store;
      return {
        rotateSession: async (ask) => {
          const before = store.tables.sessions.get(ask.id);
          const answer = await rotateSession(ask);
          if (answer.kind === "reused") store.tables.sessions.set(ask.id, must(before));
          return answer;
        },
      };
    }));
  test("[AC21] the last writer wins", () =>
    broken("one version", (store) => ({
      replaceAccount: async (account) => {
        store.tables.accounts.set(account.id, account);
        return [];
      },
    })));
});
