/** Keys of accepted purchases and ids of callbacks come once (I8). Fingerprints find what may be a repeat, a second look confirms. */
import type { Purchase } from "../../domain/purchase.ts";
import type { AuditSource } from "../../ports/audit-source.ts";
import type { Check, Checks } from "./check.ts";
import { TextSet } from "./text-set.ts";

export class KeyCheck {
  readonly #check: Check;
  readonly #keys = new TextSet();
  readonly #suspects = new Set<string>();

  constructor(checks: Checks) {
    this.#check = checks.of("I8");
  }

  purchase(purchase: Purchase): void {
    const name = nameOf(purchase);
    if (name === undefined) return;
    this.#check.count();
    if (!this.#keys.add(name)) this.#suspects.add(name);
  }

  async end(source: AuditSource): Promise<void> {
    if (this.#suspects.size > 0) await this.#confirm(source);
    const callbacks = new Set<string>();
    for await (const page of source.callbacks())
      for (const id of page) {
        this.#check.count();
        if (callbacks.has(id)) this.#check.off(`callback ${id}`, "was applied twice");
        callbacks.add(id);
      }
  }

  async #confirm(source: AuditSource): Promise<void> {
    const first = new Map<string, string>();
    for await (const page of source.purchases())
      for (const purchase of page) {
        const name = nameOf(purchase);
        if (name === undefined || !this.#suspects.has(name)) continue;
        const id = first.get(name);
        if (id === undefined) first.set(name, purchase.id);
        else this.#check.off(`purchase ${purchase.id}`, `has the key "${purchase.key}" of purchase ${id}`);
      }
  }
}

function nameOf({ saleId, buyerId, key, state }: Purchase): string | undefined {
  return key === undefined || state === "refused" ? undefined : `${saleId}\n${buyerId}\n${key}`;
}
