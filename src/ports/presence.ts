/** Whether the processes that share a store count this one as alive. */
export interface Presence {
  readonly number: number;
  /** Of this start: its number may be another process's later. */
  readonly life: string;
  /** The same value for as long as it has counted as alive without a break; undefined while it may not. */
  readonly unbroken: number | undefined;
}
