/**
 * Work that one process at a time may do, where several share a store. A lease is held for a while and renewed; whoever
 * takes it next gets a larger term, and a write that carries an older one is not done: a holder that was stopped in the
 * middle of its work cannot go on with it when it wakes.
 *
 * Throws StoreUnavailable.
 */
export interface Leases {
  /** Takes the lease, or renews it; undefined while another process holds it. */
  hold(name: string): Promise<Fence | undefined>;
  /** Lets others have it at once. */
  giveUp(fence: Fence): Promise<void>;
}

/** What a write checks in its own transaction. */
export type Fence = { readonly lease: string; readonly term: number };
