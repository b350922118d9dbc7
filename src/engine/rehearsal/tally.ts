/**
 * Counts what a rehearsal sees, and holds the answers against each other: a key has one body, an accepted order is never
 * unknown again. What breaks such a promise is kept in words; the checker (`verify`) judges the whole history later.
 */
import type { Aftermath } from "./plan.ts";
import { Latencies } from "./percentiles.ts";
import type { ShopReply } from "./shop-client.ts";

export type AcceptedOrder = {
  readonly id: string;
  readonly buyer: string;
  readonly aftermath: Aftermath;
  readonly amountMinor: number;
  readonly currency: string;
};
export type StockSample = { readonly atMs: number; readonly available: number; readonly held: number; readonly sold: number };

const brokenPromisesMax = 50;

export class Tally {
  readonly latencies = { accepted: new Latencies(), replayed: new Latencies(), refused: new Latencies(), other: new Latencies() };
  readonly refusals = new Map<string, number>();
  readonly notTried = new Map<string, number>();
  readonly lost = new Map<string, number>();
  readonly statuses = new Map<number, number>();
  readonly orders = new Map<string, AcceptedOrder>();
  readonly stock: StockSample[] = [];
  readonly brokenPromises: string[] = [];
  readonly counts = {
    purchaseRequests: 0,
    otherRequests: 0,
    accepts: 0,
    replays: 0,
    buyersAnswered: 0,
    stormRequests: 0,
    stormAccepts: 0,
    brokenPromises: 0,
  };
  readonly #bodies = new Map<string, string>();

  purchaseAnswered(key: string, reply: ShopReply): void {
    this.counts.purchaseRequests += 1;
    this.#status(reply);
    if (reply.kind === "unknown" && reply.status === undefined) return count(this.lost, reply.reason);
    if (reply.kind === "ok") return this.#yes(key, reply);
    const looked = reply.kind === "no" && (reply.status ?? 0) < 500 && reply.status !== 429;
    count(looked ? this.refusals : this.notTried, reply.reason);
    if (looked) this.latencies.refused.add(reply.latencyMs);
    if (reply.status === 500) this.broken(`the server failed with 500 on the purchase under key ${key}`);
  }

  otherAnswered(reply: ShopReply): void {
    this.counts.otherRequests += 1;
    this.#status(reply);
    if (reply.status === undefined) return count(this.lost, reply.reason);
    this.latencies.other.add(reply.latencyMs);
    if (reply.status === 500) this.broken(`the server failed with 500: ${reply.body.slice(0, 200)}`);
  }

  /** Fixes the figures of the storm proper, before those who wait for returned units dilute them. */
  stormIsOver(): void {
    this.counts.stormRequests = this.counts.purchaseRequests;
    this.counts.stormAccepts = this.orders.size;
  }

  broken(promise: string): void {
    this.counts.brokenPromises += 1;
    if (this.brokenPromises.length < brokenPromisesMax) this.brokenPromises.push(promise);
  }

  #yes(key: string, reply: ShopReply): void {
    const before = this.#bodies.get(key);
    if (before === undefined) this.#bodies.set(key, reply.body);
    else if (before !== reply.body) this.broken(`key ${key} was answered with two different bodies`);
    this.counts[reply.replayed ? "replays" : "accepts"] += 1;
    this.latencies[reply.replayed ? "replayed" : "accepted"].add(reply.latencyMs);
  }

  #status({ status }: ShopReply): void {
    if (status !== undefined) count(this.statuses, status);
  }
}

export function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
