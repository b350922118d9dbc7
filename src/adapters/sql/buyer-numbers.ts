/**
 * Numbers of buyers. They are asked for with every purchase by server key, so those known are remembered, and what is
 * asked while a write is under way goes into the next one together.
 */
import type { Buyer, BuyerId } from "../../domain/ids.ts";
import { assert } from "../../lib/assert.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";

/** Numbers never change, so a cache needs no more than a bound. */
const buyersRememberedMax = 100_000;
const internBatchMax = 1_000;
/** New buyers that wait for a stalled store; beyond it nothing is tried. */
const internWaitingMax = 10_000;

type Waiting = {
  readonly buyer: Buyer;
  readonly name: string;
  readonly resolve: (id: BuyerId) => void;
  readonly reject: (error: unknown) => void;
};
/** One number per buyer, in order. */
type Intern = (buyers: readonly Buyer[]) => Promise<readonly BuyerId[]>;

export class BuyerNumbers {
  readonly #intern: Intern;
  /** Two generations: when the young one is full the old one is forgotten, so what is used stays. */
  #young = new Map<string, BuyerId>();
  #old = new Map<string, BuyerId>();
  #waiting: Waiting[] = [];
  #interning = false;

  constructor(intern: Intern) {
    this.#intern = intern;
  }

  async of(buyers: readonly Buyer[]): Promise<readonly BuyerId[]> {
    const known: BuyerId[] = [];
    for (const { issuer, subject } of buyers) {
      const id = this.#recall(`${issuer}\n${subject}`);
      if (id === undefined) return Promise.all(buyers.map(async (buyer) => this.#numberOf(buyer)));
      known.push(id);
    }
    return known;
  }

  #numberOf(buyer: Buyer): BuyerId | Promise<BuyerId> {
    const name = `${buyer.issuer}\n${buyer.subject}`;
    const known = this.#recall(name);
    if (known !== undefined) return known;
    if (this.#waiting.length >= internWaitingMax) throw new StoreUnavailable("unavailable", "Too many new buyers wait for the store");
    return new Promise((resolve, reject) => {
      this.#waiting.push({ buyer, name, resolve, reject });
      if (!this.#interning) void this.#internWaiting();
    });
  }

  async #internWaiting(): Promise<void> {
    this.#interning = true;
    // What is asked for in this turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, internBatchMax);
      try {
        const ids = await this.#intern(batch.map(({ buyer }) => buyer));
        for (const [i, { name, resolve }] of batch.entries()) {
          const id = ids[i];
          assert(id !== undefined, "every buyer gets an id");
          this.#remember(name, id);
          resolve(id);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#interning = false;
  }

  #recall(name: string): BuyerId | undefined {
    const id = this.#young.get(name);
    if (id !== undefined) return id;
    const older = this.#old.get(name);
    if (older !== undefined) this.#remember(name, older);
    return older;
  }

  #remember(name: string, id: BuyerId): void {
    if (this.#young.size >= buyersRememberedMax / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, id);
  }
}
