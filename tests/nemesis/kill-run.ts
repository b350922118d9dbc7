/**
 * A sale under fire: buyers storm it while the server is killed with -9 at random instants and started again on the same
 * data. The crowd repeats what it does not know under the same key, pays, cancels and lets orders expire. At the end
 * every accepted order is read, the server is stopped and the checker judges the store and the crowd's record.
 *
 * The seed fixes who does what and when each kill comes; how the machine interleaves them it cannot fix.
 */
import { join } from "node:path";
import { HistoryFile, shortHash } from "../../src/adapters/load/history-file.ts";
import { HttpLoadClient } from "../../src/adapters/load/http-load-client.ts";
import { SystemClock } from "../../src/adapters/system/system-clock.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import { ask, live, type Stage } from "../../src/engine/rehearsal/buyer.ts";
import { HistoryRecorder } from "../../src/engine/rehearsal/history-recorder.ts";
import { buyerPlan } from "../../src/engine/rehearsal/plan.ts";
import { ShopClient } from "../../src/engine/rehearsal/shop-client.ts";
import { Tally } from "../../src/engine/rehearsal/tally.ts";
import { SeededRandom } from "../../src/lib/seeded-random.ts";
import type { LoadClient } from "../../src/ports/load-client.ts";
import { apiKey, ServerProcess, type ServerOptions } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore, type StoreVerdict } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { pause, waitFor } from "../harness/wait.ts";

export type KillRunOptions = {
  readonly seed: number;
  readonly cycles: number;
  /** Another server than the product: a planted bug. */
  readonly entry?: ServerOptions["entry"];
};
export type KillRun = {
  readonly verdict: StoreVerdict;
  readonly tally: Tally;
  readonly counts: HistoryRecorder["counts"];
  readonly unreadable: readonly string[];
  readonly restartMs: readonly number[];
};

const buyersAtOnce = 24;
const stockPerSale = 60;
const inventoryUnits = 1_000_000;
const endsSoonShare = 0.5;
const endsSoonMs = 1_500;
/** A kill comes this long after the server was ready. */
const livesMs = { min: 30, max: 600 };
/** One start in so many is killed before it is ready, this long after it began. */
const killedStartShare = 0.2;
const startingMs = { min: 50, max: 400 };

export async function killRun({ seed, cycles, entry }: KillRunOptions): Promise<KillRun> {
  const folder = tempFolder();
  const options: ServerOptions = { dataDir: join(folder.path, "data"), ...(entry !== undefined && { entry }) };
  const battle = new Battle(options, join(folder.path, "history.jsonl"), seed);
  try {
    return await battle.run(cycles);
  } finally {
    await battle.end();
    folder.release();
  }
}

class Battle {
  readonly #options: ServerOptions;
  readonly #history: HistoryFile;
  readonly #recorder: HistoryRecorder;
  readonly #random: SeededRandom;
  readonly #seed: number;
  readonly #tally = new Tally();
  readonly #clock = new SystemClock();
  readonly #tasks = new SystemTasks();
  readonly #restartMs: number[] = [];
  /** Undefined while the server is down: buyers wait for the next one, as behind a balancer. */
  #server: ServerProcess | undefined;
  #saleId = "";
  #productId: string | undefined;
  #nextBuyer = 0;
  #isOver = false;

