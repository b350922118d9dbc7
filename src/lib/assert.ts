/** A broken invariant is a bug: stop rather than answer wrongly. State what must hold, positively. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new InvariantBroken(invariant);
}

/** The `default` of a switch over a closed union: the compiler proves that nothing gets here. */
export function unreachable(value: never): never {
  throw new InvariantBroken(`every case is handled, got ${JSON.stringify(value)}`);
}

export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
  constructor(invariant: string) {
    super(`Invariant broken: ${invariant}`);
  }
}
