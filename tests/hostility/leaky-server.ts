/**
 * A planted bug for the canary test: a server that notes down every header it reads, as somebody might for an afternoon
 * of debugging.
 */
const read: (this: Headers, name: string) => string | null = Reflect.get(Headers.prototype, "get");
Headers.prototype.get = function noting(this: Headers, name: string): string | null {
  const value = read.call(this, name);
  if (value !== null) process.stderr.write(`debug: ${name} = ${value}\n`);
  return value;
};
await import("../../src/main.ts");
