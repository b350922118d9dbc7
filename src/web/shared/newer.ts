/** Copies of one purchase: which of two is the older one. More time to pay, and a payment under way, change its deadline alone. */
import type { PurchaseOnWire } from "../../http/contract/wire.ts";

type Copy = Pick<PurchaseOnWire, "changed_at" | "hold_until">;

/** Times on the wire are of one form, so they compare as texts. */
export const isOlder = (copy: Copy, than: Copy): boolean =>
  copy.changed_at === than.changed_at ? (copy.hold_until ?? "") < (than.hold_until ?? "") : copy.changed_at < than.changed_at;
