/** What processes that share a store need of each other, on the model server: a model that cannot go wrong as servers do fails. */
import { expect, test } from "bun:test";
import { ServerChangeFeed } from "../../../src/adapters/sql/server-change-feed.ts";
import { ServerDatabase } from "../../../src/adapters/sql/server-database.ts";
import { ServerLeases } from "../../../src/adapters/sql/server-leases.ts";
import { ServerLedger } from "../../../src/adapters/sql/server-ledger.ts";
import { registerProcess } from "../../../src/adapters/sql/server-processes.ts";
import { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import { reopenDelayMs } from "../../../src/modes/sql.ts";
import { sharingCases, sharingContract, type SharingFixture, type SharingProcess } from "../../contract/sharing.ts";
import { must } from "../../kit/samples.ts";
import { drawFaults, healed, sqlFaults, type Faults } from "../faults.ts";
import { SimNode } from "../kernel.ts";
import { Pump } from "../pump.ts";
import type { StoreObserver } from "../store-observer.ts";
import { ModelDriver } from "./model-driver.ts";
import { ModelServer } from "./model-server.ts";
import { modelCatalogue, modelDecide } from "./model-store.ts";

sharingContract("sharing the model server", { open: openModelFixture });

test("control: a model whose answers are never lost fails", async () => {
  const kind = must(sharingCases.find(({ needs }) => needs?.includes("loseAnswer")));
  const fixture = await openModelFixture();
  expect(kind.run({ ...fixture, loseAnswer: () => undefined })).rejects.toThrow();
});

const terms = { rate: 1, lockTimeoutMs: 4_000, idleTimeoutMs: 6_000 };
const limits = { writesMax: 4, readsMax: 4, acquireTimeoutMs: 1_000, statementTimeoutMs: 1_000 };
const deaf: StoreObserver = {
  committed: () => undefined,
  addProduct: () => undefined,
  changeInventory: () => undefined,
  addSale: () => undefined,
  setQuota: () => undefined,
};

async function openModelFixture(): Promise<SharingFixture> {
  const pump = new Pump();
  const { sim } = pump;
  const calm = healed(drawFaults(1, sqlFaults, new Set()));
  let faults: Faults = { ...calm, commitMs: 2, readMs: 1 };
  const store = new MemoryStore({ batchesAcrossSales: false });
  const server = new ModelServer({ sim, store, observer: deaf, faults: () => faults, terms });
  server.start();
  const drivers = new Map<SharingProcess, LosingDriver>();
  const join = async (): Promise<SharingProcess> => {
    const node = new SimNode(`process ${drivers.size + 1}`);
    const lose = <Value>(run: () => Value): Value => {
      const before = faults;
      faults = { ...before, lostCommitReply: 1 };
      try {
        return run();
      } finally {
        faults = before;
      }
    };
    const driver = new LosingDriver({ server, node, link: { isCut: false }, limits }, lose);
    const pace = { random: () => 0.5, sleep: (ms: number) => sim.sleep(ms, node) };
    const database = new ServerDatabase(driver, pace);
    const membership = await registerProcess(
      database,
      { name: node.name, roles: [], version: "0.0.0", secrets: "" },
      { nowMs: () => sim.now },
    );
    driver.client.number = membership.number;
    const changeFeed = new ServerChangeFeed(database, () => sim.now);
    await changeFeed.next();
    const process: SharingProcess = {
      number: membership.number,
      leases: pump.of(new ServerLeases(database, membership.number, () => sim.now)),
      changeFeed: pump.of(changeFeed),
      ledger: pump.of(new ServerLedger(database, { reopenDelayMs }, modelDecide({}))),
      catalogue: pump.of(modelCatalogue(database, server)),
      leave: () => pump.until(() => membership.leave()),
    };
    drivers.set(process, driver);
    return process;
  };
  return {
    reopenDelayMs,
    join: () => pump.until(join),
    pass: (ms) => pump.until(() => sim.sleep(ms)),
    nowMs: async () => server.nowMs(),
    loseAnswer: (process) => {
      must(drivers.get(process)).losesNext = true;
    },
    close: async () => undefined,
  };
}

/** Loses the answer of a commit on demand. */
class LosingDriver extends ModelDriver {
  losesNext = false;
  readonly #lose: <Value>(run: () => Value) => Value;

  constructor(deps: ConstructorParameters<typeof ModelDriver>[0], lose: <Value>(run: () => Value) => Value) {
    super(deps);
    this.#lose = lose;
  }

  override async connect(purpose: "write" | "read"): ReturnType<ModelDriver["connect"]> {
    const connection = await super.connect(purpose);
    const commit = connection.commit.bind(connection);
    connection.commit = () => {
      const loses = this.losesNext;
      this.losesNext = false;
      return loses ? this.#lose(commit) : commit();
    };
    return connection;
  }
}
