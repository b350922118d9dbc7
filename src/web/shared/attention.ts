/** Whether somebody looks at this tab: streams follow, at once when they come back, after a minute when they leave. */
export type Listener = { readonly join: () => void; readonly part: () => void; readonly wake: () => void };

const hiddenMaxMs = 60_000;

export function followAttention(listeners: () => readonly Listener[], onWake: () => void): void {
  let leaving: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(leaving);
    if (document.visibilityState === "hidden") {
      leaving = setTimeout(() => listeners().forEach((listener) => listener.part()), hiddenMaxMs);
      return;
    }
    for (const listener of listeners()) listener.join();
    onWake();
  };
  document.addEventListener("visibilitychange", look);
  // The first showing is like a coming back, too, and costs nothing: whoever listens already goes on.
  addEventListener("pageshow", look);
  addEventListener("online", () => {
    for (const listener of listeners()) listener.wake();
    onWake();
  });
}
