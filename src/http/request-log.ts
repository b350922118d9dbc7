/**
 * One line per answer, of what an operator needs and nobody could mind: the route's pattern instead of the URL, the reason
 * instead of the body, pseudonyms instead of people. Lines are rationed per second; an answer without a line costs one
 * comparison and one counter, so that a storm of refusals is not slowed by being watched. Failures have a ration of their
 * own, or a storm would hide them.
 */
import { publicErrors } from "../domain/errors.ts";
import { SecondBudget } from "../lib/second-budget.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { ClientOf } from "./client-address.ts";
import type { Peer, PeerSource, RequestLogOptions } from "./deps.ts";
import { callerOf, type Doors } from "./identity.ts";
import { createPseudonyms, type Pseudonyms } from "./pseudonyms.ts";
import { traceOf, traceresponse } from "./trace-context.ts";

export type Answered = {
  readonly request: Request;
  /** Pattern of the route; of what is no route, nothing is said. */
  readonly route: string | undefined;
  readonly status: number;
  /** A public error's reason, or how a purchase ended. */
  readonly reason: string | undefined;
  readonly tookMs: number;
  readonly requestId: string;
  readonly peer: Peer | PeerSource | undefined;
};

type Deps = Doors & { readonly log: Log; readonly clock: Clock; readonly entropy: Entropy };
type Parts = { readonly deps: Deps; readonly clientOf: ClientOf };

/** What probes and scrapers ask all day. */
const probes: ReadonlySet<string | undefined> = new Set(["/livez", "/readyz", "/healthz", "/health", "/metrics"]);

export class RequestLog {
  readonly #deps: Deps;
  readonly #ofPeer: ClientOf;
  readonly #options: RequestLogOptions;
  readonly #pseudonyms: Pseudonyms;
  readonly #answers: SecondBudget;
  readonly #failures: SecondBudget;

  constructor({ deps, clientOf }: Parts, options: RequestLogOptions) {
    this.#deps = deps;
    this.#ofPeer = clientOf;
    this.#options = options;
    this.#pseudonyms = createPseudonyms(options.secret);
    this.#answers = new SecondBudget(options.perSecondMax);
    this.#failures = new SecondBudget(options.perSecondMax);
  }

  /** Whether this answer gets a line: all that one without costs. */
  admits(status: number, nowMs: number): boolean {
    const budget = status >= 500 ? this.#failures : this.#answers;
    if (!budget.take(nowMs)) return false;
    if (budget.leftOut > 0) this.#deps.log.info("requests were left out of the log", { left_out: budget.takeLeftOut() });
    return true;
  }

  /** Writes the line, and says in the answer under which trace. */
  write(answered: Answered, response: Response): void {
    const { request, route, status, reason, tookMs, requestId } = answered;
    const trace = traceOf(request.headers.get("traceparent"), this.#deps.entropy);
    const fields = {
      method: request.method,
      route,
      status,
      code: reason === undefined ? 0 : codeOf(reason),
      reason,
      duration_ms: Math.round(tookMs * 1000) / 1000,
      request_id: requestId,
      trace_id: trace.traceId,
      ...this.#whoAsks(request),
      client: this.#clientOf(answered),
    };
    const level = status >= 500 ? "warn" : probes.has(route) ? "debug" : "info";
    this.#deps.log[level]("request", fields);
    response.headers.set("traceresponse", traceresponse(trace));
  }

  /** By credentials alone: whom a body names is not known here. */
  #whoAsks({ headers }: Request): { readonly buyer?: string | undefined; readonly server_key?: string | undefined } {
    const caller = callerOf(this.#deps, headers, this.#deps.clock.nowMs());
    const buyer = caller.kind === "buyer" ? caller.buyer : caller.kind === "shop" ? caller.actsFor : undefined;
    return {
      buyer: buyer && this.#pseudonyms.ofBuyer(buyer),
      server_key: caller.kind === "shop" ? caller.key.id : undefined,
    };
  }

  #clientOf({ peer, request }: Answered): string | undefined {
    const address = peer === undefined ? "" : "address" in peer ? peer.address : peer.addressOf(request);
    if (address === "") return undefined;
    const client = this.#ofPeer(request.headers, address);
    return this.#options.client === "plain" ? client : this.#pseudonyms.ofAddress(client);
  }
}

/** A purchase also ends by names that are no errors: accepted, replayed. */
function codeOf(reason: string): number {
  const known: Readonly<Record<string, { readonly code: number } | undefined>> = publicErrors;
  return known[reason]?.code ?? 0;
}
