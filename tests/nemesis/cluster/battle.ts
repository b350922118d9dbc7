/**
 * A crowd storms an installation while faults strike it, one after the other. After each: it sells again soon, everything
 * accepted is settled soon, and `verify` finds ledger, cache, broker and the crowd's record in agreement. Nobody helps it.
 */
import { join } from "node:path";
import { Shop } from "../../harness/shop.ts";
import { verifyStore, type StoreVerdict } from "../../harness/verify-store.ts";
import { waitFor } from "../../harness/wait.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { Crowd } from "./crowd.ts";
import type { Fault } from "./faults.ts";

export type BattleOptions = ClusterOptions & {
  readonly seed: number;
  /** How much longer than on a machine of their own things may take. */
  readonly patience?: number | undefined;
  /** How long everything may take to agree; where a bug is planted it never does. */
  readonly restMaxMs?: number | undefined;
  readonly tell?: ((line: string) => void) | undefined;
};

export type Round = { readonly fault: string; readonly reopenedMs: number; readonly restMs: number };
export type Outcome = {
  readonly rounds: readonly Round[];
  /** What broke a promise, in words. */
  readonly problems: readonly string[];
  readonly verdict: StoreVerdict | undefined;
  readonly accepted: number;
  readonly unknowns: number;
};

/** What is promised on a machine of their own. */
const reopenMaxMs = 10_000;
const restDefaultMs = 30_000;
const scarceUnits = 40;
const manyUnits = 5_000;
const warmUpAccepts = 15;
const healedAccepts = 15;

export async function battle(faults: readonly Fault[], options: BattleOptions): Promise<Outcome> {
  await using cluster = await Cluster.open(options);
  const run = new Battle(cluster, options);
  try {
    for (const fault of faults) if (!(await run.round(fault))) break;
    return await run.end();
  } finally {
    run.close();
  }
}

class Battle {
  readonly #cluster: Cluster;
  readonly #crowd: Crowd;
  readonly #options: BattleOptions;
  readonly #patience: number;
  readonly #rounds: Round[] = [];
  readonly #problems: string[] = [];
  #verdict: StoreVerdict | undefined;
  #told: ReadonlySet<string> = new Set();

  constructor(cluster: Cluster, options: BattleOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#patience = options.patience ?? 1;
    this.#crowd = new Crowd(cluster, options.seed);
  }

  close(): void {
    this.#crowd.close();
  }

  /** Whether it may go on. */
  async round(fault: Fault): Promise<boolean> {
    const { tell = () => undefined } = this.#options;
    try {
      const sales = await this.#openSales();
      const [, many = ""] = sales;
      const crowd = this.#crowd;
      const before = crowd.accepted.size;
      crowd.start(sales);
      await waitFor("a crowd that buys", () => crowd.accepted.size >= before + warmUpAccepts, { withinMs: 30_000 * this.#patience });
      await fault.strike(this.#cluster);
      const healedMs = performance.now();
      await this.#sellsAgain(many, healedMs);
      const reopenedMs = performance.now() - healedMs;
      const reopened = crowd.accepted.size;
      await waitFor("a crowd that buys again", () => crowd.accepted.size >= reopened + healedAccepts, {
        withinMs: 30_000 * this.#patience,
      });
      await crowd.stop();
      const restMs = await this.#comesToRest();
      this.#rounds.push({ fault: fault.name, reopenedMs, restMs });
      tell(`${fault.name}: sold again after ${reopenedMs.toFixed(0)} ms, at rest after ${restMs.toFixed(0)} ms`);
    } catch (error) {
      await this.#crowd.stop();
      this.#problems.push(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#look(fault.name);
    for (const problem of this.#problems) tell(`BROKEN ${problem}`);
    return this.#problems.length === 0;
  }

  async end(): Promise<Outcome> {
    if (this.#problems.length === 0) {
      const unreadable = await this.#crowd.unreadable();
      this.#problems.push(...unreadable.map((text) => `accepted and not to be read: ${text}`));
      for (const member of this.#cluster.members) {
        const code = await member.stop();
        if (code !== 0) this.#problems.push(`${member.name} stopped with ${code}`);
      }
      this.#verdict = await this.#verify();
      this.#problems.push(...this.#verdict.problems);
    }
    const { accepted, recorder } = this.#crowd;
    return {
      rounds: this.#rounds,
      problems: this.#problems,
      verdict: this.#verdict,
      accepted: accepted.size,
      unknowns: recorder.counts.info,
    };
  }

  /** A scarce one that sells out, and one with plenty. */
  async #openSales(): Promise<string[]> {
    const shop = new Shop(() => this.#cluster.apis.find(({ url }) => url !== undefined)?.url ?? "", { isShared: true });
    const terms = { per_buyer_limit: 1, pay_window_seconds: 900 };
    return [await shop.liveSale({ ...terms, stock: scarceUnits }), await shop.liveSale({ ...terms, stock: manyUnits })];
  }

  /** Each process that answers accepts somebody new. */
  async #sellsAgain(saleId: string, healedMs: number): Promise<void> {
    for (const api of this.#cluster.apis) {
      const withinMs = Math.max(1_000, reopenMaxMs * this.#patience - (performance.now() - healedMs));
      await waitFor(
        `${api.name} sells again`,
        async () => api.url !== undefined && (await this.#crowd.buyOnceAt(api.url, saleId)).kind === "ok",
        { withinMs, everyMs: 100 },
      );
    }
  }

  async #comesToRest(): Promise<number> {
    const startedMs = performance.now();
    let last: readonly string[] = [];
    try {
      await waitFor(
        "agreement of ledger, cache, broker and record",
        async () => {
          // A machine that is busy healing may not answer it in time.
          last = await this.#verify().then(
            ({ problems }) => problems,
            (error: unknown) => [String(error)],
          );
          return last.length === 0;
        },
        { withinMs: (this.#options.restMaxMs ?? restDefaultMs) * this.#patience, everyMs: 200 },
      );
    } catch (error) {
      throw new Error(`${String(error)}\n${last.slice(0, 30).join("\n")}`, { cause: error });
    }
    return performance.now() - startedMs;
  }

  #verify(): Promise<StoreVerdict> {
    const { folder, environment } = this.#cluster;
    return verifyStore(join(folder, "verify"), { history: this.#crowd.historyPath, atRest: true, env: environment });
  }

  /** What nobody may have to help with. */
  #look(fault: string): void {
    const ended = this.#cluster.members.flatMap((member) => member.ended ?? []);
    this.#problems.push(...ended.map((text) => `${fault}: ${text}`));
    this.#problems.push(...this.#crowd.undecided.map((text) => `${fault}: ${text} never heard anything definite`));
    // Not a broken promise by itself, but somebody should know why.
    const errors = new Set(this.#cluster.members.flatMap((member) => member.errors.map((line) => `${member.name} ${line.slice(0, 300)}`)));
    for (const line of errors) if (!this.#told.has(line)) this.#options.tell?.(`logged as an error: ${line}`);
    this.#told = errors;
    const internal = [...this.#crowd.reasons.keys()].filter((name) => name.startsWith("500 "));
    this.#problems.push(...internal.map((name) => `${fault}: a buyer was told ${name}`));
  }
}
