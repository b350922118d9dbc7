/** The clients' record as the product's own checker reads it: what was asked, when its fate was known, and what it was. */
import type { HistoryEvent, HistoryFunction } from "../../src/domain/history.ts";
import type { PurchaseState } from "../../src/domain/purchase.ts";
import { HistoryLog } from "../../src/engine/verify/history-log.ts";
import { envelopeOf } from "./history.ts";
import type { Sim } from "./kernel.ts";
import { hashOf } from "./rng.ts";
import type { Reply } from "./server.ts";

type Asked = Pick<HistoryEvent, "f" | "user" | "event" | "key" | "qty" | "id"> & { readonly f: HistoryFunction };

export class Recorder {
  readonly log = new HistoryLog();
  readonly #sim: Sim;
  #lines = 0;
  #attempts = 0;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  /** Notes a request; the result notes its fate. */
  asked(asked: Asked): (reply: Reply) => void {
    const attempt = `a${++this.#attempts}`;
    this.#add({ ...asked, attempt, type: "invoke" });
    return (reply) => this.#add({ ...asked, attempt, ...fateOf(asked.f, reply) });
  }

  #add(event: Omit<HistoryEvent, "i" | "t" | "proc">): void {
    const problem = this.log.add({ i: this.#lines++, t: this.#sim.now, proc: "clients", ...event });
    if (problem !== undefined) this.#sim.violate("setup", `the record is broken: ${problem}`);
  }
}

function fateOf(f: HistoryFunction, reply: Reply): Pick<HistoryEvent, "type" | "code" | "id" | "bodyHash" | "state"> {
  // Accepted and not an order yet: what the record's checks know is orders.
  if (reply.kind !== "answer" || reply.status === 202) return { type: "info" };
  const { code, data } = envelopeOf(reply.text);
  // As above: a line on its way, or one that was refused after all.
  if (f === "get" && (data["state"] === "queued" || data["state"] === "refused")) return { type: "info" };
  if (reply.status < 300) {
    const body = f === "purchase" ? { id: String(data["id"]), bodyHash: hashOf(reply.text).toString(16) } : {};
    // Answers show states of purchases, and the order's id where they show a state.
    const state = f === "get" || f === "cancel" ? { state: data["state"] as PurchaseState } : {};
    return { type: "ok", code, ...body, ...state };
  }
  // Where the network made two of a request, an answer speaks for one of them.
  const isDefinite = (reply.status < 500 || reply.status === 503) && !reply.copied;
  return { type: isDefinite ? "fail" : "info", code };
}
