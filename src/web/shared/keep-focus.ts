/**
 * Draws a page anew without losing its reader's place: where what had the focus is no more (a button that became a link, a
 * question that was answered), the focus goes to what stands in its place, and not to the top of the page.
 */
export function drawKeepingFocus(root: HTMLElement, draw: () => void, successors: readonly string[]): void {
  const before = document.activeElement;
  const isWithin = before !== null && before !== root && root.contains(before);
  draw();
  if (!isWithin || root.contains(document.activeElement)) return;
  for (const selector of successors) {
    const next = root.querySelector<HTMLElement>(selector);
    if (next === null) continue;
    next.focus({ preventScroll: true });
    return;
  }
}
