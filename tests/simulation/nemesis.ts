/** Does to the server what happens to servers: kill it, stop it, fill its disk, turn its clock, deploy it. */
import type { Rng } from "./rng.ts";
import type { World } from "./world-embedded.ts";

export class Nemesis {
  readonly #world: World;
  readonly #random: Rng;
  #untilMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.sim.random("nemesis");
  }

  start(): void {
    const { sim, shape } = this.#world;
    this.#untilMs = sim.now + shape.faultsForMs;
    this.#later();
  }

  #later(): void {
    const { sim } = this.#world;
    sim.at(this.#random.around(this.#world.faults.nemesisGapMs), () => {
      if (sim.now >= this.#untilMs) return;
      this.#strike();
      this.#later();
    });
  }

  #strike(): void {
    const random = this.#random;
    const { sim, server, faults, disk } = this.#world;
    // Drawn whether or not their class is on, so that leaving one out moves no other.
    const act = random.pick(["kill", "pause", "disk_full", "clock_jump", "deploy"] as const);
    const forMs = random.around(random.pick([30, 300, 1200]));
    const jumpMs = (random.chance(0.5) ? 1 : -1) * random.pick([random.int(10, 1900), random.int(2100, 60_000)]);
    if (!faults.on.has(act)) return;
    if (act === "clock_jump") {
      sim.log(`clock ${jumpMs}`);
      sim.probe(Math.abs(jumpMs) > 2000 ? "clock-leapt" : "clock-stepped");
      this.#world.wallOffsetMs += jumpMs;
      return;
    }
    if (!server.up || server.paused) return;
    this.#world.trouble();
    sim.probe(act);
    const { incarnation } = server;
    if (act === "kill") {
      this.#world.kill();
      sim.at(forMs, () => {
        if (!server.up) this.#world.start();
      });
    } else if (act === "deploy") {
      void this.#world.stop();
      // A drain takes what it takes; a supervisor that loses patience kills.
      sim.at(1000 + forMs, () => {
        if (server.up && server.incarnation === incarnation) this.#world.kill();
        if (!server.up) this.#world.start();
      });
    } else if (act === "pause") {
      sim.pause(server);
      sim.at(forMs, () => {
        if (server.paused && server.incarnation === incarnation) sim.resume(server);
      });
    } else {
      disk.full = true;
      sim.log("disk full");
      sim.at(forMs, () => (disk.full = false));
    }
  }
}
