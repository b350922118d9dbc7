/** Waits until a condition gives something, looking every few ms; fails with what was waited for when the bound is reached. */
export async function waitFor<Value>(
  what: string,
  condition: () => Value | undefined | false | Promise<Value | undefined | false>,
  { withinMs = 10_000, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Value> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() >= untilMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await pause(everyMs);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The promise's value, or an error that says what took too long. */
export function bounded<Value>(what: string, withinMs: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${withinMs} ms`)), withinMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
