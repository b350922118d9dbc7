/**
 * Notices texts that come twice, in 8 bytes each: 64-bit fingerprints. Two different texts may share one (about once in
 * 10^7 sets of a million), so a caller confirms what it reports.
 */
export class TextSet {
  #first = new Uint32Array(4096);
  #second = new Uint32Array(4096);
  #size = 0;

  /** Whether the text is new. */
  add(text: string): boolean {
    if (this.#size * 2 >= this.#first.length) this.#grow();
    const [first, second] = fingerprint(text);
    const slot = this.#slotOf(first, second);
    if (this.#first[slot] !== 0) return false;
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#size += 1;
    return true;
  }

  #slotOf(first: number, second: number): number {
    const mask = this.#first.length - 1;
    for (let slot = second & mask; ; slot = (slot + 1) & mask) {
      if (this.#first[slot] === 0 || (this.#first[slot] === first && this.#second[slot] === second)) return slot;
    }
  }

  #grow(): void {
    const [first, second] = [this.#first, this.#second];
    this.#first = new Uint32Array(first.length * 2);
    this.#second = new Uint32Array(second.length * 2);
    for (let i = 0; i < first.length; i++) {
      const [one, two] = [first[i] ?? 0, second[i] ?? 0];
      if (one === 0) continue;
      const slot = this.#slotOf(one, two);
      this.#first[slot] = one;
      this.#second[slot] = two;
    }
  }
}

/** Two mixed 32-bit hashes in one walk; the first is never 0, which marks an empty slot. */
export function fingerprint(text: string): readonly [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a >>> 0 || 1, b >>> 0];
}
