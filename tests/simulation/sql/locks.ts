/**
 * Row locks of the model server, as InnoDB and PostgreSQL hold them: asked for row by row, granted in the order of asking,
 * kept until the transaction ends. Who would wait in a ring is told so at once, and has to take everything back.
 */
export type Mode = "alone" | "shared";
type Ask = {
  readonly owner: object;
  readonly keys: readonly string[];
  readonly mode: Mode;
  /** The key that is asked for now. */
  at: number;
  readonly done: (answer: "granted" | "deadlock") => void;
};
type Row = { readonly holders: Map<object, Mode>; queue: Ask[] };

export class Locks {
  #rows = new Map<string, Row>();
  readonly #waiting = new Map<object, Ask>();

  /** Calls back when all keys are locked, at once if nobody is in the way. */
  ask(owner: object, keys: readonly string[], mode: Mode, done: Ask["done"]): void {
    this.#advance({ owner, keys, mode, at: 0, done });
  }

  isWaiting(owner: object): boolean {
    return this.#waiting.has(owner);
  }

  holds(owner: object): boolean {
    for (const { holders } of this.#rows.values()) if (holders.has(owner)) return true;
    return false;
  }

  /** Takes back what is asked for and not granted yet. */
  cancel(owner: object): void {
    const ask = this.#waiting.get(owner);
    if (ask === undefined) return;
    this.#waiting.delete(owner);
    const row = this.#row(ask.keys[ask.at] ?? "");
    row.queue = row.queue.filter((other) => other !== ask);
    this.#wake(row);
  }

  release(owner: object): void {
    this.cancel(owner);
    for (const [key, row] of this.#rows) {
      if (!row.holders.delete(owner)) continue;
      if (row.holders.size === 0 && row.queue.length === 0) this.#rows.delete(key);
      else this.#wake(row);
    }
  }

  #advance(ask: Ask): void {
    for (; ask.at < ask.keys.length; ask.at++) {
      const row = this.#row(ask.keys[ask.at] ?? "");
      if (isFree(row, ask)) {
        if (row.holders.get(ask.owner) !== "alone") row.holders.set(ask.owner, ask.mode);
        continue;
      }
      row.queue.push(ask);
      this.#waiting.set(ask.owner, ask);
      if (!this.#waitsFor(ask.owner, ask.owner)) return;
      this.cancel(ask.owner);
      return ask.done("deadlock");
    }
    ask.done("granted");
  }

  #wake(row: Row): void {
    for (let next = row.queue[0]; next !== undefined && isFree({ ...row, queue: [] }, next); next = row.queue[0]) {
      row.queue.shift();
      this.#waiting.delete(next.owner);
      row.holders.set(next.owner, next.mode);
      next.at += 1;
      this.#advance(next);
    }
  }

  /** Whether `owner` waits for `target`, by way of whomever. */
  #waitsFor(owner: object, target: object, seen = new Set<object>()): boolean {
    const ask = this.#waiting.get(owner);
    if (ask === undefined || seen.has(owner)) return false;
    seen.add(owner);
    const row = this.#row(ask.keys[ask.at] ?? "");
    const ahead = [...row.holders.keys(), ...row.queue.slice(0, row.queue.indexOf(ask)).map((other) => other.owner)];
    return ahead.some((other) => other !== owner && (other === target || this.#waitsFor(other, target, seen)));
  }

  #row(key: string): Row {
    let row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, (row = { holders: new Map(), queue: [] }));
    return row;
  }
}

function isFree({ holders, queue }: Row, { owner, mode }: Ask): boolean {
  const own = holders.get(owner);
  if (own === "alone" || own === mode) return true;
  const others = [...holders].filter(([holder]) => holder !== owner);
  // Nobody is overtaken, lest who wants it alone wait for ever.
  return others.length === 0
    ? queue.length === 0 || own !== undefined
    : mode === "shared" && queue.length === 0 && others.every(([, held]) => held === "shared");
}
