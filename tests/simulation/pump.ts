/** Virtual time for tests that know of none: contracts, which wait for promises. */
import { Sim } from "./kernel.ts";

const stepMs = 50;

/** Virtual time goes on for as long as somebody waits for something. */
export class Pump {
  readonly sim = new Sim(1);
  #waiting = 0;
  #isRunning = false;

  async until<Value>(begin: () => Promise<Value>): Promise<Value> {
    this.#waiting += 1;
    const value = begin().finally(() => (this.#waiting -= 1));
    if (!this.#isRunning) void this.#run();
    return value;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting > 0) await this.sim.run(this.sim.now + stepMs, () => this.#waiting === 0);
    this.#isRunning = false;
  }

  /** The same port, each of whose calls makes time go on. */
  of<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => this.until(async () => value.apply(target, args) as unknown);
      },
    });
  }
}
