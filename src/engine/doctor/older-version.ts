/** Versions as numbers between dots; what is left out counts as 0. */
export function isOlder(version: string, min: string): boolean {
  const [left, right] = [version, min].map((text) => text.split(".").map(Number));
  for (const [i, part] of (right ?? []).entries()) {
    const difference = (left?.[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
