/** Processes that share a database server's store, as the contract of sharing wants them. */
import { openServerDriver } from "../../src/adapters/sql/server-store.ts";
import { ServerCatalogue } from "../../src/adapters/sql/server-catalogue.ts";
import { ServerChangeFeed } from "../../src/adapters/sql/server-change-feed.ts";
import { ServerDatabase } from "../../src/adapters/sql/server-database.ts";
import { ServerError, type ServerConnection, type ServerDriver } from "../../src/adapters/sql/server-driver.ts";
import { ServerLeases, serverNowMs } from "../../src/adapters/sql/server-leases.ts";
import { ServerLedger } from "../../src/adapters/sql/server-ledger.ts";
import { registerProcess } from "../../src/adapters/sql/server-processes.ts";
import type { SharingFixture, SharingProcess } from "../contract/sharing.ts";
import { must } from "../kit/samples.ts";
import { testProcess, type EmptyStores } from "../kit/server-database.ts";

const reopenDelayMs = 600;
/** Nobody can turn a server's clock. What it wrote down is moved instead, which is the same to whoever compares the two. */
const timesThatPass = (ms: number): readonly string[] => [
  `UPDATE lease SET until_at = until_at - ${ms}`,
  `UPDATE sale SET reopens_at = reopens_at - ${ms} WHERE reopens_at IS NOT NULL`,
];

export async function openSharingFixture(stores: EmptyStores): Promise<SharingFixture> {
  const store = await stores.take();
  const databases: ServerDatabase[] = [];
  const losing = new Map<SharingProcess, LossyDriver>();
  let passedMs = 0;
  const nowMs = () => performance.now() + passedMs;
  const join = async (): Promise<SharingProcess> => {
    const driver = new LossyDriver(openServerDriver(stores.url));
    const database = new ServerDatabase(driver);
    databases.push(database);
    const membership = await registerProcess(database, testProcess, { nowMs });
    const process: SharingProcess = {
      number: membership.number,
      leases: new ServerLeases(database, membership.number, nowMs),
      changeFeed: new ServerChangeFeed(database, nowMs),
      ledger: new ServerLedger(database, { reopenDelayMs }),
      catalogue: new ServerCatalogue(database),
      leave: () => membership.leave(),
    };
    losing.set(process, driver);
    return process;
  };
  return {
    reopenDelayMs,
    join,
    pass: async (ms) => {
      passedMs += ms;
      await store.database.write(async (tx) => {
        for (const statement of timesThatPass(ms)) await tx.execute(statement, []);
      });
    },
    nowMs: () => store.database.read(serverNowMs),
    loseAnswer: (process) => must(losing.get(process)).loseNext(),
    close: async () => {
      for (const database of databases) await database.close();
      await stores.giveBack(store);
    },
  };
}

/** A driver of which one commit is done, and nobody hears of it. */
class LossyDriver implements ServerDriver {
  readonly #driver: ServerDriver;
  #loses = false;

  constructor(driver: ServerDriver) {
    this.#driver = driver;
  }

  get dialect() {
    return this.#driver.dialect;
  }

  get name() {
    return this.#driver.name;
  }

  loseNext(): void {
    this.#loses = true;
  }

  async connect(purpose: "write" | "read"): Promise<ServerConnection> {
    const connection = await this.#driver.connect(purpose);
    const commit = connection.commit.bind(connection);
    connection.commit = async () => {
      await commit();
      if (!this.#loses) return;
      this.#loses = false;
      throw new ServerError("lost", "a lost answer");
    };
    return connection;
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}
