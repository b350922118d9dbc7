/**
 * Does to processes, their network and their database what happens to them: kill, stop for longer than marks and leases
 * live, deploy one or all, turn a wall clock, cut one off, kill the database, let a standby take over.
 */
import { Nemesis } from "../nemesis.ts";
import type { Process } from "./process.ts";
import type { SqlWorld } from "./sql-world.ts";

/** It does the first of so many things that may go wrong in this run. */
const wishesMax = 6;
/** A standby takes longer to take over than any mark lives. */
const takeoverMinMs = 700;
/**
 * Its clock may be another's after a failover. While it serves it is slewed, or ahead by less than what marks leave for it:
 * a database whose clock is set by hand in mid-sale keeps no promise about time (docs/failure-behaviour.md).
 */
const acts = [
  "kill",
  "pause",
  "pause",
  "pause",
  "clock_jump",
  "deploy",
  "partition",
  "partition",
  "partition",
  "database_kill",
  "standby",
  "database_clock",
  "long_stop",
] as const;

export class SqlNemesis<Of extends SqlWorld = SqlWorld> extends Nemesis<Of> {
  protected strike(): void {
    const { random, world } = this;
    const { sim, faults, cluster } = world;
    // Drawn whether or not their class is on, so that leaving one out moves no other.
    const wished = Array.from({ length: wishesMax }, () => random.pick(acts));
    const act = wished.find((name) => faults.on.has(name));
    const process = random.pick(world.processes);
    const forMs = random.around(random.pick([30, 600, 1200]));
    // Long enough for others to forget what this one still remembers.
    const awayMs = random.around(random.pick([600, 2_000]));
    const longMs = cluster.stopMs * (0.9 + 0.2 * random.unit());
    const isRolling = random.chance(0.3);
    const jumpMs = (random.chance(0.5) ? 1 : -1) * random.pick([random.int(10, 1900), random.int(2100, 60_000)]);
    const behindMs = random.int(10, 4_000);
    const aheadMs = random.int(0, Math.max(0, cluster.reopenDelayMs - 2 * cluster.leaseMs)) / 2;
    switch (act) {
      case undefined:
        return;
      case "clock_jump":
        sim.log(`clock of ${process.server.name} ${jumpMs}`);
        sim.probe(Math.abs(jumpMs) > 2000 ? "clock-leapt" : "clock-stepped");
        process.wallOffsetMs += jumpMs;
        return;
      case "kill":
        return this.#kill(process, forMs);
      case "pause":
        return this.#pause(process, awayMs);
      case "long_stop":
        return this.#pause(process, longMs);
      case "deploy":
        return void (isRolling ? this.#roll() : this.#deploy(process));
      case "partition":
        return this.#cut(process, awayMs);
      case "database_kill":
        return this.#killDatabase(forMs, 0);
      case "standby":
        return this.#killDatabase(takeoverMinMs + forMs, -behindMs);
      case "database_clock":
        world.database.trouble("database-clock-stepped");
        return world.database.step(aheadMs);
    }
  }

  #kill(process: Process, forMs: number): void {
    if (!process.server.node.up) return;
    this.world.sim.probe("kill");
    process.kill();
    process.restart(forMs);
  }

  #pause({ server: { node } }: Process, forMs: number): void {
    const { sim } = this.world;
    if (!node.up || node.paused) return;
    this.world.trouble();
    sim.probe("pause");
    const { incarnation } = node;
    sim.pause(node);
    sim.at(forMs, () => {
      if (node.paused && node.incarnation === incarnation) sim.resume(node);
      this.world.trouble();
    });
  }

  async #deploy(process: Process): Promise<void> {
    const { sim } = this.world;
    const { node } = process.server;
    if (!node.up || node.paused) return;
    sim.probe("deploy");
    const { incarnation } = node;
    void process.stop();
    // A drain takes what it takes; a supervisor that loses patience kills.
    await sim.sleep(2_500);
    if (node.up && node.incarnation === incarnation) process.kill();
    if (!node.up) process.start();
  }

  /** One after the other, as a rolling deployment does it. */
  async #roll(): Promise<void> {
    this.world.sim.probe("rolling-deploy");
    for (const process of this.world.processes) await this.#deploy(process);
  }

  #cut({ link, server }: Process, forMs: number): void {
    const { sim } = this.world;
    if (link.isCut) return;
    this.world.trouble();
    sim.probe("partition");
    sim.log(`cut ${server.name}`);
    link.isCut = true;
    sim.at(forMs, () => {
      link.isCut = false;
      this.world.trouble();
    });
  }

  #killDatabase(forMs: number, stepMs: number): void {
    const { sim, database } = this.world;
    if (!database.node.up) return;
    sim.probe(stepMs === 0 ? "database-killed" : "standby-took-over");
    database.kill();
    sim.at(forMs, () => {
      if (database.node.up) return;
      if (stepMs !== 0) database.step(stepMs);
      database.start();
    });
  }
}
