/**
 * How often somebody may try to sign in: so many times a minute for one name, so many from one address, counted apart, and
 * both must agree. A try that is refused is not counted, so waiting helps. What succeeds gives its try for the name back.
 *
 * Whoever knows a name could keep its owner out by wrong tries, minute after minute. So tries from an address where the name
 * was signed in with are counted there, apart from those of the rest of the world.
 *
 * Invariant: in any minute no address has more counted tries than its limit, and no name has from each of its known addresses
 * and from all others together, however many names and addresses there are. When there is no room to count another one it
 * is refused: never open for want of memory.
 */
export type SignInLimitsOptions = {
  readonly perAccount: number;
  readonly perAddress: number;
  /** Names and addresses counted at once. */
  readonly countedMax?: number | undefined;
};

export const signInWindowMs = 60_000;
export const signInLimitsDefault: SignInLimitsOptions = { perAccount: 5, perAddress: 20 };
const countedMaxDefault = 100_000;
/** The addresses at which a name was right last. */
const knownAddressesMax = 3;

export type SignInTry = { readonly name: string; readonly address: string; readonly nowMs: number };
export type LimitAnswer = { readonly kind: "go" } | { readonly kind: "limited"; readonly retryAfterMs: number };

export class SignInLimits {
  readonly #names: Tries;
  readonly #addresses: Tries;
  /** Of names at addresses that are known for them. */
  readonly #atKnown: Tries;
  /** By name, the one that was right last at the end. */
  readonly #known = new Map<string, readonly string[]>();
  readonly #knownMax: number;

  constructor({ perAccount, perAddress, countedMax = countedMaxDefault }: SignInLimitsOptions = signInLimitsDefault) {
    this.#names = new Tries(perAccount, countedMax);
    this.#addresses = new Tries(perAddress, countedMax);
    this.#atKnown = new Tries(perAccount, countedMax);
    this.#knownMax = countedMax;
  }

  /** Counts a try, unless either limit is reached. */
  enter({ name, address, nowMs }: SignInTry): LimitAnswer {
    const isKnown = this.#known.get(name)?.includes(address) === true;
    const [tries, key] = isKnown ? [this.#atKnown, placeOf(name, address)] : [this.#names, name];
    const retryAfterMs = Math.max(tries.waitMs(key, nowMs), this.#addresses.waitMs(address, nowMs));
    if (retryAfterMs > 0) return { kind: "limited", retryAfterMs };
    tries.count(key, nowMs);
    this.#addresses.count(address, nowMs);
    return { kind: "go" };
  }

  /** For what has no name yet: signing up. */
  enterByAddress({ address, nowMs }: Omit<SignInTry, "name">): LimitAnswer {
    const retryAfterMs = this.#addresses.waitMs(address, nowMs);
    if (retryAfterMs > 0) return { kind: "limited", retryAfterMs };
    this.#addresses.count(address, nowMs);
    return { kind: "go" };
  }

  /** It was right, or nothing was tried: the name's try of that moment does not count. */
  forgive({ name, address, nowMs }: SignInTry): void {
    // It began before the address was known, or after.
    if (!this.#atKnown.forget(placeOf(name, address), nowMs)) this.#names.forget(name, nowMs);
  }

  /** It was right to the end: the address is known for the name from now on. */
  proven(tried: SignInTry): void {
    const { name, address } = tried;
    this.forgive(tried);
    const others = (this.#known.get(name) ?? []).filter((known) => known !== address);
    this.#known.delete(name);
    this.#known.set(name, [...others, address].slice(-knownAddressesMax));
    if (this.#known.size <= this.#knownMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

/** The address first: it has no blanks, so no name that somebody types makes another place. */
const placeOf = (name: string, address: string): string => `${address} ${name}`;

/** The times of the last tries of each key, oldest first. */
class Tries {
  readonly #max: number;
  readonly #countedMax: number;
  /** In the order of their last try, so that those to be forgotten stand first. */
  readonly #times = new Map<string, number[]>();

  constructor(max: number, countedMax: number) {
    this.#max = max;
    this.#countedMax = countedMax;
  }

  /** How long until another try may be counted; 0 for now. */
  waitMs(key: string, nowMs: number): number {
    this.#forgetOld(nowMs);
    const times = this.#times.get(key);
    if (times === undefined) return this.#times.size < this.#countedMax ? 0 : signInWindowMs;
    const first = times[times.length - this.#max];
    return first === undefined ? 0 : Math.max(0, first + signInWindowMs - nowMs);
  }

  count(key: string, nowMs: number): void {
    const times = this.#times.get(key) ?? [];
    times.push(nowMs);
    if (times.length > this.#max) times.shift();
    this.#times.delete(key);
    this.#times.set(key, times);
  }

  /** Whether there was one to forget. */
  forget(key: string, atMs: number): boolean {
    const times = this.#times.get(key);
    const at = times?.lastIndexOf(atMs) ?? -1;
    if (times === undefined || at < 0) return false;
    times.splice(at, 1);
    if (times.length === 0) this.#times.delete(key);
    return true;
  }

  #forgetOld(nowMs: number): void {
    for (const [key, times] of this.#times) {
      if ((times.at(-1) ?? 0) + signInWindowMs > nowMs) return;
      this.#times.delete(key);
    }
  }
}
