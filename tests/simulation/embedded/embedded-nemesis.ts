/** Does to the server what happens to servers: kill it, stop it, fill its disk, turn its clock, deploy it. */
import { Nemesis } from "../nemesis.ts";
import type { EmbeddedWorld } from "./embedded-world.ts";

export class EmbeddedNemesis extends Nemesis<EmbeddedWorld> {
  protected strike(): void {
    const { random } = this;
    const { sim, server, faults, disk } = this.world;
    const { node } = server;
    // Drawn whether or not their class is on, so that leaving one out moves no other.
    const act = random.pick(["kill", "pause", "disk_full", "clock_jump", "deploy"] as const);
    const forMs = random.around(random.pick([30, 300, 1200]));
    const jumpMs = (random.chance(0.5) ? 1 : -1) * random.pick([random.int(10, 1900), random.int(2100, 60_000)]);
    if (!faults.on.has(act)) return;
    if (act === "clock_jump") {
      sim.log(`clock ${jumpMs}`);
      sim.probe(Math.abs(jumpMs) > 2000 ? "clock-leapt" : "clock-stepped");
      this.world.wallOffsetMs += jumpMs;
      return;
    }
    if (!node.up || node.paused) return;
    this.world.trouble();
    sim.probe(act);
    const { incarnation } = node;
    if (act === "kill") {
      this.world.kill();
      sim.at(forMs, () => {
        if (!node.up) this.world.start();
      });
    } else if (act === "deploy") {
      void this.world.stop();
      // A drain takes what it takes; a supervisor that loses patience kills.
      sim.at(1000 + forMs, () => {
        if (node.up && node.incarnation === incarnation) this.world.kill();
        if (!node.up) this.world.start();
      });
    } else if (act === "pause") {
      sim.pause(node);
      sim.at(forMs, () => {
        if (node.paused && node.incarnation === incarnation) sim.resume(node);
      });
    } else {
      disk.full = true;
      sim.log("disk full");
      sim.at(forMs, () => (disk.full = false));
    }
  }
}
