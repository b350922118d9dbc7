/** Strikes at times that it draws, for as long as faults last. What it does, each world says. */
import type { Rng } from "./rng.ts";
import type { World } from "./world.ts";

export abstract class Nemesis<Of extends World> {
  protected readonly world: Of;
  protected readonly random: Rng;
  #untilMs = 0;

  constructor(world: Of) {
    this.world = world;
    this.random = world.sim.random("nemesis");
  }

  protected abstract strike(): void;

  start(): void {
    const { sim, shape } = this.world;
    this.#untilMs = sim.now + shape.faultsForMs;
    this.#later();
  }

  #later(): void {
    const { sim } = this.world;
    sim.at(this.random.around(this.world.faults.nemesisGapMs), () => {
      if (sim.now >= this.#untilMs) return;
      this.strike();
      this.#later();
    });
  }
}
