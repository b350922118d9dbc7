/** Several processes sell the same few units of one sale on a real database server: all of them are sold, each once. */
import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eachLine, exitOf } from "../../src/adapters/load/child-process.ts";
import { onCleanup } from "../harness/cleanup.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { foreignEnvironment } from "../harness/server-process.ts";
import { bounded } from "../harness/wait.ts";
import { money, must, productId, sampleDraft, saleId } from "../kit/samples.ts";
import { EmptyStores } from "../kit/server-database.ts";

const maxMs = 180_000;
const stock = 60;
const id = saleId("70");
const hourMs = 3_600_000;

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `one hot sale on ${name}`, (engine) => {
    let stores: EmptyStores;
    const buyers: Buyer[] = [];
    beforeAll(async () => {
      stores = new EmptyStores(await engine().database("hot"));
    }, maxMs);
    afterEach(() => {
      for (const buyer of buyers.splice(0)) buyer.release();
    });
    afterAll(() => stores.close(), maxMs);

    /** What is wrong afterwards. */
    const sellBy = async (processes: number, plant: readonly string[] = []): Promise<string[]> => {
      const store = await stores.take();
      await store.catalogue.addProduct({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
      const nowMs = Date.now();
      const draft = sampleDraft({ stock, startsAtMs: nowMs - hourMs, endsAtMs: nowMs + hourMs });
      await store.catalogue.addSale({ id, draft, createdAtMs: 0 });
      await store.ledger.commit({
        nowMs,
        groups: [{ saleId: id, movements: [{ kind: "switch", change: { kind: "publish", pastAllowed: true } }] }],
      });
      await stores.giveBack(store);
      for (let number = 1; number <= processes; number++) buyers.push(new Buyer(stores.url, number, plant));
      for (const buyer of buyers) await buyer.ready();
      for (const buyer of buyers) buyer.go();
      const told = (await Promise.all(buyers.map((buyer) => buyer.told()))).flat();
      return problemsOf(told, must((await (await stores.look()).query<Kept>(kept, []))[0]));
    };

    test("[ST1, ST12] two processes sell all of it, and not one unit more", async () => expect(await sellBy(2)).toEqual([]), maxMs);

    test(
      "[ST1] what decides on rows that it did not lock is seen to oversell",
      async () => expect((await sellBy(2, ["planted"])).length).toBeGreaterThan(0),
      maxMs,
    );
  });

const kept = `SELECT (SELECT count(*) FROM purchase) AS purchases, (SELECT count(*) FROM ledger WHERE kind = 'take') AS entries,
  (SELECT sum(units) FROM ledger WHERE kind = 'take') AS units, held, available FROM sale WHERE id = 70`;
type Kept = Readonly<Record<"purchases" | "entries" | "units" | "held" | "available", number>>;

function problemsOf(told: readonly string[], { purchases, entries, units, held, available }: Kept): string[] {
  const should: readonly (readonly [string, number, number])[] = [
    ["told yes", told.length, stock],
    ["told yes, each once", new Set(told).size, stock],
    ["purchases kept", purchases, stock],
    ["entries of the ledger", entries, stock],
    ["units of the ledger", units, stock],
    ["units held", held, stock],
    ["units free", available, 0],
  ];
  return should.flatMap(([what, got, wanted]) => (Number(got) === wanted ? [] : [`${what}: ${got} instead of ${wanted}`]));
}

/** A process of hot-buyer.ts. */
class Buyer {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly release: () => void;

  constructor(url: string, number: number, plant: readonly string[]) {
    const args = ["--no-env-file", "--no-install", `${import.meta.dirname}/hot-buyer.ts`, url, id, String(number), ...plant];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], env: foreignEnvironment() });
    this.release = onCleanup(`hot buyer ${this.#child.pid}`, () => this.#child.kill("SIGKILL"));
    eachLine(this.#child.stdout, (line) => {
      if (line === "ready") this.#ready.resolve();
      else this.#lines.push(line);
    });
    void exitOf(this.#child).then((code) => this.#ready.reject(new Error(`a buyer ended with ${code}`)));
    this.#ready.promise.catch(() => undefined);
  }

  ready(): Promise<void> {
    return bounded("a buyer's start", 30_000, this.#ready.promise);
  }

  go(): void {
    this.#child.stdin?.end("go\n");
  }

  /** Which purchases it was told yes to. */
  async told(): Promise<string[]> {
    const code = await bounded("a buyer's end", 60_000, exitOf(this.#child));
    if (code !== 0) throw new Error(`a buyer ended with ${code}`);
    // A list of ids, as it writes it.
    return JSON.parse(this.#lines.join("\n")) as string[];
  }
}
