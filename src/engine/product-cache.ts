/**
 * Products as buyers read them: kept for a few seconds, so that a crowd on one page is one read of the store. An id that
 * names nothing is kept too, for a guesser of ids is a crowd as well.
 *
 *   get ─► kept and not expired? ─► yes: at once · no: one loader per id, however many ask
 *
 * Must stay true: what this process writes it forgets here before it answers, also while the id is being read, so that
 * nobody reads what is older than an answered write. Another process's write is seen when the entry expires; expiry is
 * spread, or what was read together would be read together for ever.
 */
import type { ProductId } from "../domain/ids.ts";
import type { Product } from "../domain/product.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Records } from "../ports/records.ts";

export type ProductCacheDeps = {
  readonly records: Pick<Records, "product">;
  readonly clock: Clock;
  readonly entropy: Pick<Entropy, "random">;
};

/** Of products, and of ids that name nothing: apart, so that made-up ids drive no product out. */
const entriesMax = 10_000;
/** On average; an entry lives half of it to one and a half. */
const keptForMs = 5_000;
const absentForMs = 1_000;

type Entry = { readonly product: Product | undefined; readonly untilMs: number };
type Loader = { readonly product: Promise<Product | undefined>; outdated: boolean };

export class ProductCache {
  readonly #deps: ProductCacheDeps;
  /** Oldest first, both. */
  readonly #entries = new Map<ProductId, Entry>();
  readonly #absent = new Map<ProductId, Entry>();
  readonly #loaders = new Map<ProductId, Loader>();
  /** Reads answered from memory, and reads of the store. */
  readonly counts = { hits: 0, loads: 0 };

  constructor(deps: ProductCacheDeps) {
    this.#deps = deps;
  }

  /** The product, or undefined for an id that names none. Throws StoreUnavailable, which is not kept. */
  async get(id: ProductId): Promise<Product | undefined> {
    const entry = this.#entries.get(id) ?? this.#absent.get(id);
    if (entry !== undefined && this.#deps.clock.nowMs() < entry.untilMs) {
      this.counts.hits += 1;
      return entry.product;
    }
    return (this.#loaders.get(id) ?? this.#load(id)).product;
  }

  /** After a write. Whoever is reading the id now keeps its answer to those who asked before. */
  forget(id: ProductId): void {
    this.#entries.delete(id);
    this.#absent.delete(id);
    const loader = this.#loaders.get(id);
    if (loader === undefined) return;
    loader.outdated = true;
    this.#loaders.delete(id);
  }

  #load(id: ProductId): Loader {
    this.counts.loads += 1;
    const loader: Loader = { product: this.#deps.records.product(id), outdated: false };
    this.#loaders.set(id, loader);
    void this.#finish(id, loader);
    return loader;
  }

  async #finish(id: ProductId, loader: Loader): Promise<void> {
    try {
      const product = await loader.product;
      if (!loader.outdated) this.#keep(id, product);
    } catch {
      // Those who wait for it hear why; nothing is kept.
    } finally {
      if (this.#loaders.get(id) === loader) this.#loaders.delete(id);
    }
  }

  #keep(id: ProductId, product: Product | undefined): void {
    const { clock, entropy } = this.#deps;
    const forMs = (product === undefined ? absentForMs : keptForMs) * (0.5 + entropy.random());
    this.#entries.delete(id);
    this.#absent.delete(id);
    const entries = product === undefined ? this.#absent : this.#entries;
    entries.set(id, { product, untilMs: clock.nowMs() + forMs });
    if (entries.size <= entriesMax) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  }
}
