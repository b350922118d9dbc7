/**
 * Judges every answer a buyer got to a purchase, by the auditor's books: a yes must be durable and equal for every
 * repeat of its key, a no must have a ground within the time the request was out, and what was answered with a definite
 * no must not exist afterwards.
 */
import { groundOf, holds, type AuditedPurchase } from "./auditor-state.ts";
import { envelopeOf, type Attempt, type Fate } from "./history.ts";
import type { Reply } from "./server.ts";
import type { World } from "./world.ts";

/** What an extension is to give, said again. */
const stretchMs = 60_000;
export const issuer = "shop";
export const subjectOf = (buyer: number): string => `u${buyer}`;

export class Judge {
  readonly attempts: Attempt[] = [];
  readonly #world: World;
  /** By order: the deadlines that its buyer named when it asked for more time. */
  readonly #extensions = new Map<string, Set<string>>();
  /** The one body of a key. */
  readonly #bodies = new Map<string, string>();
  readonly #keylessIds = new Set<string>();
  /** By order: whether a cancellation was asked for whose fate is not a definite no. */
  readonly #cancels = new Map<string, { readonly tries: number; readonly open: boolean }>();

  constructor(world: World) {
    this.#world = world;
  }

  invoked(ask: Pick<Attempt, "buyer" | "saleId" | "key" | "quantity" | "note">): Attempt {
    const { sim } = this.#world;
    const attempt: Attempt = {
      ...ask,
      number: this.attempts.length + 1,
      invokedMs: sim.now,
      endedMs: Infinity,
      fate: { kind: "open" },
      copied: false,
    };
    this.attempts.push(attempt);
    return attempt;
  }

  answered(attempt: Attempt, fate: Fate, reply: Reply): void {
    const { sim } = this.#world;
    attempt.endedMs = sim.now;
    attempt.fate = fate;
    attempt.copied = reply.copied;
    sim.log(`buyer ${attempt.buyer} attempt ${attempt.number} ${attempt.key ?? "-"} ${nameOf(fate)}`);
    sim.probe(`purchase ${nameOf(fate)}`);
    if (fate.kind === "accepted") this.#accepted(attempt, fate);
    if (fate.kind === "refused") this.#refused(attempt, fate.reason);
    if (fate.kind === "untried" && fate.reason === "internal")
      sim.check(attempt.note?.includes("poison") === true, "answers", () => `attempt ${attempt.number} was answered 500`);
  }

  /** A cancellation was answered: whoever was told that nothing was tried must find nothing done. */
  cancelled(id: string, reply: Reply): void {
    const asked = this.#cancels.get(id) ?? { tries: 0, open: false };
    const definite =
      reply.kind === "down" || (reply.kind === "answer" && (reply.status === 503 || (reply.status >= 400 && reply.status < 500)));
    this.#cancels.set(id, { tries: asked.tries + 1, open: asked.open || !definite || reply.copied });
  }

  /** More time was asked for: whoever was told yes has more than it saw, and a deadline named is good for one stretch. */
  extended({ id, payBy }: { id: string; payBy: string }, reply: Reply): void {
    const named = this.#extensions.get(id) ?? new Set();
    this.#extensions.set(id, named.add(payBy));
    if (reply.kind !== "answer" || reply.status !== 200) return;
    const told = Date.parse(String(envelopeOf(reply.text).data["pay_by"]));
    const gainMs = told - Date.parse(payBy);
    this.#world.sim.check(gainMs >= stretchMs, "OR11", () => `order ${id} was given ${gainMs} ms more than until ${payBy}: ${reply.text}`);
  }

