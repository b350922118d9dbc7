/** Requests and answers between the threads: JSON text, numbered, answered in order. */
export type WireRequest = readonly [number: number, operation: string, payload: unknown];
export type WireReply = readonly [number: number, value: unknown, failure?: WireFailure];
export type WireFailure = { readonly code: "storage_full" | "unavailable" | "unknown" | "defect"; readonly message: string };

/** Given to a worker when it starts. */
export type WorkerStart = {
  readonly dataDir: string;
  /** Tests only: a module whose `wrap` makes the writer's connection fail on command. */
  readonly failpoints?: Failpoints | undefined;
};
export type Failpoints = { readonly module: string; readonly state: SharedArrayBuffer };

/** A failure with a code that crosses threads. */
export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
  readonly code: WireFailure["code"];
  constructor(failure: WireFailure) {
    super(failure.message);
    this.code = failure.code;
  }
}
