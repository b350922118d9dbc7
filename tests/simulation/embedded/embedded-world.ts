/**
 * The embedded world: one process that can be killed, on a model disk and a model wall clock. What survives a kill is the
 * disk; everything else is built anew at the next start.
 */
import { MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import { SystemClock } from "../../../src/adapters/system/system-clock.ts";
import { IdMint } from "../../../src/domain/id-mint.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { AuditTerms } from "../auditor.ts";
import { healed } from "../faults.ts";
import type { Sim } from "../kernel.ts";
import { Server } from "../server.ts";
import { epochMs, World, type WorldSetup } from "../world.ts";
import { EmbeddedNemesis } from "./embedded-nemesis.ts";
import { ModelDisk } from "./model-disk.ts";

export class EmbeddedWorld extends World {
  readonly server = new Server(this, "server", ["api", "worker"]);
  readonly servers: readonly Server[] = [this.server];
  readonly disk: ModelDisk;
  /** The wall clock's error. */
  wallOffsetMs = 0;
  readonly takeoverMs = 0;
  readonly hearsWithinMs = 0;
  /** When the running server started. */
  steadySinceMs = 0;

  constructor(sim: Sim, setup: WorldSetup) {
    super(sim, setup);
    this.disk = new ModelDisk({
      sim,
      node: this.server.node,
      store: new MemoryStore({ steps: setup.mutant.steps }),
      faults: () => this.faults,
      observer: this.auditor,
    });
  }

  get store(): MemoryStore {
    return this.disk.store;
  }

  get waiting(): number {
    return this.server.waiting + this.disk.waiting;
  }

  nowMs(): number {
    return this.server.parts?.clock.nowMs() ?? 0;
  }

  startNemesis(): void {
    new EmbeddedNemesis(this).start();
  }

  start(): void {
    const { disk, mutant, server } = this;
    const { tasks, entropy, signal } = server.begin();
    this.steadySinceMs = this.sim.now;
    const clock = mutant.clock?.(() => this.#wallMs()) ?? this.#clock();
    const loop = (_: string, tickMs: number) => ({ tasks, signal, tickMs });
    server.open({
      clock,
      entropy,
      tasks,
      ids: new IdMint({ nowMs: () => clock.nowMs(), random: () => entropy.random(), floor: disk.idFloor.toString() }),
      catalogue: disk.catalogue(),
      records: disk.records(),
      ledger: disk.ledger,
      loop,
      singleton: loop,
    });
  }

  /** As a deployment does it. */
  async stop(): Promise<void> {
    if (await this.server.drain()) this.kill();
  }

  kill(): void {
    this.server.kill();
    this.disk.crash();
    this.auditor.restarted();
  }

  heal(): void {
    const { sim, server, disk } = this;
    sim.log("heal");
    this.faults = healed(this.faults);
    disk.full = false;
    if (server.node.paused) sim.resume(server.node);
    if (!server.node.up) this.start();
    this.trouble();
  }

  healthyForMs(): number {
    const { up, paused } = this.server.node;
    if (!up || paused || this.disk.full) return 0;
    return this.sim.now - Math.max(this.lastTroubleMs, this.disk.lastTroubleMs);
  }

  checkAtRest(): void {
    // Nobody else is there whose word could differ.
  }

  protected terms(): AuditTerms {
    return {};
  }

  protected route(): Server {
    return this.server;
  }

  #wallMs(): number {
    return epochMs + this.sim.now + this.wallOffsetMs;
  }

  #clock(): Clock {
    return new SystemClock({
      notBeforeMs: this.mutant.forgetsTime === true ? 0 : this.disk.lastAtMs,
      wallMs: () => this.#wallMs(),
      monotonicMs: () => this.sim.now,
      onJump: () => this.sim.probe("clock-jumped"),
    });
  }
}
