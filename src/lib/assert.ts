/**
 * A broken invariant is a bug: stop rather than answer wrongly. State what must hold, positively; as a function where the
 * path is hot and the sentence quotes values, so that it is written only when it is needed.
 */
export function assert(condition: unknown, invariant: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantBroken(typeof invariant === "string" ? invariant : invariant());
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
