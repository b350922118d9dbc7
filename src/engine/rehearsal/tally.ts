/**
 * Counts what a rehearsal sees, and holds the answers against each other: a key has one body, an accepted order is never
 * unknown again. What breaks such a promise is kept in words; the checker (`verify`) judges the whole history later.
 */
import type { Aftermath } from "./plan.ts";
import { Histogram } from "./histogram.ts";
import type { Series } from "./series.ts";
import type { ShopReply } from "./shop-client.ts";

export type AcceptedOrder = {
  readonly id: string;
  readonly buyer: string;
  readonly aftermath: Aftermath;
  readonly amountMinor: number;
  readonly currency: string;
};
export type StockSample = { readonly atMs: number; readonly available: number; readonly held: number; readonly sold: number };

/** When an attempt was due, when it left and when its answer came, on the rehearsal's clock. */
export type Moment = { readonly dueMs: number; readonly sentMs: number; readonly answeredMs: number };

const brokenPromisesMax = 50;

export class Tally {
  /** From when a buyer meant to ask; `service` from when a purchase left the client, and `other` likewise. */
  readonly latencies = {
    accepted: new Histogram(),
    replayed: new Histogram(),
    refused: new Histogram(),
    service: new Histogram(),
    polls: new Histogram(),
    other: new Histogram(),
  };
  readonly #series: Series | undefined;
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
    notSent: 0,
    polls: 0,
    brokenPromises: 0,
  };
  readonly #bodies = new Map<string, string>();

  constructor(series?: Series) {
    this.#series = series;
  }

  purchaseAnswered(key: string, reply: ShopReply, moment?: Moment): void {
    this.counts.purchaseRequests += 1;
    this.#status(reply);
    // The clock tells whole milliseconds, so it measures only what is long: the wait before the request left.
    const waitedMs = reply.latencyMs + (moment === undefined ? 0 : Math.max(0, moment.sentMs - moment.dueMs));
    if (moment !== undefined) this.#intoSeries(reply, moment, { waitedMs, isFirstYes: !this.#bodies.has(key) });
    if (reply.kind === "unknown" && reply.status === undefined) return count(this.lost, reply.reason);
    this.latencies.service.add(reply.latencyMs);
    if (reply.kind === "ok") return this.#yes(key, reply, waitedMs);
    const looked = wasLookedAt(reply);
    count(looked ? this.refusals : this.notTried, reply.reason);
    if (looked) this.latencies.refused.add(waitedMs);
    if (reply.status === 500) this.broken(`the server failed with 500 on the purchase under key ${key}`);
  }

  /** An attempt that the client could not send in time. */
  notSent(dueMs: number): void {
    this.counts.notSent += 1;
    const row = this.#series?.at(dueMs);
    if (row === undefined) return;
    row.attempts += 1;
    row.notSent += 1;
  }

  polled(reply: ShopReply, atMs: number): void {
    this.counts.polls += 1;
    this.#status(reply);
    if (reply.status === undefined) count(this.lost, reply.reason);
    else this.latencies.polls.add(reply.latencyMs);
    const row = this.#series?.at(atMs);
    if (row !== undefined) row.polls += 1;
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

  #yes(key: string, reply: ShopReply, waitedMs: number): void {
    const before = this.#bodies.get(key);
    if (before === undefined) this.#bodies.set(key, reply.body);
    else if (before !== reply.body) this.broken(`key ${key} was answered with two different bodies`);
    this.counts[reply.replayed ? "replays" : "accepts"] += 1;
    this.latencies[reply.replayed ? "replayed" : "accepted"].add(waitedMs);
  }

  /** The first yes that a buyer hears is the accept, also where it repeats one that was lost on the way. */
  #intoSeries(reply: ShopReply, { dueMs, answeredMs }: Moment, { waitedMs, isFirstYes }: { waitedMs: number; isFirstYes: boolean }): void {
    const due = this.#series?.at(dueMs);
    const answered = this.#series?.at(answeredMs);
    if (due === undefined || answered === undefined) return;
    due.attempts += 1;
    // Who walked away on purpose says nothing about how long an answer takes.
    if (reply.reason !== "dropped") due.latency.add(waitedMs);
    if (reply.kind === "ok") answered[isFirstYes ? "accepted" : "replayed"] += 1;
    else if (wasLookedAt(reply)) count(answered.refused, reply.reason);
    else count(reply.kind === "no" ? answered.notTried : answered.errors, reply.reason);
  }

  #status({ status }: ShopReply): void {
    if (status !== undefined) count(this.statuses, status);
  }
}

/** A no of the shop, not of something that was full or in the way. */
const wasLookedAt = ({ kind, status }: ShopReply) => kind === "no" && (status ?? 0) < 500 && status !== 429;

export function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
