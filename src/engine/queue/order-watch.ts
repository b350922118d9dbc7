/**
 * Waits for lines to become orders: one question to the store for all that anybody waits for, every few milliseconds while
 * somebody does.
 */
import type { PurchaseId } from "../../domain/ids.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Records } from "../../ports/records.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { Tasks } from "../../ports/tasks.ts";

const lookEveryMs = 20;
const idsPerLook = 1_000;

type Wait = { readonly untilMs: number; readonly resolve: (purchase: Purchase | undefined) => void };

export class OrderWatch {
  readonly #deps: { readonly records: Pick<Records, "purchasesWithIds">; readonly clock: Clock; readonly tasks: Tasks };
  readonly #waits = new Map<PurchaseId, Wait[]>();
  #isLooking = false;

  constructor(deps: { records: Pick<Records, "purchasesWithIds">; clock: Clock; tasks: Tasks }) {
    this.#deps = deps;
  }

  /** The purchase once it is reserved or refused; undefined when that takes until then. */
  wait(id: PurchaseId, untilMs: number): Promise<Purchase | undefined> {
    return new Promise((resolve) => {
      const wait = { untilMs, resolve };
      const others = this.#waits.get(id);
      if (others === undefined) this.#waits.set(id, [wait]);
      else others.push(wait);
      if (!this.#isLooking) void this.#look();
    });
  }

  async #look(): Promise<void> {
    const { clock, tasks } = this.#deps;
    this.#isLooking = true;
    while (this.#waits.size > 0) {
      await tasks.sleep(lookEveryMs);
      for (const purchase of await this.#settled()) this.#end(purchase.id, () => true, purchase);
      const nowMs = clock.nowMs();
      for (const id of this.#waits.keys()) this.#end(id, ({ untilMs }) => nowMs >= untilMs, undefined);
    }
    this.#isLooking = false;
  }

  async #settled(): Promise<Purchase[]> {
    const ids = [...this.#waits.keys()];
    const settled: Purchase[] = [];
    try {
      for (let at = 0; at < ids.length; at += idsPerLook)
        for (const purchase of await this.#deps.records.purchasesWithIds(ids.slice(at, at + idsPerLook)))
          if (purchase.state !== "queued" && purchase.state !== "stuck") settled.push(purchase);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    return settled;
  }

  #end(id: PurchaseId, which: (wait: Wait) => boolean, purchase: Purchase | undefined): void {
    const waits = this.#waits.get(id) ?? [];
    const left = waits.filter((wait) => !which(wait));
    for (const wait of waits) if (which(wait)) wait.resolve(purchase);
    if (left.length > 0) this.#waits.set(id, left);
    else this.#waits.delete(id);
  }
}
