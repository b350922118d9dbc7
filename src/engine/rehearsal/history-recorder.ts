/**
 * Keeps the client's record (docs/spec/history.md): what was asked, before it leaves, and what came back. It says no more
 * than the client knows: an answer that was lost, or that cannot be read whole, is `info`.
 */
import { formatHistoryEvent, type HistoryEvent } from "../../domain/history.ts";
import type { Balances } from "../../domain/ledger.ts";
import type { PurchaseState } from "../../domain/purchase.ts";
import type { Recorder, ShopOperation, ShopReply } from "./shop-client.ts";

export type HistoryTools = {
  /** Hands a line to the operating system before it returns. */
  readonly append: (line: string) => void;
  /** A driver's monotonic clock, in ms. */
  readonly nowMs: () => number;
  /** Equal for equal texts. */
  readonly hash: (text: string) => string;
  /** Makes the names of attempts unique over several files. */
  readonly proc: string;
};

export class HistoryRecorder implements Recorder {
  readonly #tools: HistoryTools;
  #line = 0;
  #attempt = 0;
  readonly counts = { asked: 0, ok: 0, fail: 0, info: 0 };

  constructor(tools: HistoryTools) {
    this.#tools = tools;
  }

  asked(operation: ShopOperation): number {
    this.#attempt += 1;
    this.counts.asked += 1;
    this.#write(this.#attempt, operation, { type: "invoke", id: operation.orderId });
    return this.#attempt;
  }

  answered(attempt: number, operation: ShopOperation, reply: ShopReply): void {
    const outcome = outcomeOf(operation, reply, this.#tools.hash);
    this.counts[outcome.type === "invoke" ? "info" : outcome.type] += 1;
    this.#write(attempt, operation, outcome);
  }

  #write(attempt: number, operation: ShopOperation, outcome: Outcome): void {
    const { proc, nowMs, append } = this.#tools;
    const { kind, buyer, saleId, key, quantity } = operation;
    const base = {
      i: this.#line++,
      t: nowMs(),
      proc,
      attempt: `${proc}-${attempt}`,
      f: kind,
      user: buyer,
      event: saleId,
      key,
      qty: quantity,
    };
    append(`${formatHistoryEvent({ ...base, ...outcome })}\n`);
  }
}

type Outcome = Pick<HistoryEvent, "type" | "id" | "code" | "bodyHash" | "state" | "stock">;

function outcomeOf(operation: ShopOperation, reply: ShopReply, hash: (text: string) => string): Outcome {
  const { kind, code } = reply;
  const info: Outcome = { type: "info", code, id: operation.orderId };
  if (kind === "no") return { type: "fail", code, id: operation.orderId };
  if (kind === "unknown") return info;
  const id = operation.orderId ?? textOf(reply.data["id"]);
  switch (operation.kind) {
    case "purchase":
      if (id === undefined) return info;
      return { type: "ok", code, id, bodyHash: hash(reply.body), state: reply.status === 202 ? "queued" : undefined };
    case "get":
    case "cancel":
      // The store's own states; an unknown one makes the checker refuse the line, as it should.
      return { type: "ok", code, id, state: textOf(reply.data["state"]) as PurchaseState | undefined };
    case "pay":
      return { type: "ok", code, id };
    case "stock": {
      const stock = balancesOf(reply.data["stock"]);
      return stock === undefined ? info : { type: "ok", code, stock };
    }
    default:
      return operation.kind satisfies never;
  }
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);

/** The five balances of a sale or statistics answer, without whatever else it shows. */
export function balancesOf(value: unknown): Balances | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = new Map<string, unknown>(Object.entries(value));
  const balance = (account: string) => {
    const units = found.get(account);
    return typeof units === "number" ? units : undefined;
  };
  const [issued, available, held, sold, withdrawn] = ["issued", "available", "held", "sold", "withdrawn"].map(balance);
  if (issued === undefined || available === undefined || held === undefined || sold === undefined || withdrawn === undefined)
    return undefined;
  return { issued, available, held, sold, withdrawn };
}
