/**
 * Finds a row by its decimal id, for millions of rows in a few bytes each: the id as two numbers (no string is kept)
 * and an open-addressing table of row numbers. Exact, unlike a fingerprint.
 */
const lowDigits = 9;

export class IdIndex {
  #high = new Float64Array(1024);
  #low = new Uint32Array(1024);
  #slots = new Int32Array(4096).fill(-1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The new row's number, or -1 if the id is there already or is no decimal id. */
  add(id: string): number {
    if (!isDecimal(id)) return -1;
    const high = highOf(id);
    const low = lowOf(id);
    const slot = this.#slotOf(high, low);
    if (this.#slots[slot] !== -1) return -1;
    if (this.#size === this.#high.length) this.#grow();
    const row = this.#size++;
    this.#high[row] = high;
    this.#low[row] = low;
    this.#slots[this.#slotOf(high, low)] = row;
    return row;
  }

  /** The row's number, or -1. */
  find(id: string): number {
    return isDecimal(id) ? (this.#slots[this.#slotOf(highOf(id), lowOf(id))] ?? -1) : -1;
  }

  idAt(row: number): string {
    const high = this.#high[row] ?? 0;
    const low = String(this.#low[row] ?? 0);
    return high === 0 ? low : `${high}${low.padStart(lowDigits, "0")}`;
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = mix(high, low) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] ?? -1;
      if (row === -1 || (this.#high[row] === high && this.#low[row] === low)) return slot;
    }
  }

  #grow(): void {
    const high = new Float64Array(this.#high.length * 2);
    const low = new Uint32Array(this.#low.length * 2);
    high.set(this.#high);
    low.set(this.#low);
    this.#high = high;
    this.#low = low;
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let row = 0; row < this.#size; row++) this.#slots[this.#slotOf(high[row] ?? 0, low[row] ?? 0)] = row;
  }
}

function isDecimal(id: string): boolean {
  if (typeof id !== "string" || id.length === 0 || id.length > 19 || id.charCodeAt(0) === 48) return false;
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

const highOf = (id: string) => (id.length > lowDigits ? Number(id.slice(0, -lowDigits)) : 0);
const lowOf = (id: string) => Number(id.length > lowDigits ? id.slice(-lowDigits) : id);

function mix(high: number, low: number): number {
  let hash = Math.imul((high % 4_294_967_296) ^ Math.floor(high / 4_294_967_296), 0x9e3779b1) ^ low;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
