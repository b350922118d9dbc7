import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { MemoryAccounts } from "../../src/adapters/memory/memory-accounts.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import type { AccountStore } from "../../src/ports/account-store.ts";
import { money, must, productId, saleId, sampleDraft } from "../kit/samples.ts";
import { accountCases, startMs, type AccountCase } from "./account-cases.ts";

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
  const shop = { id: "shop", name: "Shop", createdAtMs: startMs };
  try {
    for (const { catalogue, records, accounts } of [
      sqlite,
      { catalogue: memory, records: memory, accounts: new MemoryAccounts(memory.tables) },
    ]) {
      await catalogue.addProduct({ id: productId("1"), name: "Lamp", price: money(500), seller: "demo", createdAtMs: startMs });
      await catalogue.addProduct({ id: productId("2"), name: "Lamp", price: money(500), seller: "shop", createdAtMs: startMs });
      await catalogue.addSale({ id: saleId("3"), draft: sampleDraft({ productId: productId("1") }), createdAtMs: startMs });
      expect(await accounts.ensureMerchant(shop)).toBe(1);
      expect([(await records.product(productId("1")))?.seller, (await records.sale(saleId("3")))?.seller]).toEqual(["shop", "shop"]);
      expect(await accounts.ensureMerchant({ ...shop, id: "other" })).toBe(0);
      expect((await records.product(productId("2")))?.seller).toBe("shop");
    }
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
