/**
 * Whether two texts are the same, in a time that tells only their lengths: for digests of secrets where there is no
 * `timingSafeEqual`. Every letter is looked at, also behind the first that differs.
 */
export function isSameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  // Beyond its end a text has NaN, which `^` takes for 0; the lengths have told already.
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
