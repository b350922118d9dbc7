/**
 * Reads something again whenever it may have changed, one reading at a time. Asked for while a reading runs, it reads once
 * more: what has happened meanwhile may be missing from that one.
 */
export class Reading {
  readonly #read: () => Promise<void>;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Resolves when what was true at the asking has been read. */
  ask(): Promise<void> {
    if (this.#running === undefined) this.#running = this.#run();
    else this.#isAskedAgain = true;
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#isAskedAgain = false;
        await this.#read();
      } while (this.#isAskedAgain);
    } finally {
      this.#running = undefined;
    }
  }
}