  constructor(options: ServerOptions, historyPath: string, seed: number) {
    this.#options = options;
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#history = new HistoryFile(historyPath);
    const tools = { append: (line: string) => this.#history.append(line), nowMs: () => performance.now(), hash: shortHash };
    this.#recorder = new HistoryRecorder({ ...tools, proc: "crowd" });
  }

  async run(cycles: number): Promise<KillRun> {
    await this.#start();
    await this.#openSale();
    const buyers = Array.from({ length: buyersAtOnce }, () => this.#buyLoop());
    for (let cycle = 0; cycle < cycles; cycle++) {
      await pause(this.#random.between(livesMs.min, livesMs.max));
      await this.#kill();
      if (this.#random.next() < killedStartShare) await this.#dieStarting();
      await this.#start();
      await this.#openSale();
    }
    this.#isOver = true;
    await Promise.all(buyers);
    const unreadable = await this.#readAll();
    const exitCode = await this.#stop();
    if (exitCode !== 0) this.#tally.broken(`the graceful stop after the last kill ended with ${exitCode}`);
    const verdict = await verifyStore(this.#options.dataDir, { history: this.#history.path });
    return { verdict, tally: this.#tally, counts: this.#recorder.counts, unreadable, restartMs: this.#restartMs };
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#server?.kill();
    this.#history.close();
  }

  async #start(): Promise<void> {
    const began = performance.now();
    this.#server = await ServerProcess.start(this.#options);
    this.#restartMs.push(performance.now() - began);
  }

  /** A start that is killed on its way: while it recovers, migrates, or takes the data folder's lock. */
  async #dieStarting(): Promise<void> {
    const server = ServerProcess.spawn(this.#options);
    await pause(this.#random.between(startingMs.min, startingMs.max));
    await server.kill();
  }

  async #kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.kill();
  }

  async #stop(): Promise<number> {
    const server = this.#server;
    this.#server = undefined;
    return (await server?.stop()) ?? -1;
  }

  /**
   * A fresh sale for each life of the server, small enough to sell out in some of them. All are of one counted product, and
   * some end soon, so that kills fall between a sale's last order, its settling and the next one's publishing.
   */
  async #openSale(): Promise<void> {
    const shop = new Shop(() => this.#server?.url ?? "");
    await this.#keepProduct(shop);
    const soon = this.#random.next() < endsSoonShare ? { ends_at: new Date(Date.now() + endsSoonMs).toISOString() } : {};
    const terms = { stock: stockPerSale, per_buyer_limit: 1, pay_window_seconds: 1 };
    this.#saleId = await shop.liveSale({ product_id: this.#productId, ...terms, ...soon });
  }

  async #keepProduct(shop: Shop): Promise<void> {
    if (this.#productId !== undefined && (await shop.get(`/api/v1/products/${this.#productId}`)).status === 200) return;
    if (this.#productId !== undefined) this.#tally.broken(`product ${this.#productId} was answered 201 and is gone`);
    this.#productId = await shop.product({ inventory: inventoryUnits });
  }

  /** Buyers one after another, each in the sale that is open when it comes. */
  async #buyLoop(): Promise<void> {
    while (!this.#isOver) {
      const saleId = this.#saleId;
      const stage = this.#stage(saleId);
      const plan = buyerPlan(this.#seed, this.#nextBuyer++);
      const { order } = await ask(stage, plan);
      if (order !== undefined) await live(stage, order, plan.aftermath);
      if (order === undefined) await pause(5);
    }
  }

  #stage(saleId: string): Stage {
    const shop = new ShopClient(this.#load(), { apiKey, recorder: this.#recorder });
    return { shop, tally: this.#tally, clock: this.#clock, tasks: this.#tasks, saleId, payWindowMs: 1_000 };
  }

  /** Sends to the server there is; while there is none, waits for the next instead of wearing out the buyer's patience. */
  #load(): LoadClient {
    return {
      send: async (request) => {
        const server = await waitFor("a server", () => this.#server, { withinMs: 30_000 });
        return new HttpLoadClient({ origin: server.url, timeoutMs: 10_000 }).send(request);
      },
    };
  }

  async #readAll(): Promise<string[]> {
    const stage = this.#stage(this.#saleId);
    const unreadable: string[] = [];
    for (const { id, buyer } of this.#tally.orders.values()) {
      const reply = await stage.shop.read(id, buyer);
      if (reply.kind !== "ok") unreadable.push(`${id}: ${reply.reason}`);
    }
    return unreadable;
  }
}
