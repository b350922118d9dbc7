/**
 * What becomes of lines that a cache accepted, by the auditor's own books: the ledger takes each once, by key, limit and
 * stock, and while the cache stands which accepted it, it takes every one.
 */
import type { Line } from "../../src/domain/journal-message.ts";
import type { Admit, Decline, Unpark } from "../../src/domain/movement.ts";
import { shift, type AuditedPurchase, type AuditedSale, type Books } from "./auditor-state.ts";
import type { Sim } from "./kernel.ts";

export type ScopeNow = { readonly epoch: number; readonly state: string };
type Moment = { readonly nowMs: number; readonly isOver: boolean };
type Deps = { readonly sim: Sim; readonly books: Books; readonly scopeOf: (saleId: string) => ScopeNow | undefined };

/** Refusals as buyers hear them. */
const heardAs: Readonly<Record<string, string>> = { stock: "sold_out", limit: "limit_reached", superseded: "key_reused" };

export class AuditedLines {
  onAccepted: ((id: string, of: { saleId: string; buyer: number; key: string | undefined }) => void) | undefined;
  /** Why lines were refused, by id. */
  readonly refusedFor = new Map<string, string>();
  /** Somebody gave the cache more than there is, so lines of the epoch that stands may meet no stock. */
  mayDrift = false;
  readonly #sim: Sim;
  readonly #books: Books;
  readonly #scopeOf: Deps["scopeOf"];

  constructor({ sim, books, scopeOf }: Deps) {
    this.#sim = sim;
    this.#books = books;
    this.#scopeOf = scopeOf;
  }

  predict(sale: AuditedSale, movement: Admit | Unpark | Decline, moment: Moment): string {
    switch (movement.kind) {
      case "admit":
        return this.#admit(sale, movement, moment);
      case "unpark":
        return this.#unpark(sale, movement.purchaseId, moment);
      case "decline":
        return this.#decline(sale, movement);
    }
  }

  #admit(sale: AuditedSale, { line, epoch }: Admit, moment: Moment): string {
    const known = this.#books.purchases.get(line.purchaseId);
    if (known !== undefined && known.state !== "queued") {
      this.#sim.probe("line-came-again");
      return this.#told(known);
    }
    const closed = closedFor(sale, moment);
    if (closed !== undefined) return this.#refuse(sale, line, closed);
    const scope = this.#scopeOf(sale.id);
    if (scope === undefined) return "no scope";
    if (epoch < scope.epoch && scope.state === "open") {
      this.#sim.probe("line-readmitted");
      return "readmit";
    }
    if (epoch < scope.epoch) {
      this.#sim.probe("line-parked");
      if (known === undefined) this.#keep(sale, line, { state: "queued", payByMs: line.acceptedAtMs });
      return "parked queued";
    }
    const reason = this.#judge(sale, line);
    this.#sim.check(
      reason === undefined || this.mayDrift,
      "QL5",
      () => `line ${line.purchaseId} of the epoch that stands is refused for ${reason}`,
    );
    return reason === undefined ? this.#reserve(sale, line, moment) : this.#refuse(sale, line, reason);
  }

  #unpark(sale: AuditedSale, id: string, moment: Moment): string {
    const known = this.#books.purchases.get(id);
    if (known === undefined) return "purchase_unknown";
    if (known.state !== "queued") return this.#told(known);
    const { buyer: buyerId, key, quantity, limit } = known;
    const reason = closedFor(sale, moment) ?? this.#judge(sale, { purchaseId: id, buyerId, key, quantity, limit });
    this.#sim.probe(reason === undefined ? "unparked" : `unparked-refused ${reason}`);
    if (reason !== undefined) return this.#refused(known, reason);
    return this.#reserved(known, moment);
  }

  #decline(sale: AuditedSale, { line, reason }: Decline): string {
    const known = this.#books.purchases.get(line.purchaseId);
    if (known !== undefined && known.state !== "queued") return this.#told(known);
    this.#sim.probe(`declined ${reason}`);
    return this.#refuse(sale, line, reason);
  }

  #judge(sale: AuditedSale, line: Judged): string | undefined {
    const { buyerId, key, quantity, limit, purchaseId } = line;
    const inForce = sale.quotas.get(buyerId) ?? sale.limit;
    this.#sim.check(limit === inForce, "I3", () => `line ${purchaseId} was accepted under the limit ${limit}, in force is ${inForce}`);
    const first = key === undefined ? undefined : this.#books.byKey(sale.id, buyerId, key);
    if (first !== undefined && first.id !== purchaseId) return "superseded";
    if (this.#books.unitsOf(buyerId, sale) + quantity > inForce) return "limit";
    return sale.available < quantity ? "stock" : undefined;
  }

  #reserve(sale: AuditedSale, line: Line, moment: Moment): string {
    const known = this.#books.purchases.get(line.purchaseId) ?? this.#keep(sale, line, { state: "queued", payByMs: line.acceptedAtMs });
    return this.#reserved(known, moment);
  }

  #reserved(purchase: AuditedPurchase, { nowMs }: Moment): string {
    const { sale, id, buyer, key } = purchase;
    purchase.state = "reserved";
    purchase.payByMs = nowMs + sale.payWindowMs;
    purchase.holdUntilMs = purchase.payByMs;
    purchase.appliedMs = this.#sim.now;
    shift(sale, "available", "held", purchase.quantity);
    sale.firstAcceptedMs = Math.min(sale.firstAcceptedMs, this.#sim.now);
    this.onAccepted?.(id, { saleId: sale.id, buyer, key });
    return "admitted reserved";
  }

  #refuse(sale: AuditedSale, line: Line, reason: string): string {
    const known = this.#books.purchases.get(line.purchaseId) ?? this.#keep(sale, line, { state: "queued", payByMs: line.acceptedAtMs });
    return this.#refused(known, reason);
  }

  #refused(purchase: AuditedPurchase, reason: string): string {
    purchase.state = "refused";
    this.refusedFor.set(purchase.id, reason);
    const { sale, buyer, key } = purchase;
    this.#books.refuse(buyer, { atMs: this.#sim.now, saleId: sale.id, key, reason: heardAs[reason] ?? reason });
    return `admitted refused ${reason}`;
  }

  #told({ id, state }: AuditedPurchase): string {
    return `admitted ${state} ${this.refusedFor.get(id) ?? ""}`.trimEnd();
  }

  #keep(sale: AuditedSale, line: Line, { state, payByMs }: Pick<AuditedPurchase, "state" | "payByMs">): AuditedPurchase {
    const { purchaseId: id, buyerId: buyer, key, quantity, metadata, limit } = line;
    const dates = { payByMs, holdUntilMs: payByMs, appliedMs: this.#sim.now };
    const purchase = { id, sale, buyer, key, quantity, metadata, limit, ...dates, state, extensions: 0, refunded: false };
    this.#books.addPurchase(purchase);
    return purchase;
  }
}

type Judged = Pick<Line, "key" | "quantity" | "limit"> & { readonly purchaseId: string; readonly buyerId: number };

/** A cancelled sale sells nothing more; one that ended settles what was accepted before, until it is settled itself. */
function closedFor(sale: AuditedSale, { isOver }: Moment): string | undefined {
  if (sale.phase === "cancelled") return "sale_cancelled";
  return sale.settled && isOver ? "ended" : undefined;
}
