/** Whether this process counts as alive, as far as it can know: since it asked for it last, less what the asking took. */
import type { Presence } from "../../ports/presence.ts";
import { aliveForMs, type Membership } from "./server-processes.ts";

export class ServerPresence implements Presence {
  readonly #membership: Membership;
  readonly #nowMs: () => number;
  #untilMs = 0;
  #lives = 0;

  private constructor(membership: Membership, nowMs: () => number) {
    this.#membership = membership;
    this.#nowMs = nowMs;
  }

  /** `nowMs`: this machine's steady clock. Throws StoreUnavailable. */
  static async open(membership: Membership, nowMs: () => number = () => performance.now()): Promise<ServerPresence> {
    const presence = new ServerPresence(membership, nowMs);
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
    return this.#nowMs() < this.#untilMs ? this.#lives : undefined;
  }

  /** False when its number is another's now. Throws StoreUnavailable. */
  async renew(): Promise<boolean> {
    const sentMs = this.#nowMs();
    if (!(await this.#membership.renew())) return false;
    // Somebody may have asked in between, and heard that it was over.
    if (this.#nowMs() >= this.#untilMs) this.#lives += 1;
    this.#untilMs = Math.max(this.#untilMs, sentMs + aliveForMs);
    return true;
  }
}
