/** Runs tasks side by side, at most `width` at once, in the order they came. */
export class Pool {
  readonly #width: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #failure: Error | undefined;
  #idle: (() => void)[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  run(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.#next();
  }

  /** Resolves when nothing runs or waits; throws the first failure of a task, if there was one. */
  async drained(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #next(): void {
    while (this.#running < this.#width) {
      const task = this.#waiting.shift();
      if (task === undefined) break;
      this.#running += 1;
      void task()
        .catch((error: unknown) => (this.#failure ??= error instanceof Error ? error : new Error(String(error))))
        .then(() => {
          this.#running -= 1;
          this.#next();
        });
    }
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** Takes items one after another with `width` workers. */
export async function eachOf<Item>(items: Iterable<Item>, width: number, work: (item: Item) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let step = iterator.next(); step.done !== true; step = iterator.next()) await work(step.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
