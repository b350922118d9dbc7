import { assert } from "./assert.ts";

const smallest = 16;

/**
 * A set of positive integers in one flat array: sixteen bytes a member or less, and nothing in it for the garbage
 * collector to walk through. A million members in a built-in Set are scanned again and again while the process works.
 *
 * Open addressing with linear steps; 0 marks a free place. At most half of the places are taken.
 */
export class NumberSet {
  #places = new Float64Array(smallest);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(member: number): boolean {
    return member !== 0 && this.#places[this.#placeOf(member)] === member;
  }

  add(member: number): this {
    assert(Number.isSafeInteger(member) && member > 0, "a member is a positive integer");
    const place = this.#placeOf(member);
    if (this.#places[place] === member) return this;
    this.#places[place] = member;
    this.#size += 1;
    if (this.#size * 2 > this.#places.length) this.#grow();
    return this;
  }

  clear(): void {
    this.#places = new Float64Array(smallest);
    this.#size = 0;
  }

  /** Where a member is, or would be. */
  #placeOf(member: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    // Neighbouring ids go to places far apart; the upper half counts only beyond 2^32.
    const folded = (member % 4_294_967_296) ^ Math.floor(member / 4_294_967_296);
    let place = (Math.imul(folded, 0x9e37_79b1) >>> 7) & mask;
    for (let found = places[place]; found !== 0 && found !== member; found = places[place]) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Float64Array(old.length * 2);
    for (const member of old) if (member !== 0) this.#places[this.#placeOf(member)] = member;
  }
}
