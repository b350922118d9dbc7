/** The only way to wait. Production uses the event loop, the simulation its seeded scheduler. */
export interface Tasks {
  /** Resolves after at least `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: StopSignal): Promise<void>;
  /** Runs at the end of the present turn of the event loop, after the I/O that is ready: what arrives together is batched. */
  soon(run: () => void): void;
  /** Calls back once after `ms` unless cancelled. */
  after(ms: number, run: () => void): CancelTask;
}

export type CancelTask = () => void;

/** The part of AbortSignal that the engine needs; it has no DOM types. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
