/**
 * The simulation's event loop: virtual time, a seeded order of everything, nodes that die and hang.
 *
 *   heap of events by (time, random tie-break, number) ─► run one ─► let all its microtasks drain ─► next
 *
 * Invariant: nothing but an event moves the world, and every event's place is drawn from the seed. So one seed gives one
 * trace, and its hash is the same in every process. A killed node's events never run: they belong to an incarnation.
 */
import type { CancelTask, StopSignal, Tasks } from "../../src/ports/tasks.ts";
import { hashOf, Rng } from "./rng.ts";

type Event = {
  atMs: number;
  tie: number;
  readonly number: number;
  run: (() => void) | undefined;
  readonly node: SimNode | undefined;
  readonly incarnation: number;
};

const tailMax = 60;
const violationsMax = 8;
const eventsMax = 400_000;

export class SimNode {
  readonly name: string;
  incarnation = 0;
  up = true;
  paused = false;
  readonly held: Event[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

export type Violation = { readonly rule: string; readonly text: string; readonly atMs: number };

export class Sim {
  readonly seed: number;
  now = 0;
  events = 0;
  hash = 2_166_136_261;
  readonly violations: Violation[] = [];
  readonly probes = new Map<string, number>();
  /** The whole trace if it is kept, else its last lines. */
  readonly trace: string[] = [];
  readonly #keepTrace: boolean;
  readonly #streams = new Map<string, Rng>();
  readonly #ties: Rng;
  readonly #heap = new EventHeap();
  #numbers = 0;

  constructor(seed: number, keepTrace = false) {
    this.seed = seed;
    this.#keepTrace = keepTrace;
    this.#ties = this.random("ties");
  }

  /** The stream of chance with this label. */
  random(label: string): Rng {
    let stream = this.#streams.get(label);
    if (stream === undefined) this.#streams.set(label, (stream = new Rng(this.seed, label)));
    return stream;
  }

  /** Runs after `ms` of virtual time, in this life of the node or never. The result cancels it. */
  at(ms: number, run: () => void, node?: SimNode, incarnation = node?.incarnation ?? 0): CancelTask {
    const event: Event = { atMs: this.now + Math.max(0, ms), tie: this.#ties.u32(), number: this.#numbers++, run, node, incarnation };
    this.#heap.push(event);
    return () => void (event.run = undefined);
  }

  sleep(ms: number, node?: SimNode): Promise<void> {
    return new Promise((resolve) => this.at(ms, resolve, node));
  }

  log(text: string): void {
    this.hash = hashOf(text, this.hash);
    this.trace.push(`${this.now.toFixed(2).padStart(9)} ${text}`);
    if (!this.#keepTrace && this.trace.length > 2 * tailMax) this.trace.splice(0, tailMax);
  }

  /** A rare path was taken: a "sometimes" assertion over many seeds. */
  probe(name: string): void {
    this.probes.set(name, (this.probes.get(name) ?? 0) + 1);
  }

  violate(rule: string, text: string): void {
    if (this.violations.length < violationsMax) this.violations.push({ rule, text, atMs: this.now });
    this.log(`VIOLATION ${rule}: ${text}`);
  }

  check(holds: boolean, rule: string, text: () => string): void {
    if (!holds) this.violate(rule, text());
  }

  kill(node: SimNode): void {
    node.incarnation += 1;
    node.up = false;
    node.paused = false;
    node.held.length = 0;
    this.log(`kill ${node.name}`);
  }

  pause(node: SimNode): void {
    node.paused = true;
    this.log(`pause ${node.name}`);
  }

  resume(node: SimNode): void {
    node.paused = false;
    this.log(`resume ${node.name}`);
    // The same events, so that what was cancelled or is cancelled yet stays so.
    for (const event of node.held.splice(0)) {
      event.atMs = this.now;
      event.tie = this.#ties.u32();
      this.#heap.push(event);
    }
  }

  /** Runs events until the time is reached, the condition holds, or a violation is found. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    // What was begun just now may still be on its way to its first event.
    await turn();
    for (;;) {
      const event = this.#heap.peek();
      if (event === undefined || event.atMs > untilMs || this.violations.length > 0 || done()) break;
      this.#heap.pop();
      const { run, node } = event;
      if (run === undefined || (node !== undefined && node.incarnation !== event.incarnation)) continue;
      this.now = event.atMs;
      if (node?.paused === true) {
        node.held.push(event);
        continue;
      }
      this.events += 1;
      this.hash = Math.imul(this.hash ^ (Math.round(event.atMs * 1000) | 0), 16_777_619) >>> 0;
      if (this.events > eventsMax) return this.violate("liveness", `more than ${eventsMax} events`);
      try {
        run();
      } catch (error) {
        this.violate("assert", error instanceof Error ? error.message : String(error));
      }
      await turn();
    }
    if (untilMs !== Infinity && this.violations.length === 0 && !done()) this.now = Math.max(this.now, untilMs);
  }
}

/** A turn of the real event loop: every microtask that the event caused has run when it ends. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The engine's Tasks port for one life of a node. */
export function tasksOf(sim: Sim, node: SimNode): Tasks {
  const { incarnation } = node;
  return {
    soon: (run) => void sim.at(0, run, node, incarnation),
    after: (ms, run) => sim.at(ms, run, node, incarnation),
    sleep: (ms, signal) => new Promise((resolve) => sleepUntil({ sim, node, incarnation }, { ms, signal, resolve })),
  };
}

function sleepUntil(
  life: { sim: Sim; node: SimNode; incarnation: number },
  wait: { ms: number; signal?: StopSignal | undefined; resolve: () => void },
): void {
  const { ms, signal, resolve } = wait;
  if (signal?.aborted === true) return resolve();
  const wake = (): void => {
    signal?.removeEventListener("abort", wake);
    cancel();
    resolve();
  };
  const cancel = life.sim.at(ms, wake, life.node, life.incarnation);
  signal?.addEventListener("abort", wake, { once: true });
}

class EventHeap {
  readonly #events: Event[] = [];

  peek(): Event | undefined {
    return this.#events[0];
  }

  push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): void {
    const heap = this.#events;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ;) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.#before(child + 1, child)) child += 1;
      if (!this.#before(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #before(a: number, b: number): boolean {
    // Both indices lie within the heap.
    const x = this.#events[a]!;
    const y = this.#events[b]!;
    if (x.atMs !== y.atMs) return x.atMs < y.atMs;
    return x.tie !== y.tie ? x.tie < y.tie : x.number < y.number;
  }

  #swap(a: number, b: number): void {
    const heap = this.#events;
    // Both indices lie within the heap.
    const kept = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = kept;
  }
}
