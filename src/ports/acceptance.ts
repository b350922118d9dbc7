import type { SaleId } from "../domain/ids.ts";
import type { Fence } from "./leases.ts";
import type { Movement, OutcomeOf } from "../domain/movement.ts";

/**
 * Whoever may say yes. Takes movements of one sale and gives each exactly one answer:
 *
 * - an outcome of the movement: committed and durable (a refusal rests on committed state and changed nothing)
 * - `not_tried`: nothing was taken by this call; it says nothing about an earlier one with the same key
 * - `unknown`: may have happened or may happen yet; the same movement again, with the same ids, has one effect
 *
 * Movements of one call are decided in their order, but not necessarily in one commit. With a `fence` they are not tried
 * once another process has its lease. Never rejects, except for a broken invariant.
 */
export interface Acceptance {
  submit<M extends Movement>(saleId: SaleId, movements: readonly M[], options?: SubmitOptions): Promise<readonly Answer<M>[]>;
  /**
   * Whether a take by this buyer is queued or in flight, so that its key may be accepted any moment: no local refusal
   * may be given to it.
   */
  isPending(saleId: SaleId, buyerId: number): boolean;
}

export type SubmitOptions = {
  readonly fence?: Fence | undefined;
  /** Whether takes are answered when the order exists, rather than when the acceptance is durable. True unless told. */
  readonly wait?: boolean | undefined;
};

export type NotTried = { readonly kind: "not_tried"; readonly cause: NotTriedCause };
/** `failed`: this line alone makes its commit fail, which is a bug of ours. */
export type NotTriedCause = "busy" | "storage_full" | "draining" | "rebuilding" | "failed";
export type Unknown = { readonly kind: "unknown" };
export type Answer<M extends Movement> = OutcomeOf<M> | NotTried | Unknown;
