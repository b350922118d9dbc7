/**
 * Holds every commit to the leases, in the moment it becomes durable: what is done by one process at a time is done by the
 * one that has the lease, and by nobody who had it before.
 */
import type { Movement } from "../../../src/domain/movement.ts";
import type { StoreObserver } from "../store-observer.ts";
import type { SqlWorld } from "./sql-world.ts";

/** Whose work each kind of movement is; the others are anybody's. */
const workOf: Partial<Record<Movement["kind"], string>> = {
  expire: "sweeper",
  close: "sweeper",
  settle: "settler",
  update_refund: "refunder",
};

export function fencing(world: SqlWorld, auditor: StoreObserver): StoreObserver {
  return {
    addProduct: (product) => auditor.addProduct(product),
    addSale: (sale) => auditor.addSale(sale),
    changeInventory: (change, answer) => auditor.changeInventory(change, answer),
    setQuota: (...quota) => auditor.setQuota(...quota),
    committed: (batch, result, nowMs, writer) => {
      auditor.committed(batch, result, nowMs);
      for (const { kind } of batch.groups.flatMap(({ movements }) => movements)) {
        const name = workOf[kind];
        if (name === undefined || writer === undefined) continue;
        const { holder } = world.database.leases.get(name) ?? {};
        world.sim.check(holder === writer, "fence", () => `process ${writer} did "${kind}", which is process ${holder}'s to do`);
      }
    },
  };
}
