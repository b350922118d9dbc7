/** Does to the cache and the broker what happens to them, beside what happens to processes and their database. */
import { SqlNemesis } from "../sql/sql-nemesis.ts";
import type { RabbitWorld } from "./rabbit-world.ts";

const wishesMax = 6;
const acts = ["cache_kill", "cache_flush", "cache_promotion", "cache_stop", "broker_kill", "broker_stop", "broker_block"] as const;

export class RabbitNemesis extends SqlNemesis<RabbitWorld> {
  protected override strike(): void {
    const { random, world } = this;
    // Drawn whether or not their class is on, so that leaving one out moves no other.
    const wished = Array.from({ length: wishesMax }, () => random.pick(acts));
    const forMs = random.around(random.pick([30, 600, 2_000]));
    const lag = random.int(0, 2);
    if (random.chance(0.5)) return super.strike();
    const act = wished.find((name) => world.faults.on.has(name));
    if (act === undefined) return;
    world.trouble();
    world.sim.probe(act);
    this.#do(act, forMs, lag);
  }

  #do(act: (typeof acts)[number], forMs: number, lag: number): void {
    const { sim, cache, broker } = this.world;
    switch (act) {
      case "cache_flush":
        if (cache.node.up) cache.flush();
        return;
      case "cache_promotion":
        if (cache.node.up) cache.promote(lag);
        return;
      case "cache_kill":
      case "broker_kill":
        return this.#kill(act === "cache_kill" ? cache : broker, forMs);
      case "cache_stop":
      case "broker_stop":
        return this.#stop(act === "cache_stop" ? cache : broker, forMs);
      case "broker_block":
        if (broker.isBlocked || !broker.node.up) return;
        broker.block();
        return void sim.at(forMs, () => {
          if (broker.isBlocked) broker.unblock();
          this.world.trouble();
        });
    }
  }

  #kill(server: RabbitWorld["cache"] | RabbitWorld["broker"], forMs: number): void {
    if (!server.node.up) return;
    server.kill();
    this.world.sim.at(forMs, () => {
      if (!server.node.up) server.start();
      this.world.trouble();
    });
  }

  /** It stands still, and what came meanwhile is done when it goes on. */
  #stop({ node }: { node: RabbitWorld["cache"]["node"] }, forMs: number): void {
    const { sim } = this.world;
    if (!node.up || node.paused) return;
    const { incarnation } = node;
    sim.pause(node);
    sim.at(forMs, () => {
      if (node.paused && node.incarnation === incarnation) sim.resume(node);
      this.world.trouble();
    });
  }
}
