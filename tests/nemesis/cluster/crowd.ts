/**
 * Buyers who storm the sales of an installation while it breaks, and a record of every answer. Whoever does not know
 * asks again under the same key until it is definite; some ask for more than they may; some give back or pay.
 */
import { join } from "node:path";
import { HistoryFile, shortHash } from "../../../src/adapters/load/history-file.ts";
import { HttpLoadClient } from "../../../src/adapters/load/http-load-client.ts";
import { HistoryRecorder } from "../../../src/engine/rehearsal/history-recorder.ts";
import { ShopClient, type ShopReply } from "../../../src/engine/rehearsal/shop-client.ts";
import { SeededRandom } from "../../../src/lib/seeded-random.ts";
import type { LoadClient } from "../../../src/ports/load-client.ts";
import { apiKey } from "../../harness/server-process.ts";
import { pause, waitFor } from "../../harness/wait.ts";
import type { Cluster } from "./cluster.ts";

const buyersAtOnce = 12;
const answerMaxMs = 7_000;
/** Who knows nothing for so long after the faults are healed is lost. */
const patienceMs = 90_000;
/** Between two buyers on one place: the machine has other work. */
const breathMs = 15;
const asyncShare = 0.4;
const greedyShare = 0.25;
const cancelShare = 0.2;
const payShare = 0.2;

export class Crowd {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #history: HistoryFile;
  readonly #shop: ShopClient;
  readonly #prefix: string;
  #sales: readonly string[] = [];
  #next = 0;
  #isOver = true;
  #running: Promise<void>[] = [];
  readonly recorder: HistoryRecorder;
  /** Accepted purchases with their buyers. */
  readonly accepted = new Map<string, string>();
  /** Buyers who never heard anything definite. */
  readonly undecided: string[] = [];
  readonly reasons = new Map<string, number>();

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(seed);
    this.#prefix = `n${seed}`;
    this.#history = new HistoryFile(join(cluster.folder, "history.jsonl"));
    const tools = { append: (line: string) => this.#history.append(line), nowMs: () => performance.now(), hash: shortHash, proc: "crowd" };
    this.recorder = new HistoryRecorder(tools);
    this.#shop = new ShopClient(this.#load(), { apiKey, recorder: this.recorder });
  }

  get historyPath(): string {
    return this.#history.path;
  }

  start(sales: readonly string[]): void {
    this.#sales = sales;
    this.#isOver = false;
    this.#running = Array.from({ length: buyersAtOnce }, () => this.#place());
  }

  /** Nobody new comes; resolves when everybody there knows. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  close(): void {
    this.#isOver = true;
    this.#history.close();
  }

  /** One buyer more, who asks until it is definite. */
  buy(saleId: string): Promise<ShopReply> {
    const buyer = `${this.#prefix}-${this.#next++}`;
    return this.#ask(saleId, buyer, "k1");
  }

  /** A purchase as it is answered once, by this process. */
  async buyOnceAt(url: string, saleId: string): Promise<ShopReply> {
    const buyer = `${this.#prefix}-${this.#next++}`;
    const load = new HttpLoadClient({ origin: url, timeoutMs: answerMaxMs });
    const reply = await new ShopClient(load, { apiKey, recorder: this.recorder }).purchase({ saleId, buyer, key: "k1" });
    this.#note(reply, buyer);
    return reply;
  }

  /** Every purchase that was ever answered with a yes; those of which nobody can say anything. */
  async unreadable(): Promise<string[]> {
    const gone: string[] = [];
    for (const [id, buyer] of this.accepted) {
      const reply = await this.#untilDefinite(() => this.#shop.read(id, buyer));
      if (reply?.kind !== "ok") gone.push(`${id}: ${reply?.reason}`);
    }
    return gone;
  }

  async #place(): Promise<void> {
    while (!this.#isOver) {
      const saleId = this.#sales[this.#random.between(0, this.#sales.length - 1)] ?? "";
      const buyer = `${this.#prefix}-${this.#next++}`;
      const chance = this.#random.next();
      const isGreedy = this.#random.next() < greedyShare;
      const reply = await this.#ask(saleId, buyer, "k1");
      if (isGreedy) await this.#ask(saleId, buyer, "k2");
      if (reply.kind === "ok" && reply.status === 201) await this.#live(reply, buyer, chance);
      await pause(breathMs);
    }
  }

  async #live(reply: ShopReply, buyer: string, chance: number): Promise<void> {
    const { id, amount_minor: amountMinor, currency } = reply.data;
    const order = String(id);
    if (chance < cancelShare) await this.#untilDefinite(() => this.#shop.cancel(order, buyer));
    else if (chance < cancelShare + payShare)
      await this.#untilDefinite(() =>
        this.#shop.payExternally(order, buyer, { captureId: `c-${order}`, amountMinor: Number(amountMinor), currency: String(currency) }),
      );
  }

  async #ask(saleId: string, buyer: string, key: string): Promise<ShopReply> {
    const reply = await this.#untilDefinite(
      () => this.#shop.purchase({ saleId, buyer, key }),
      (each) => this.#note(each, buyer),
    );
    if (reply !== undefined) return reply;
    this.undecided.push(`${buyer} ${key}`);
    return { kind: "unknown", status: undefined, code: undefined, reason: "never", data: {}, body: "", replayed: false, latencyMs: 0 };
  }

  #note(reply: ShopReply, buyer: string): void {
    const name = `${reply.status ?? "lost"} ${reply.reason}`;
    this.reasons.set(name, (this.reasons.get(name) ?? 0) + 1);
    if (reply.kind === "ok" && typeof reply.data["id"] === "string") this.accepted.set(reply.data["id"], buyer);
  }

  async #untilDefinite(send: () => Promise<ShopReply>, each: (reply: ShopReply) => void = () => undefined): Promise<ShopReply | undefined> {
    const untilMs = performance.now() + patienceMs;
    while (performance.now() < untilMs) {
      const reply = await send();
      each(reply);
      if (reply.kind === "ok" || (reply.kind === "no" && reply.status !== 503 && reply.status !== 429)) return reply;
      await pause(this.#random.between(50, 250));
    }
    return undefined;
  }

  /** To any of the processes that are up, as a balancer would that repeats nothing. */
  #load(): LoadClient {
    return {
      send: async (request) => {
        const up = () => this.#cluster.apis.flatMap(({ url }) => (url === undefined ? [] : [url]));
        const urls = await waitFor("a process that answers", () => (up().length > 0 ? up() : undefined), { withinMs: 60_000 });
        const origin = urls[this.#random.between(0, urls.length - 1)] ?? "";
        const isPurchase = request.path.endsWith("/purchases");
        const prefer = isPurchase && this.#random.next() < asyncShare ? { prefer: "respond-async" } : {};
        return new HttpLoadClient({ origin, timeoutMs: answerMaxMs }).send({ ...request, headers: { ...request.headers, ...prefer } });
      },
    };
  }
}
