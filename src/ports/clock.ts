/** The only source of time. In embedded mode this process's clock is the decider's and the store's. */
export interface Clock {
  /** Wall time in ms since 1970, never running backwards while the process lives. */
  nowMs(): number;
}