  #judgeExtensions(): void {
    for (const { id, extensions } of this.#world.store.tables.purchases.values()) {
      const named = this.#extensions.get(id)?.size ?? 0;
      this.#world.sim.check(
        extensions <= named,
        "OR11",
        () => `order ${id} has ${extensions} extensions, its buyer named ${named} deadlines`,
      );
    }
  }

  #judgeCancels(): void {
    for (const { id, state } of this.#world.auditor.books.purchases.values())
      if (state === "cancelled")
        this.#world.sim.check(
          this.#cancels.get(id)?.open === true,
          "answers",
          () => `order ${id} is cancelled, though its buyer was told that nothing was tried`,
        );
  }

  /** After everything is quiet: no order without a yes or a maybe, no yes without its order. */
  finish(): void {
    const { sim, auditor, store } = this.#world;
    this.#judgeCancels();
    this.#judgeExtensions();
    const kept = new Set<string>(store.tables.purchases.keys());
    for (const { fate } of this.attempts)
      if (fate.kind === "accepted" || fate.kind === "queued") {
        const { id } = fate;
        sim.check(kept.has(id), "I4", () => `accepted purchase ${id} is gone`);
        const { state } = auditor.books.purchases.get(id) ?? {};
        sim.check(state !== "queued", "I5", () => `accepted purchase ${id} has not settled`);
        const isLost = state === "refused" && (fate.kind === "accepted" || !this.#world.mayRefuseTold(id));
        sim.check(!isLost, "QL5", () => `purchase ${id} was told to be accepted, and is refused`);
      }
    const asked = new Map<string, Attempt[]>();
    for (const attempt of this.attempts) {
      const group = groupOf(attempt.saleId, this.#buyerId(attempt.buyer), attempt.key);
      asked.set(group, [...(asked.get(group) ?? []), attempt]);
    }
    const found = new Map<string, AuditedPurchase[]>();
    for (const purchase of auditor.books.purchases.values()) {
      const group = groupOf(purchase.sale.id, purchase.buyer, purchase.key);
      found.set(group, [...(found.get(group) ?? []), purchase]);
    }
    for (const [group, purchases] of found) this.#judgeGroup(group, purchases, asked.get(group) ?? []);
  }

  #judgeGroup(group: string, all: readonly AuditedPurchase[], attempts: readonly Attempt[]): void {
    const { sim } = this.#world;
    // A line that was refused after all is no purchase.
    const purchases = all.filter(holds);
    const open = attempts.filter(({ fate, copied }) => ["accepted", "queued", "unknown", "open"].includes(fate.kind) || copied);
    const keyed = attempts[0]?.key !== undefined;
    const most = keyed ? Math.min(1, open.length) : open.length;
    sim.check(
      purchases.length <= most,
      "I7",
      () => `${group} has ${purchases.length} purchases, its ${attempts.length} attempts allow ${most}`,
    );
    for (const purchase of purchases)
      sim.check(
        attempts.some((attempt) => attempt.quantity === purchase.quantity && metadataOf(attempt) === purchase.metadata),
        "I7",
        () => `purchase ${purchase.id} is not what anybody asked for`,
      );
  }

  #accepted(attempt: Attempt, fate: Extract<Fate, { kind: "accepted" }>): void {
    const { sim, auditor } = this.#world;
    const { id, text } = fate;
    const name = `attempt ${attempt.number}`;
    const purchase = auditor.books.purchases.get(id);
    if (purchase === undefined) return sim.violate("I4", `${name} was answered 201 with purchase ${id}, which is not durable`);
    const { data } = envelopeOf(text);
    const amount = purchase.sale.priceMinor * attempt.quantity;
    const right =
      purchase.buyer === this.#buyerId(attempt.buyer) && purchase.sale.id === attempt.saleId && purchase.quantity === attempt.quantity;
    sim.check(right && purchase.key === attempt.key, "I8", () => `${name} was answered with purchase ${id} of somebody else: ${text}`);
    sim.check(
      data["state"] === "reserved" && data["amount_minor"] === amount,
      "I8",
      () => `${name} was answered with a wrong body: ${text}`,
    );
    if (attempt.key === undefined) {
      sim.check(!this.#keylessIds.has(id), "I8", () => `purchase ${id} was given to two attempts without a key`);
      this.#keylessIds.add(id);
      return;
    }
    const group = groupOf(attempt.saleId, purchase.buyer, attempt.key);
    const first = this.#bodies.get(group);
    if (first === undefined) this.#bodies.set(group, text);
    else sim.check(first === text, "I8", () => `${name} got another body than the first 201 of its key: ${text} after ${first}`);
  }

  #refused(attempt: Attempt, reason: string): void {
    const { sim, auditor } = this.#world;
    const { books } = auditor;
    const { invokedMs, endedMs, saleId, key } = attempt;
    const name = `attempt ${attempt.number} of buyer ${attempt.buyer}`;
    const buyer = this.#buyerId(attempt.buyer);
    const known = key === undefined ? undefined : books.byKey(saleId, buyer, key);
    const samePayload = known?.quantity === attempt.quantity && known.metadata === metadataOf(attempt);
    if (known !== undefined && known.appliedMs < invokedMs)
      sim.check(reason === "key_reused" && !samePayload, "I8", () => `${name} was refused "${reason}" under the accepted key ${key ?? ""}`);
    const isEvidence = (refused: { atMs: number; saleId: string; key: string | undefined; reason: string }): boolean =>
      refused.saleId === saleId && refused.key === key && refused.reason === reason && refused.atMs >= invokedMs && refused.atMs <= endedMs;
    if (books.refusals.get(buyer)?.some(isEvidence) === true || this.#isTold(attempt, buyer)) return;
    // Of a sale that is over, that is read out of the ledger: nothing is decided any more.
    const isOther = known !== undefined && known.appliedMs <= endedMs && !samePayload;
    if (this.#world.cacheDecides && reason === "key_reused" && isOther) return;
    // Nobody decided that: it came from memory, which may speak for buyers never accepted only, from a committed state.
    sim.probe(`local ${reason}`);
    sim.check(this.#hasGround(attempt, reason), "I10", () => `${name} was refused "${reason}" without a ground`);
    // Of a sale that is over the ledger tells who asks under another key.
    if (reason === "not_started" || reason === "sale_unknown" || this.#world.cacheDecides) return;
    const accepted = books.ofBuyer(buyer).find((purchase) => purchase.sale.id === saleId && purchase.appliedMs < invokedMs);
    sim.check(accepted === undefined, "I8", () => `${name} was refused "${reason}" by memory, though it was accepted in the sale before`);
  }

  /** Its key, or its purchase, was refused in the ledger before: a repeat hears of that. */
  #isTold({ saleId, key, endedMs }: Attempt, buyer: number): boolean {
    const { books } = this.#world.auditor;
    return (
      this.#world.cacheDecides &&
      key !== undefined &&
      books.ofBuyer(buyer).some((purchase) => {
        return purchase.state === "refused" && purchase.sale.id === saleId && purchase.key === key && purchase.appliedMs <= endedMs;
      })
    );
  }

  #hasGround(attempt: Attempt, reason: string): boolean {
    const sale = this.#world.auditor.books.sales.get(attempt.saleId);
    const nowMs = this.#world.latestMs;
    if (sale === undefined) return reason === "sale_unknown";
    if (reason === "not_started") return sale.firstAcceptedMs > attempt.invokedMs;
    const ground = groundOf(reason, nowMs);
    return (
      ground !== undefined &&
      this.#world.momentsOf(sale).some((m) => m.atMs <= attempt.endedMs && m.replacedMs >= attempt.invokedMs && ground(m))
    );
  }

  #buyerId(buyer: number): number {
    const { buyerIds } = this.#world.store.tables;
    return buyerIds.get(`${issuer}\n${subjectOf(buyer)}`) ?? 0;
  }
}

/** The body's metadata as the server keeps it. */
export function metadataOf({ note }: Pick<Attempt, "note">): string | undefined {
  return note === undefined ? undefined : JSON.stringify({ note });
}

const groupOf = (saleId: string, buyer: number, key: string | undefined): string => `sale ${saleId} buyer ${buyer} key ${key ?? "-"}`;

function nameOf(fate: Fate): string {
  return "reason" in fate ? `${fate.kind} ${fate.reason}` : fate.kind;
}
