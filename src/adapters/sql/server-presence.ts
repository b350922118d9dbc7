/** Whether this process counts as alive, as far as it can know: since it asked for it last, less what the asking took. */
import type { Presence } from "../../ports/presence.ts";
import { aliveForMs, type Membership } from "./server-processes.ts";

export class ServerPresence implements Presence {
  readonly #membership: Membership;
  #untilMs = 0;
  #lives = 0;

  private constructor(membership: Membership) {
    this.#membership = membership;
  }

  /** Throws StoreUnavailable. */
  static async open(membership: Membership): Promise<ServerPresence> {
    const presence = new ServerPresence(membership);
    await presence.renew();
    return presence;
  }

  get number(): number {
    return this.#membership.number;
  }

  get life(): string {
    return this.#membership.life;
  }

  get unbroken(): number | undefined {
    return performance.now() < this.#untilMs ? this.#lives : undefined;
  }

  /** False when its number is another's now. Throws StoreUnavailable. */
  async renew(): Promise<boolean> {
    const sentMs = performance.now();
    if (!(await this.#membership.renew())) return false;
    // Somebody may have asked in between, and heard that it was over.
    if (performance.now() >= this.#untilMs) this.#lives += 1;
    this.#untilMs = Math.max(this.#untilMs, sentMs + aliveForMs);
    return true;
  }
}
